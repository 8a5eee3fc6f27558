/* Where a container's stdin, stdout and stderr lead. */
#ifndef CTR_STREAMS_H
#define CTR_STREAMS_H

#include <stdbool.h>

struct streams {
	int child[3];    /* for the process; -1: /dev/null. The ones we made are closed by streams_close_child */
	int ours[3];     /* our ends: write to [0], read from [1] and [2]; -1: none. They don't block */
	bool made[3];
};

/* Makes pipes for the streams that somebody must pass on; LOGGED: stdout and stderr are. Without LOCAL, the caller's own descriptors
 * aren't used. A caller's descriptor is handed to the container as it is only if it is a pipe, a socket or /dev/null: a terminal or
 * a file could be opened anew through /proc/self/fd. 0 or -errno. */
int streams_make(struct streams *s, bool local, bool input, bool logged);

void streams_close_child(struct streams *s);
void streams_close(struct streams *s);

#endif

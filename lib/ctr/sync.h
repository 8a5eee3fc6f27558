/* What parent and child tell each other while a container is being made: short messages on a SOCK_SEQPACKET pair, with
 * descriptors where needed. Both ends are CLOEXEC: the child's closing without a failure told means that execve succeeded. */
#ifndef CTR_SYNC_H
#define CTR_SYNC_H

#include "base/err.h"
#include <stdbool.h>

#define SYNC_FDS 64

enum sync_kind {
	SYNC_FAILED,  /* child: err */
	SYNC_READY,   /* child: all is made; with a tty its master */
	SYNC_NETNS,   /* child: its network namespace, where that is wanted (spec.outside) */
	SYNC_MAPPED,  /* parent: the id maps are written; trees that only it could open */
	SYNC_GO,      /* parent: exec */
	SYNC_CLOSED,  /* the other end is gone */
};

struct sync_message {
	enum sync_kind kind;
	struct err err;
	int fds[SYNC_FDS];   /* received ones are CLOEXEC and the receiver's to close */
	int nfds;
};

int sync_pair(int ends[2]);                                     /* 0 or -errno */
int sync_send(int fd, enum sync_kind kind, const struct err *err, const int *fds, int nfds); /* 0 or -errno */
/* Waits for the next message. 0 (SYNC_CLOSED included) or -errno. */
int sync_receive(int fd, struct sync_message *out);

#endif

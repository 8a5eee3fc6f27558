/* Starting a container again. */
#ifndef CTR_START_H
#define CTR_START_H

#include "ctr/attach.h"
#include "ctr/record.h"

struct start_options {
	char **cmd;          /* instead of the container's own; NULL: its own */
	bool tty, input;     /* of that command */
};

/* Starts TARGET with a supervisor of its own. With C, we are its first client: fd and tty are filled in. What a crash left of an earlier run is taken
 * back first. 0 once the command runs, or -errno, told, with err->exit. */
int start_target(const struct store *s, const char *target, const struct start_options *o, struct attach_client *c, struct err *err);

#endif

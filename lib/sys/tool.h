/* Programs of others, for the few jobs that an ordinary user can't do without them: newuidmap, pasta, slirp4netns. */
#ifndef SYS_TOOL_H
#define SYS_TOOL_H

#include "base/err.h"
#include <sys/types.h>

/* The absolute path of program NAME by $PATH's absolute directories, malloc'ed; NULL if there is none. */
char *tool_find(const char *name);

/* Runs ARGV (ARGV[0] is a path) without input, and waits. 0, or -errno, told with the last line that it wrote: -ECHILD if it ended
 * with another code than 0. */
int tool_run(char **argv, struct err *err);

/* Starts ARGV, which dies with the caller's process, with what it says written to OUTPUT and descriptor READY as its 3. Its pid, or -errno. */
pid_t tool_start(char **argv, int output, int ready);

/* The last line of TEXT, which is cut there. */
struct buf;
const char *tool_last_line(struct buf *text);

#endif

/* Programs of others, for the few jobs that can't be done without them: newuidmap, pasta and slirp4netns for an ordinary user, curl and wget for TLS. */
#ifndef BASE_TOOL_H
#define BASE_TOOL_H

#include "base/err.h"
#include <sys/types.h>

/* The absolute path of program NAME by $PATH's absolute directories, malloc'ed; NULL if there is none. */
char *tool_find(const char *name);

/* Runs ARGV (ARGV[0] is a path) without input, and waits. 0, or -errno, told with the last line that it wrote: -ECHILD if it ended
 * with another code than 0. */
int tool_run(char **argv, struct err *err);

/* Starts ARGV, which dies with the caller's thread, with the descriptors INPUT (-1: /dev/null), OUTPUT and ERRORS as its first ones, and THIRD (-1:
 * none) as its 3. Its pid, or -errno. */
struct tool_files {
	int input, output, errors, third;
};
pid_t tool_start(char **argv, const struct tool_files *files);

/* The last line of TEXT, which is cut there. */
struct buf;
const char *tool_last_line(struct buf *text);

#endif

/* Starting a program, and saying why it can't be started. */
#ifndef SYS_EXEC_H
#define SYS_EXEC_H

#include "base/err.h"

/* Replaces the caller by ARGV, looked up in ENVP's PATH unless it contains a slash (a usual one where PATH isn't
 * set). Returns only on failure: -errno, with ERR telling the cause (a missing interpreter, another machine's
 * code, no execute permission, ..) and err->exit: 127 if the command wasn't found, 126 if it was but can't be
 * executed. execve(2), environ(7). */
int exec_command(char **argv, char **envp, struct err *err);

/* The same for applets that were given no command: ENVP's $SHELL, or sh where that isn't set or isn't there, as it
 * may be after a change of root. */
int exec_shell(char **envp, struct err *err);

#endif

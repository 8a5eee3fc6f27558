/* Signals by name, and as something to read. */
#ifndef SYS_SIGNALS_H
#define SYS_SIGNALS_H

#include <sys/signalfd.h>

/* "TERM", "SIGTERM", "15", "RTMIN+3" -> number, or -EINVAL. */
int signal_parse(const char *s);

/* For those who pass signals on to a command elsewhere: whatever would end us, with the terminal still raw, is the command's. Blocks all
 * but SIGTSTP and SIGCHLD; a signalfd(2) that doesn't block, CLOEXEC. */
int signals_relayed(void);

/* The next signal of a signalfd, with all that is known of it in INFO, or 0: none. */
int signals_next(int fd, struct signalfd_siginfo *info);

#endif

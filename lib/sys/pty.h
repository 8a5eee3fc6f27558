/* Terminals: ptys(7), termios(3). */
#ifndef SYS_PTY_H
#define SYS_PTY_H

#include "base/err.h"
#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

/* Opens a pty in the devpts of the caller's root (/dev/pts/ptmx): returns the slave, taken from the master (TIOCGPTPEER), not by its
 * name, which might be somebody else's (CVE-2025-52565). *MASTER is CLOEXEC and doesn't block. -errno, told. */
int pty_open(int *master, struct err *err);

/* Raw mode on FD, what it was in *OLD. False if FD is no terminal. */
bool tty_raw(int fd, struct termios *old);
void tty_restore(int fd, const struct termios *old);

/* The window size of the terminal that is our stdin, else our stdout; false and zeros if neither is one. */
bool tty_size(struct winsize *out);

/* Copies the window size of FROM to the pty TO; a serial console's 0x0 is left as it is. */
void tty_copy_size(int from, int to);

#endif

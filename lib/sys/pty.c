#include "sys/pty.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

int pty_open(int *master, struct err *err)
{
	int unlock = 0, slave;

	*master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (*master < 0)
		return err_sys(err, -errno, "open /dev/pts/ptmx");
	slave = ioctl(*master, TIOCSPTLCK, &unlock) < 0 ? -1 : ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0) {
		err_sys(err, -errno, "open the pty's slave");
		close(*master);
		*master = -1;
		return err ? err->code : -EIO;
	}
	return slave;
}

bool tty_raw(int fd, struct termios *old)
{
	struct termios raw;

	if (tcgetattr(fd, old) < 0)
		return false;
	raw = *old;
	cfmakeraw(&raw);
	tcsetattr(fd, TCSADRAIN, &raw);
	return true;
}

void tty_restore(int fd, const struct termios *old)
{
	tcsetattr(fd, TCSADRAIN, old);
}

bool tty_size(struct winsize *out)
{
	*out = (struct winsize){ 0 };
	return ioctl(STDIN_FILENO, TIOCGWINSZ, out) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, out) == 0;
}

void tty_copy_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) == 0 && (size.ws_row || size.ws_col))
		ioctl(to, TIOCSWINSZ, &size);
}

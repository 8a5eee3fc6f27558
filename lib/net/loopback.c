#include "net/loopback.h"
#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int loopback_up(struct err *err)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return err_sys(err, -errno, "open a socket");
	r = ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
	close(fd);
	return r < 0 ? err_sys(err, r, "set lo up") : 0;
}

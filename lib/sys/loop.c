#include "sys/loop.h"
#include "base/kernel.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* One call sets all (Linux 5.8): with two there is a moment at which a killed process leaves the device behind. */
static int configure(int loop, int file)
{
	struct loop_config c = { .fd = (__u32)file, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };
	int r = (int)kernel_result(ioctl(loop, LOOP_CONFIGURE, &c));

	if (r != -EINVAL && r != -ENOTTY)
		return r;
	r = (int)kernel_result(ioctl(loop, LOOP_SET_FD, file)); /* read-only, as both are opened */
	if (r < 0 || ioctl(loop, LOOP_SET_STATUS64, &c.info) == 0)
		return r;
	r = -errno;
	ioctl(loop, LOOP_CLR_FD, 0);
	return r;
}

/* -EBUSY: somebody else was quicker. */
static int take_free(int control, int file, char name[24])
{
	int n = ioctl(control, LOOP_CTL_GET_FREE), fd, r;

	if (n < 0)
		return -errno;
	snprintf(name, 24, "/dev/loop%d", n);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = configure(fd, file);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int loop_open(int file, char name[24], struct err *err)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd = -EBUSY;

	if (control < 0) {
		err_sys(err, -errno, "open /dev/loop-control");
		return err_hint(err, "is CONFIG_BLK_DEV_LOOP in this kernel, module loop loaded?");
	}
	for (int tries = 0; fd == -EBUSY && tries < 1000; tries++)
		fd = take_free(control, file, name);
	close(control);
	return fd < 0 ? err_sys(err, fd, "take a loop device") : fd;
}

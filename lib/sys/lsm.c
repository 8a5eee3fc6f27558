#include "sys/lsm.h"
#include "base/buf.h"
#include "base/file.h"
#include "sys/proc.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

bool lsm_enabled(enum lsm which)
{
	struct buf b = { 0 };
	struct statfs fs;
	bool yes;

	if (which == LSM_SELINUX)
		return statfs("/sys/fs/selinux", &fs) == 0 && (unsigned)fs.f_type == SELINUX_MAGIC;
	yes = file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", &b, 16) == 0 && b.len && *b.p == 'Y';
	buf_free(&b);
	return yes;
}

/* AppArmor has a directory of its own since Linux 5.8; the other file is the first module's. */
static int open_attribute(enum lsm which)
{
	int fd = which == LSM_APPARMOR ? proc_self_open("attr/apparmor/exec") : -ENOENT;

	return fd == -ENOENT ? proc_self_open("attr/exec") : fd;
}

int lsm_at_exec(enum lsm which, const char *label, struct err *err)
{
	char *text = xasprintf("%s%s", which == LSM_APPARMOR ? "exec " : "", label);
	int fd = open_attribute(which), r;

	r = fd < 0 ? fd : write(fd, text, strlen(text)) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	free(text);
	if (r == 0)
		return 0;
	err_sys(err, r, which == LSM_APPARMOR ? "AppArmor profile %s" : "SELinux label %s", label);
	return r == -ENOENT && which == LSM_APPARMOR ? err_hint(err, "is it loaded?") : r;
}

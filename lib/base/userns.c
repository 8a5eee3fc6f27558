#include "base/userns.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/xattr.h>

bool ns_user_first(void)
{
	struct stat st;

	/* PROC_USER_INIT_INO: fixed since Linux 3.8, part of the user interface since 6.18. No file: no user
	 * namespaces at all. */
	return stat("/proc/self/ns/user", &st) < 0 || st.st_ino == 0xEFFFFFFD;
}

int opaque_mark(int dirfd)
{
	int r = fsetxattr(dirfd, "trusted.overlay.opaque", "y", 1, 0);

	if (r < 0 && errno == EPERM)
		r = fsetxattr(dirfd, "user.overlay.opaque", "y", 1, 0);
	return r < 0 ? -errno : 0;
}

bool opaque_is(int dirfd)
{
	char v;

	if (fgetxattr(dirfd, "trusted.overlay.opaque", &v, 1) == 1)
		return v == 'y';
	/* elsewhere anybody's own attribute, which means nothing */
	return fgetxattr(dirfd, "user.overlay.opaque", &v, 1) == 1 && v == 'y' && !ns_user_first();
}

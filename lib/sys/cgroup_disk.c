#include "sys/cgroup_disk.h"
#include "base/buf.h"
#include "base/num.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* "8:0" */
static bool numbers(const char *s, struct cgroup_disk *out)
{
	char *colon = strchr(s, ':');
	int64_t major, minor;

	if (!colon)
		return false;
	*colon = '\0';
	if (num_range(s, 0, 4095, &major) || num_range(colon + 1, 0, 1048575, &minor)) {
		*colon = ':';
		return false;
	}
	out->major = (unsigned)major;
	out->minor = (unsigned)minor;
	return true;
}

static int device(char *name, struct cgroup_disk *out, struct err *err)
{
	struct stat st;

	if (name[0] != '/')
		return numbers(name, out) ? 0
					  : err_msg(err, -EINVAL, "device %s: neither a path nor MAJOR:MINOR", name);
	if (stat(name, &st))
		return err_sys(err, -errno, "device %s", name);
	if (!S_ISBLK(st.st_mode))
		return err_msg(err, -EINVAL, "device %s: not a block device", name);
	out->major = major(st.st_rdev);
	out->minor = minor(st.st_rdev);
	return 0;
}

static int rate(const char *s, bool bytes, uint64_t *out)
{
	int64_t size;
	int r;

	if (!bytes)
		return num_u64(s, out);
	r = num_size(s, &size);
	if (!r)
		*out = (uint64_t)size;
	return r;
}

int cgroup_disk_parse(const char *spec, bool bytes, struct cgroup_disk *out, struct err *err)
{
	const char *colon = strrchr(spec, ':');
	char *name;
	int r;

	if (!colon || rate(colon + 1, bytes, &out->rate) || out->rate > INT64_MAX)
		return err_msg(err, -EINVAL, "device limit %s: want DEVICE:%s", spec, bytes ? "SIZE" : "N");
	name = xstrndup(spec, (size_t)(colon - spec));
	r = device(name, out, err);
	free(name);
	return r;
}

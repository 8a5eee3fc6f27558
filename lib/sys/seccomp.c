#include "sys/seccomp.h"
#include "base/kernel.h"
#include "sys/seccomp_compile.h"
#include "sys/seccomp_text.h"
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

/* What tools/seccomp made of seccomp.profile: code, guards, and the names `here` and `elsewhere`. */
#include "seccomp_default.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static int load(struct sock_filter *f, size_t n)
{
	const struct sock_fprog program = { (unsigned short)n, f };

	return (int)kernel_result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

int seccomp_load_default(uint64_t caps)
{
	struct sock_filter mine[COUNT(code)];

	memcpy(mine, code, sizeof code);
	for (size_t i = 0; i < COUNT(guards); i++)
		if (caps >> guards[i].cap & 1)
			mine[guards[i].at].k = 0; /* not leapt over */
	return load(mine, COUNT(code));
}

int seccomp_load(const char *filter)
{
	struct sock_filter *f = NULL;
	size_t n = seccomp_from_text(filter, &f);
	int r = n ? load(f, n) : -EINVAL;

	free(f);
	return r;
}

int seccomp_missing(int code)
{
	return code == -ENOSYS || code == -EINVAL;
}

/* The number of NAME in a list of tools/seccomp's: a letter that is its length, the name, and so on; "`NUMBER" where they don't go on
 * from the last one's. -1: it isn't there. */
static long find(const char *list, const char *name)
{
	size_t n = strlen(name);
	long nr = 0;
	char *end;

	for (const char *p = list; *p;) {
		size_t len = (size_t)(*p++ - '`');

		if (!len) {
			nr = strtol(p, &end, 10);
			p = end;
			continue;
		}
		if (len == n && !memcmp(p, name, n))
			return nr;
		nr++;
		p += len;
	}
	return -1;
}

long seccomp_number(const char *name)
{
	long nr = find(here, name);

	return nr >= 0 ? nr : find(elsewhere, name) >= 0 ? -ENOSYS : -EINVAL;
}

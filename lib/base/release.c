#include "base/release.h"

#include <stdlib.h>
#include <sys/utsname.h>

bool kernel_since(long major, long minor)
{
	struct utsname u;
	char *dot;
	long n;

	if (uname(&u) < 0)
		return true;
	n = strtol(u.release, &dot, 10);
	return n > major || (n == major && *dot == '.' && strtol(dot + 1, NULL, 10) >= minor);
}

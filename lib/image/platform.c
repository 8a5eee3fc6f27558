/* os/architecture/variant in OCI's words (image-spec, image-index.md): which image runs here. */
#include "image/image_load.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

const char *platform_wanted(const char *platform, char out[80])
{
	char machine[66];

	snprintf(out, 80, "%s%s", platform ? "" : "linux/", platform ? platform : image_host_architecture(machine));
	return out;
}

/* "v7": 7; else 0. */
static int version(const char *variant)
{
	return variant && variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '9' && !variant[2] ? variant[1] - '0' : 0;
}

/* Of 32-bit ARM a processor runs what was made for older ones: uname(2) says armv6l, armv7l. */
static int arm_version(void)
{
	struct utsname u;

	return uname(&u) == 0 && starts_with(u.machine, "armv") ? u.machine[4] - '0' : 9;
}

static int rank_here(const char *architecture, const char *variant)
{
	char machine[66];
	const char *host = image_host_architecture(machine);
	int v = version(variant);

	if (strcmp(host, architecture) == 0) {
		if (strcmp(host, "arm") == 0)
			return v > arm_version() ? -1 : 20 + v;
		return 20 - v; /* what needs least */
	}
	/* 64-bit kernels run their 32-bit ancestor's programs, as a rule */
	if ((strcmp(host, "amd64") == 0 && strcmp(architecture, "386") == 0) || (strcmp(host, "arm64") == 0 && strcmp(architecture, "arm") == 0))
		return 1;
	return -1;
}

static bool part_is(const char **platform, const char *is)
{
	size_t n = strcspn(*platform, "/");
	bool fits = !n || !is || (strlen(is) == n && memcmp(is, *platform, n) == 0);

	*platform += n + ((*platform)[n] == '/');
	return fits;
}

int platform_rank(const char *platform, const char *os, const char *architecture, const char *variant)
{
	if (platform)
		return part_is(&platform, os) && part_is(&platform, architecture) && part_is(&platform, variant) ? 20 : -1;
	if (os && *os && strcmp(os, "linux"))
		return -1;
	return architecture && *architecture ? rank_here(architecture, variant) : 0;
}

#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t now_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall_ns(void)
{
	return now_ns(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void)
{
	return now_ns(CLOCK_BOOTTIME) / 1000000;
}

const char *clock_boot_id(void)
{
	static char id[37];
	struct buf b = { 0 };

	if (!*id && file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &b, 64) == 0 && b.len >= 36)
		memcpy(id, b.p, 36);
	buf_free(&b);
	return id;
}

void clock_local(int64_t epoch_s, char out[20])
{
	time_t t = (time_t)epoch_s;
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(out, 20, "%Y-%m-%d %H:%M:%S", &tm))
		strcpy(out, "-");
}

void clock_rfc3339(int64_t epoch_ns, char out[36])
{
	time_t t = (time_t)(epoch_ns / 1000000000);
	struct tm tm;
	size_t n = gmtime_r(&t, &tm) ? strftime(out, 36, "%Y-%m-%dT%H:%M:%S", &tm) : 0;

	snprintf(out + n, 36 - n, ".%09dZ", (int)(epoch_ns % 1000000000));
}

/* The ".123456789" at *S in nanoseconds, moving it on. */
static int64_t fraction(const char **s)
{
	int64_t ns = 0, unit = 100000000;

	if (**s != '.')
		return 0;
	for ((*s)++; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
		ns += (**s - '0') * unit;
	return ns;
}

int clock_parse(const char *s, int64_t *epoch_ns)
{
	struct tm tm = { 0 };
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	int sign = 0, hours = 0, minutes = 0, used = 0;
	int64_t seconds, ns;

	if (!end) {
		if (num_range(s, 0, INT64_MAX / 1000000000, &seconds) < 0)
			return -EINVAL;
		*epoch_ns = seconds * 1000000000;
		return 0;
	}
	ns = fraction(&end);
	if (*end == '+' || *end == '-') {
		sign = *end == '+' ? 1 : -1;
		if (sscanf(end + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2)
			return -EINVAL;
		end += 1 + used;
	} else if (*end == 'Z') {
		end++;
	}
	if (*end)
		return -EINVAL;
	seconds = (int64_t)timegm(&tm) - sign * (hours * 3600 + minutes * 60);
	*epoch_ns = seconds * 1000000000 + ns;
	return 0;
}

void random_hex(char *out, int len)
{
	unsigned char raw[32];

	while (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
		;
	for (int i = 0; i < len; i++)
		out[i] = "0123456789abcdef"[raw[i / 2 % 32] >> (i % 2 * 4) & 15];
	out[len] = 0;
}

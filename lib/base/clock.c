#include "base/clock.h"
#include "base/io.h"
#include "base/num.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

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

int clock_left_ms(int64_t due_ms)
{
	int64_t left = due_ms - clock_boot_ms();

	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

const char *clock_boot_id(void)
{
	static char id[37];
	int fd = *id ? -1 : open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read_full(fd, id, 36) != 36)
		*id = 0;
	if (fd >= 0)
		close(fd);
	return id;
}

/* "2026-11-21 23:47:44" with that separator. strftime(3) would bring locales along. */
static void format(const struct tm *t, char separator, char out[20])
{
	char text[80]; /* whatever T says */

	snprintf(text, sizeof text, "%04d-%02d-%02d%c%02d:%02d:%02d", t->tm_year + 1900, t->tm_mon + 1, t->tm_mday, separator,
		 t->tm_hour, t->tm_min, t->tm_sec);
	memcpy(out, text, 19);
	out[19] = 0;
}

void clock_local(int64_t epoch_s, char out[20])
{
	time_t t = (time_t)epoch_s;
	struct tm tm;

	if (localtime_r(&t, &tm))
		format(&tm, ' ', out);
	else
		strcpy(out, "-");
}

void clock_rfc3339(int64_t epoch_ns, char out[36])
{
	time_t t = (time_t)(epoch_ns / 1000000000);
	struct tm tm;

	gmtime_r(&t, &tm); /* every int64_t of nanoseconds is within its years */
	format(&tm, 'T', out);
	snprintf(out + 19, 36 - 19, ".%09dZ", (int)(epoch_ns % 1000000000));
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

/* N digits at *S and then AFTER (0: anything), moving it on; -1 if they aren't there. */
static int digits(const char **s, int n, char after)
{
	int value = 0;

	for (; n; n--, ++*s) {
		if (**s < '0' || **s > '9')
			return -1;
		value = 10 * value + (**s - '0');
	}
	if (after && *(*s)++ != after)
		return -1;
	return value;
}

/* "2026-11-21T23:47:44" at S; what follows it, or NULL. */
static const char *parse_date(const char *s, struct tm *tm)
{
	bool good = (tm->tm_year = digits(&s, 4, '-') - 1900) > -1900 && (tm->tm_mon = digits(&s, 2, '-') - 1) >= 0 &&
		    (tm->tm_mday = digits(&s, 2, 'T')) > 0 && (tm->tm_hour = digits(&s, 2, ':')) >= 0 &&
		    (tm->tm_min = digits(&s, 2, ':')) >= 0 && (tm->tm_sec = digits(&s, 2, 0)) >= 0;

	return good && tm->tm_mon < 12 && tm->tm_mday < 32 && tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 61 ? s : NULL;
}

int clock_parse(const char *s, int64_t *epoch_ns)
{
	struct tm tm = { 0 };
	const char *end = parse_date(s, &tm);
	int sign = 0, hours = 0, minutes = 0;
	int64_t seconds, ns;

	if (!end) {
		if (num_range(s, 0, INT64_MAX / 1000000000, &seconds) < 0)
			return -EINVAL;
		*epoch_ns = seconds * 1000000000;
		return 0;
	}
	ns = fraction(&end);
	if (*end == '+' || *end == '-') {
		sign = *end++ == '+' ? 1 : -1;
		hours = digits(&end, 2, ':');
		minutes = hours < 0 ? -1 : digits(&end, 2, 0);
		if (minutes < 0)
			return -EINVAL;
	} else if (*end == 'Z') {
		end++;
	}
	if (*end)
		return -EINVAL;
	seconds = (int64_t)timegm(&tm) - sign * (hours * 3600 + minutes * 60);
	if (seconds < 0 || seconds >= INT64_MAX / 1000000000)
		return -EINVAL;
	*epoch_ns = seconds * 1000000000 + ns;
	return 0;
}

void random_bytes(void *out, size_t len)
{
	const unsigned now = 4; /* GRND_INSECURE */

	if (getrandom(out, len, now) != (ssize_t)len)
		while (getrandom(out, len, 0) != (ssize_t)len)
			;
}

void random_hex(char *out, int len)
{
	unsigned char raw[32];

	random_bytes(raw, sizeof raw);
	for (int i = 0; i < len; i++)
		out[i] = "0123456789abcdef"[raw[i / 2 % 32] >> (i % 2 * 4) & 15];
	out[len] = 0;
}

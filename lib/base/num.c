#include "base/num.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Digits at *S, moving it on. -EINVAL: none; -ERANGE: too many. */
static int digits(const char **s, uint64_t *out)
{
	uint64_t n = 0;
	const char *p = *s;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return -ERANGE;
	*s = p;
	*out = n;
	return 0;
}

int num_u64(const char *s, uint64_t *out)
{
	uint64_t n;
	int r = digits(&s, &n);

	if (r < 0 || *s)
		return r < 0 ? r : -EINVAL;
	*out = n;
	return 0;
}

int num_i64(const char *s, int64_t *out)
{
	int negative = *s == '-';
	uint64_t n;
	int r = num_u64(s + negative, &n);

	if (r < 0)
		return r;
	if (n > INT64_MAX)
		return -ERANGE;
	*out = negative ? -(int64_t)n : (int64_t)n;
	return 0;
}

int num_range(const char *s, int64_t min, int64_t max, int64_t *out)
{
	int64_t n;
	int r = num_i64(s, &n);

	if (r < 0)
		return r;
	if (n < min || n > max)
		return -ERANGE;
	*out = n;
	return 0;
}

/* "12.345" times SCALE at *S, the fraction cut to millionths; moves *S on. */
static int decimal(const char **s, uint64_t scale, int64_t *out)
{
	uint64_t whole, part = 0, unit = 1000000, n;
	int r = digits(s, &whole);

	if (r < 0)
		return r;
	if (**s == '.') {
		const char *p = *s + 1;

		if (!isdigit((unsigned char)*p))
			return -EINVAL;
		for (; isdigit((unsigned char)*p); p++)
			if (unit > 1) {
				unit /= 10;
				part += (uint64_t)(*p - '0') * unit;
			}
		*s = p;
	}
	if (__builtin_mul_overflow(whole, scale, &n))
		return -ERANGE;
	/* both factors split, so that a fraction of a terabyte doesn't overflow */
	part = part * (scale / 1000000) + part * (scale % 1000000) / 1000000;
	if (__builtin_add_overflow(n, part, &n) || n > INT64_MAX)
		return -ERANGE;
	*out = (int64_t)n;
	return 0;
}

/* The size's unit at *S as a power of two, moving it on; -1 if unknown. "k", "kb" and "kib" alike. */
static int size_shift(const char **s)
{
	static const char units[] = "kmgt";
	const char *unit = **s ? strchr(units, tolower((unsigned char)**s)) : NULL;

	if (!unit)
		return 0;
	(*s)++;
	if (tolower((unsigned char)**s) == 'i')
		(*s)++;
	return 10 * (int)(unit - units + 1);
}

int num_size(const char *s, int64_t *out)
{
	const char *end = s + strspn(s, "0123456789.");
	const char *unit = end;
	int shift = size_shift(&unit), r;
	int64_t n;

	if (tolower((unsigned char)*unit) == 'b')
		unit++;
	if (*unit)
		return -EINVAL;
	r = decimal(&s, 1ULL << shift, &n);
	if (r < 0 || s != end)
		return r < 0 ? r : -EINVAL;
	*out = n;
	return 0;
}

/* Milliseconds of the time unit at *S, moving it on; 0 if unknown. None means seconds. */
static int64_t time_unit(const char **s)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

	if (!**s)
		return 1000;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t n = strlen(units[i].name);

		if (!strncmp(*s, units[i].name, n)) {
			*s += n;
			return units[i].ms;
		}
	}
	return 0;
}

int num_time_ms(const char *s, int64_t *out)
{
	int64_t total = 0;

	do {
		const char *end = s + strspn(s, "0123456789.");
		const char *unit = end;
		int64_t ms = time_unit(&unit), n;
		int r = ms ? decimal(&s, (uint64_t)ms, &n) : -EINVAL;

		if (r < 0 || s != end)
			return r < 0 ? r : -EINVAL;
		if (__builtin_add_overflow(total, n, &total))
			return -ERANGE;
		s = unit;
	} while (*s);
	*out = total;
	return 0;
}

int num_cpus(const char *s, int64_t *quota_us)
{
	int64_t n;
	int r = decimal(&s, 100000, &n);

	if (r < 0 || *s)
		return r < 0 ? r : -EINVAL;
	if (n < 1000 || n > 100000LL * 100000)
		return -ERANGE;
	*quota_us = n;
	return 0;
}

int num_cpuset(const char *s)
{
	do {
		uint64_t from, to;

		if (digits(&s, &from) < 0)
			return -EINVAL;
		to = from;
		if (*s == '-' && (s++, digits(&s, &to) < 0))
			return -EINVAL;
		if (to < from || to > 65535)
			return -ERANGE;
	} while (*s == ',' && *++s);
	return *s || s[-1] == ',' ? -EINVAL : 0;
}

void num_human(int64_t bytes, char out[16])
{
	static const char units[] = "BKMGT";
	int64_t n = bytes < 0 ? 0 : bytes, tenths = 0;
	int u = 0;

	for (; n >= 1024 && units[u + 1]; u++) {
		tenths = n % 1024 * 10 / 1024;
		n /= 1024;
	}
	if (u && n < 100)
		snprintf(out, 16, "%d.%d%c", (int)n, (int)tenths, units[u]);
	else
		snprintf(out, 16, "%d%c", n > 99999 ? 99999 : (int)n, units[u]);
}

const char *word_at(const char *s, int n)
{
	for (s += strspn(s, " \t"); *s && n; n--) {
		s += strcspn(s, " \t");
		s += strspn(s, " \t");
	}
	return *s ? s : NULL;
}

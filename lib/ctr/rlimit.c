#include "ctr/rlimit.h"
#include "base/num.h"
#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	int resource;
} limits[] = {
	{ "as", RLIMIT_AS },         { "core", RLIMIT_CORE },     { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },     { "fsize", RLIMIT_FSIZE },   { "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC },   { "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO }, { "rttime", RLIMIT_RTTIME }, { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

/* The value up to END. */
static int value(const char *s, const char *end, rlim_t *out)
{
	char text[32];
	uint64_t n;
	size_t len = (size_t)(end - s);

	if (len >= sizeof text)
		return -EINVAL;
	memcpy(text, s, len);
	text[len] = 0;
	if (!strcmp(text, "-1") || !strcmp(text, "unlimited")) {
		*out = RLIM_INFINITY;
		return 0;
	}
	if (num_u64(text, &n) < 0)
		return -EINVAL;
	*out = n;
	return 0;
}

int rlimit_parse(const char *s, int *resource, struct rlimit *out, struct err *err)
{
	size_t n = strcspn(s, "=");
	const char *soft = s + n + (s[n] == '=');
	const char *end = strchrnul(soft, ':');
	const char *hard = *end ? end + 1 : soft;

	*resource = -1;
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (strlen(limits[i].name) == n && !strncmp(limits[i].name, s, n))
			*resource = limits[i].resource;
	if (*resource < 0)
		return err_msg(err, -EINVAL, "limit \"%s\": unknown name", s);
	if (s[n] != '=' || value(soft, end, &out->rlim_cur) < 0 ||
	    value(hard, *end ? strchr(hard, 0) : end, &out->rlim_max) < 0 || out->rlim_cur > out->rlim_max)
		return err_msg(err, -EINVAL, "limit \"%s\": not NAME=SOFT[:HARD]", s);
	return 0;
}

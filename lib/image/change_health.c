/* docker's HEALTHCHECK: what a config says of it is ["NONE"], ["CMD", argv..] or ["CMD-SHELL", "text"], and times. */
#include "image/change.h"

#include "base/num.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct health {
	int64_t interval, timeout, start, start_interval, retries;
};

/* Where the value of a flag goes; *VALUE is it. */
static int64_t *flag(struct health *h, const char *word, const char **value)
{
	const struct {
		char name[18];
		int64_t *to;
	} flags[] = {
		{ "--interval=", &h->interval }, { "--timeout=", &h->timeout }, { "--start-period=", &h->start },
		{ "--start-interval=", &h->start_interval }, { "--retries=", &h->retries },
	};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (starts_with(word, flags[i].name)) {
			*value = word + strlen(flags[i].name);
			return flags[i].to;
		}
	return NULL;
}

/* One flag at *TEXT, which moves on. */
static int take_flag(struct health *h, const char **text, const struct words *plain, struct err *err)
{
	size_t n = words_raw(*text, plain->escape);
	char *raw = xstrndup(*text, n), *word = NULL;
	const char *value = "";
	int r = words_one(raw, plain, &word, err);
	int64_t *to = r ? NULL : flag(h, word, &value);

	if (!r && !to)
		r = err_msg(err, -EINVAL, "HEALTHCHECK has no \"%.60s\" (--interval=, --timeout=, --start-period=, --start-interval=, --retries=)", word);
	else if (!r && (to == &h->retries ? num_range(value, 0, INT32_MAX, to) : num_time_ms(value, to)) < 0)
		r = err_msg(err, -EINVAL, "HEALTHCHECK: \"%.60s\" is no %s", word, to == &h->retries ? "number" : "time (30s, 1m30s)");
	*text += n + strspn(*text + n, WORDS_BLANKS);
	free(raw);
	free(word);
	return r;
}

static int parse_test(const char *text, struct strs *test, struct err *err)
{
	size_t n = strcspn(text, WORDS_BLANKS);
	const char *rest = text + n + strspn(text + n, WORDS_BLANKS);

	if (n == 4 && strncasecmp(text, "NONE", n) == 0 && !*rest) {
		strs_add(test, "NONE");
		return 0;
	}
	if (n != 3 || strncasecmp(text, "CMD", n) || !*rest)
		return err_msg(err, -EINVAL, "HEALTHCHECK takes CMD and a command, or NONE");
	strs_add(test, "CMD");
	if (words_json(rest, test))
		return test->n > 1 ? 0 : err_msg(err, -EINVAL, "HEALTHCHECK CMD has an empty command");
	strs_free(test);
	strs_add(test, "CMD-SHELL");
	strs_add(test, rest);
	return 0;
}

int change_health(struct image *img, const char *text, const struct words *how, struct err *err)
{
	struct words plain = { .escape = how->escape };
	struct health h = { 0 };
	struct strs test = { 0 };
	int r = 0;

	while (!r && starts_with(text, "--"))
		r = take_flag(&h, &text, &plain, err);
	if (!r)
		r = parse_test(text, &test, err);
	if (r < 0) {
		strs_free(&test);
		return r;
	}
	strs_free(&img->healthcheck_test);
	img->healthcheck_test = test;
	img->health_interval_ms = h.interval;
	img->health_timeout_ms = h.timeout;
	img->health_start_ms = h.start;
	img->health_start_interval_ms = h.start_interval;
	img->health_retries = h.retries;
	return 0;
}

/* Dockerfile instructions that change a config: docker's "Dockerfile reference", and "docker import --change". */
#include "image/change.h"

#include "base/path.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAIRS_MAX 10000 /* of environment or labels; of bytes WORDS_MAX */

/* The list, or what the shell is to be told. */
static void set_command(const struct image *img, struct strs *to, const char *text)
{
	struct strs command = { 0 };

	if (!words_json(text, &command)) {
		strs_append(&command, &img->shell);
		if (!img->shell.n) {
			strs_add(&command, "/bin/sh");
			strs_add(&command, "-c");
		}
		strs_add(&command, text);
	}
	strs_free(to);
	*to = command;
}

static int set_cmd(struct image *img, const char *text, const struct words *how, struct err *err)
{
	(void)how;
	(void)err;
	set_command(img, &img->cmd, text);
	return 0;
}

static int set_entrypoint(struct image *img, const char *text, const struct words *how, struct err *err)
{
	(void)how;
	(void)err;
	set_command(img, &img->entrypoint, text);
	return 0;
}

static int set_shell(struct image *img, const char *text, const struct words *how, struct err *err)
{
	struct strs shell = { 0 };

	(void)how;
	if (!words_json(text, &shell) || !shell.n)
		return err_msg(err, -EINVAL, "SHELL %.60s: takes the JSON form only (SHELL [\"/bin/sh\", \"-c\"])", text);
	strs_free(&img->shell);
	img->shell = shell;
	return 0;
}

/* Of the same key the last one counts. Then whether that is too much. */
static int merge(struct strs *to, const struct strs *pairs, struct err *err)
{
	size_t bytes = 0;

	for (size_t i = 0; i < pairs->n && to->n <= PAIRS_MAX; i++) {
		char *key = xstrndup(pairs->v[i], strcspn(pairs->v[i], "="));

		strs_setenv(to, key, pairs->v[i] + strlen(key) + 1);
		free(key);
	}
	for (size_t i = 0; i < to->n; i++)
		bytes += strlen(to->v[i]);
	return to->n > PAIRS_MAX || bytes > WORDS_MAX ? err_msg(err, -EINVAL, "more than %d variables or labels, or 1 MB of them", PAIRS_MAX) : 0;
}

static int set_pairs(struct strs *to, const char *text, const struct words *how, struct err *err)
{
	struct strs pairs = { 0 }, all = { 0 };
	int r = words_pairs(text, WORDS_ENV, how, &pairs, err);

	strs_append(&all, to);
	if (!r)
		r = merge(&all, &pairs, err);
	strs_free(&pairs);
	strs_free(r ? &all : to);
	if (!r)
		*to = all;
	return r;
}

static int set_env(struct image *img, const char *text, const struct words *how, struct err *err)
{
	return set_pairs(&img->env, text, how, err);
}

static int set_labels(struct image *img, const char *text, const struct words *how, struct err *err)
{
	return set_pairs(&img->labels, text, how, err);
}

static int add_volumes(struct image *img, const char *text, const struct words *how, struct err *err)
{
	struct strs words = { 0 };
	int r = words_list(text, how, &words, err);

	if (!r && strs_has(&words, ""))
		r = err_msg(err, -EINVAL, "VOLUME %.60s: a volume without a path", text);
	for (size_t i = 0; i < words.n && !r; i++)
		if (!strs_has(&img->volumes, words.v[i]))
			strs_add(&img->volumes, words.v[i]);
	strs_free(&words);
	return r;
}

/* Takes the place of *TO; VALID: all characters that it may have besides letters and digits, NULL: any. */
static int set_word(char **to, const char *text, const char *valid, const struct words *how, struct err *err)
{
	char *word;
	int r = words_one(text, how, &word, err);

	for (const char *c = word; !r && (*c || c == word); c++)
		if (!*c || (valid && !isalnum((unsigned char)*c) && !strchr(valid, *c)))
			r = err_msg(err, -EINVAL, "\"%.60s\" is %s", text, *word ? "no signal" : "empty");
	if (r) {
		free(word);
		return r;
	}
	free(*to);
	*to = word;
	return 0;
}

static int set_user(struct image *img, const char *text, const struct words *how, struct err *err)
{
	return set_word(&img->user, text, NULL, how, err);
}

/* "15", "SIGTERM", "RTMIN+3": whether there is such a signal is known by who sends it. */
static int set_signal(struct image *img, const char *text, const struct words *how, struct err *err)
{
	return set_word(&img->stop_signal, text, "+-", how, err);
}

static int set_author(struct image *img, const char *text, const struct words *how, struct err *err)
{
	(void)how;
	(void)err;
	free(img->author);
	img->author = xstrdup(text);
	return 0;
}

/* A relative one continues the last one. */
static int set_workdir(struct image *img, const char *text, const struct words *how, struct err *err)
{
	struct buf clean = { 0 };
	char *word = NULL, *whole;
	int r = set_word(&word, text, NULL, how, err);

	if (r)
		return r;
	whole = xasprintf("%s/%s", *word != '/' && img->workdir ? img->workdir : "", word);
	path_clean(whole, &clean);
	free(img->workdir);
	img->workdir = xasprintf("/%s", clean.p);
	buf_free(&clean);
	free(whole);
	free(word);
	return 0;
}

static int add_trigger(struct image *img, const char *text, const struct words *how, struct err *err)
{
	static const char never[][12] = { "FROM", "MAINTAINER", "ONBUILD" };
	size_t n = strcspn(text, WORDS_BLANKS);

	(void)how;
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (n == strlen(never[i]) && strncasecmp(text, never[i], n) == 0)
			return err_msg(err, -EINVAL, "ONBUILD %s: is not allowed", never[i]);
	if (!text[n])
		return err_msg(err, -EINVAL, "ONBUILD %.60s: an instruction is a word and what it sets", text);
	strs_add(&img->onbuild, text);
	return 0;
}

typedef int change(struct image *img, const char *text, const struct words *how, struct err *err);
static const struct {
	char word[12];
	change *set;
} changes[] = {
	{ "CMD", set_cmd }, { "ENTRYPOINT", set_entrypoint }, { "ENV", set_env }, { "EXPOSE", change_ports }, { "HEALTHCHECK", change_health },
	{ "LABEL", set_labels }, { "MAINTAINER", set_author }, { "ONBUILD", add_trigger }, { "SHELL", set_shell }, { "STOPSIGNAL", set_signal },
	{ "USER", set_user }, { "VOLUME", add_volumes }, { "WORKDIR", set_workdir },
};
#define CHANGES (sizeof changes / sizeof *changes)

static change *find(const char *word, size_t n, struct err *err)
{
	struct buf all = { 0 };

	for (size_t i = 0; i < CHANGES; i++)
		if (strncasecmp(word, changes[i].word, n) == 0 && n && !changes[i].word[n])
			return changes[i].set;
	for (size_t i = 0; i < CHANGES; i++)
		buf_fmt(&all, " %s", changes[i].word);
	err_msg(err, -EINVAL, "\"%.*s\" is none of%s", n > 30 ? 30 : (int)n, word, all.p);
	buf_free(&all);
	return NULL;
}

int image_change(struct image *img, const char *instruction, const struct words *how, struct err *err)
{
	const struct words own = { .escape = '\\', .env = &img->env };
	size_t n, end;
	change *set;
	char *text;
	int r;

	instruction += strspn(instruction, WORDS_BLANKS);
	n = strcspn(instruction, WORDS_BLANKS);
	set = find(instruction, n, err);
	if (!set)
		return -EINVAL;
	text = xstrdup(instruction + n + strspn(instruction + n, WORDS_BLANKS));
	for (end = strlen(text); end && strchr(WORDS_BLANKS, text[end - 1]);)
		text[--end] = 0;
	r = *text ? set(img, text, how ? how : &own, err) : err_msg(err, -EINVAL, "%.*s: an instruction is a word and what it sets", (int)n, instruction);
	free(text);
	return r;
}

/* Dockerfile instructions that change a config: docker's reference, "docker import --change". */
#include "image/image.h"

#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ["a", "b"]: true, with its strings in OUT. */
static bool json_form(const char *text, struct strs *out)
{
	struct json *j = *text == '[' ? json_parse(text, strlen(text), NULL) : NULL;
	bool ok = j && j->type == JSON_ARRAY;

	for (const struct json *e = ok ? j->child : NULL; e; e = e->next)
		ok &= e->type == JSON_STRING;
	for (const struct json *e = ok ? j->child : NULL; e; e = e->next)
		strs_add(out, e->text);
	json_free(j);
	return ok;
}

/* CMD and ENTRYPOINT: the list, or what a shell is to be told. */
static int set_command(struct strs *to, const char *text)
{
	strs_free(to);
	if (json_form(text, to))
		return 0;
	strs_add(to, "/bin/sh");
	strs_add(to, "-c");
	strs_add(to, text);
	return 0;
}

/* Cuts the next word off *P, quotes and backslashes taken away: malloc'ed, or NULL at the end. */
static char *next_word(const char **p)
{
	struct buf w = { 0 };
	char quote = 0;
	const char *s = *p + strspn(*p, " \t");

	if (!*s)
		return NULL;
	buf_str(&w, "");
	for (; *s && (quote || !strchr(" \t", *s)); s++) {
		if (quote ? *s == quote : *s == '"' || *s == '\'')
			quote = quote ? 0 : *s;
		else if (*s == '\\' && s[1] && quote != '\'')
			buf_char(&w, *++s);
		else
			buf_char(&w, *s);
	}
	*p = s;
	return w.p;
}

/* K=V K2="V 2", or the old form K V. */
static int set_pairs(struct strs *to, const char *text, struct err *err)
{
	size_t key = strcspn(text, "= \t");
	char *word;

	if (key && text[key] && text[key] != '=') {
		char *k = xstrndup(text, key);

		strs_setenv(to, k, text + key + strspn(text + key, " \t"));
		free(k);
		return 0;
	}
	while ((word = next_word(&text))) {
		char *eq = strchr(word, '=');
		bool ok = eq && eq != word;

		if (ok) {
			*eq = 0;
			strs_setenv(to, word, eq + 1);
		} else {
			err_msg(err, -EINVAL, "\"%.60s\" is not KEY=VALUE", word);
		}
		free(word);
		if (!ok)
			return -EINVAL;
	}
	return 0;
}

static int add_words(struct strs *to, const char *text)
{
	char *word;

	if (json_form(text, to))
		return 0;
	while ((word = next_word(&text))) {
		if (!strs_has(to, word))
			strs_add(to, word);
		free(word);
	}
	return 0;
}

/* "80", "80/udp", "8000-8010". */
static int add_ports(struct strs *to, const char *text, struct err *err)
{
	struct strs words = { 0 };
	int rc = 0;

	add_words(&words, text);
	for (size_t i = 0; i < words.n && rc == 0; i++) {
		const char *w = words.v[i], *slash = strchr(w, '/');
		size_t digits = strspn(w, "0123456789-");

		if (!digits || (w[digits] && (w + digits != slash || (strcmp(slash, "/tcp") && strcmp(slash, "/udp") && strcmp(slash, "/sctp")))))
			rc = err_msg(err, -EINVAL, "\"%.60s\" is no port", w);
		else
			strs_fmt(to, "%s%s", w, slash ? "" : "/tcp");
	}
	strs_free(&words);
	return rc;
}

static int set_text(char **to, const char *text)
{
	free(*to);
	*to = xstrdup(text);
	return 0;
}

/* A relative WORKDIR continues the last one. */
static int set_workdir(char **to, const char *text)
{
	char *whole = *text == '/' ? xstrdup(text) : xasprintf("%s/%s", *to && strcmp(*to, "/") ? *to : "", text);

	free(*to);
	*to = whole;
	return 0;
}

int image_change(struct image *img, const char *instruction, struct err *err)
{
	size_t n = strcspn(instruction, " \t");
	const char *text = instruction + n + strspn(instruction + n, " \t");
	char word[16] = "";

	if (n < sizeof word)
		memcpy(word, instruction, n);
	if (!*text)
		return err_msg(err, -EINVAL, "\"%.60s\": an instruction is a word and what it sets", instruction);
	if (strcasecmp(word, "CMD") == 0)
		return set_command(&img->cmd, text);
	if (strcasecmp(word, "ENTRYPOINT") == 0)
		return set_command(&img->entrypoint, text);
	if (strcasecmp(word, "ENV") == 0)
		return set_pairs(&img->env, text, err);
	if (strcasecmp(word, "LABEL") == 0)
		return set_pairs(&img->labels, text, err);
	if (strcasecmp(word, "EXPOSE") == 0)
		return add_ports(&img->exposed, text, err);
	if (strcasecmp(word, "VOLUME") == 0)
		return add_words(&img->volumes, text);
	if (strcasecmp(word, "USER") == 0)
		return set_text(&img->user, text);
	if (strcasecmp(word, "WORKDIR") == 0)
		return set_workdir(&img->workdir, text);
	if (strcasecmp(word, "STOPSIGNAL") == 0)
		return set_text(&img->stop_signal, text);
	return err_msg(err, -EINVAL, "\"%.*s\" is none of CMD ENTRYPOINT ENV USER WORKDIR EXPOSE VOLUME LABEL STOPSIGNAL", n > 30 ? 30 : (int)n, instruction);
}

/* A Containerfile: any text is taken or refused with its line. What is taken says the same when it is written and read again; so does what it makes of a
 * config. An input that begins with a NUL is a pattern, a newline, and a text to look for it in (or a path: then it is a line of .dockerignore). */
#include "check.h"

#include "base/path.h"
#include "build/containerfile.h"
#include "build/ignore.h"
#include "image/image.h"
#include "image/pattern.h"
#include "image/words.h"

#include <fnmatch.h>
#include <string.h>

static struct err err;

static bool same(const struct strs *a, const struct strs *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (strcmp(a->v[i], b->v[i]))
			return false;
	return a->n == b->n;
}

static void same_instruction(const struct instruction *a, const struct instruction *b)
{
	CHECK(a->kind == b->kind && !strcmp(a->text, b->text) && same(&a->flags, &b->flags) && a->nheredocs == b->nheredocs);
	for (size_t i = 0; i < a->nheredocs; i++)
		CHECK(!strcmp(a->heredocs[i].name, b->heredocs[i].name) && !strcmp(a->heredocs[i].text, b->heredocs[i].text) &&
		      a->heredocs[i].literal == b->heredocs[i].literal);
}

static void again(const struct instruction *i, char escape)
{
	bool flags = i->kind == I_ADD || i->kind == I_COPY || i->kind == I_FROM || i->kind == I_RUN;
	struct instruction back;
	struct buf b = { 0 };

	buf_str(&b, instruction_word(i->kind));
	for (size_t k = 0; k < i->flags.n; k++)
		buf_fmt(&b, " %s", i->flags.v[k]);
	buf_fmt(&b, " %s%s", flags ? "-- " : "", i->text);
	for (size_t k = 0; k < i->nheredocs; k++)
		buf_fmt(&b, "\n%s%s", i->heredocs[k].text, i->heredocs[k].name);
	CHECK(instruction_parse(b.p, escape, &back, &err) == 0);
	same_instruction(i, &back);
	instruction_free(&back);
	buf_free(&b);
}

static bool is_ascii(const char *s, size_t n)
{
	while (n && !(*s & 0x80))
		s++, n--;
	return !n;
}

static void bounded(int r, struct strs *words)
{
	size_t sum = 0;

	check_told(r, &err);
	for (size_t i = 0; i < words->n; i++)
		sum += strlen(words->v[i]);
	CHECK(sum <= WORDS_MAX + words->n);
	strs_free(words);
}

static void words(const char *text, const struct words *how)
{
	struct strs out = { 0 };
	char *one;

	CHECK((words_one(text, how, &one, &err) == 0) == (one != NULL));
	if (one && !how->env && !strpbrk(text, "\\`\"'"))
		CHECK(!strcmp(one, text));
	free(one);
	bounded(words_list(text, how, &out, &err), &out);
	bounded(words_pairs(text, WORDS_ENV, how, &out, &err), &out);
	bounded(words_pairs(text, WORDS_ARG, how, &out, &err), &out);
	CHECK(words_raw(text, how->escape) <= strlen(text));
	if (check_told(words_split(text, how, &out, &err), &err) == 0)
		for (size_t i = 0; i < out.n; i++)
			CHECK(*out.v[i]);
	bounded(0, &out);
}

static void change(struct image *img, const struct instruction *i, const struct words *how)
{
	char *text = xasprintf("%s %s", instruction_word(i->kind), i->text);
	size_t ports = img->exposed.n;

	if (check_told(image_change(img, text, how, &err), &err) == 0)
		CHECK(!img->workdir || (img->workdir[0] == '/' && !strstr(img->workdir, "/../") && !strstr(img->workdir, "//")));
	CHECK(img->exposed.n >= ports && img->exposed.n <= 3 * 65535);
	free(text);
}

static void written(const struct image *img, bool ascii)
{
	struct buf first = { 0 }, then = { 0 };
	struct image back;

	image_config_write(img, &first);
	CHECK(image_config_read(first.p, first.len, &back, &err) == 0);
	CHECK(back.cmd.n == img->cmd.n && back.env.n == img->env.n && back.volumes.n == img->volumes.n && back.exposed.n == img->exposed.n);
	if (ascii) /* what is no UTF-8 becomes another character */
		CHECK(same(&back.cmd, &img->cmd) && same(&back.env, &img->env) && same(&back.onbuild, &img->onbuild) && same(&back.shell, &img->shell));
	image_config_write(&back, &then);
	CHECK(first.len == then.len && !memcmp(first.p, then.p, first.len));
	image_free(&back);
	buf_free(&first);
	buf_free(&then);
}

static void file(const char *text, size_t len)
{
	struct containerfile c;
	struct image img = { 0 };
	struct strs env = { 0 };
	char wide[4096];

	if (containerfile_parse("F", text, len, &c, &err) < 0) {
		CHECK(err.code < 0 && starts_with(err.text, "F:"));
		return;
	}
	strs_split(&env, "A=1 2,B=a/b/c.d,E=,V=\\*\"'$", ',');
	memset(wide, 'x', sizeof wide - 1);
	wide[sizeof wide - 1] = 0;
	strs_setenv(&env, "L", wide);
	for (size_t i = 0; i < c.n; i++) {
		struct words plain = { .escape = c.escape }, how = { .escape = c.escape, .env = &env };

		CHECK(c.v[i].line > 0 && *c.v[i].text && (!i || c.v[i].line > c.v[i - 1].line));
		again(&c.v[i], c.escape);
		words(c.v[i].text, &plain);
		words(c.v[i].text, &how);
		change(&img, &c.v[i], i % 2 ? &how : NULL);
	}
	written(&img, is_ascii(text, len));
	image_free(&img);
	strs_free(&env);
	containerfile_free(&c);
}

/* The shell's own idea of it, asked for every end. */
static void pattern(const char *text, const char *in)
{
	size_t n = strlen(in), from, to, shortest = n + 1, longest = n + 1;
	struct pattern p;
	char *part;

	if (!is_ascii(text, strlen(text)) || !is_ascii(in, n) || strlen(text) > 40 || n > 60 || strpbrk(text, "[\\") || pattern_parse(&p, text, '\\', false) < 0)
		return;
	for (size_t i = 0; i <= n; i++) {
		part = xstrndup(in, i);
		if (fnmatch(text, part, 0) == 0) {
			shortest = shortest > n ? i : shortest;
			longest = i;
		}
		free(part);
	}
	CHECK(pattern_find(&p, in, n, true, false, &from, &to) == (shortest <= n) && (shortest > n || to == shortest));
	CHECK(pattern_find(&p, in, n, true, true, &from, &to) == (longest <= n) && (longest > n || to == longest));
	if (pattern_find(&p, in, n, false, true, &from, &to))
		CHECK(from <= to && to <= n);
	else
		CHECK(longest > n);
}

/* What glob_matches says, by trying everything. */
static bool slow(const char *p, const char *s)
{
	bool whole;

	if (p[0] == '*' && p[1] == '*') {
		p += 2;
		whole = *p == '/';
		p += whole;
		for (bool begins = true;; begins = !whole || *s == '/', s++) {
			if (begins && slow(p, s))
				return true;
			if (!*s)
				return false;
		}
	}
	if (*p == '*') {
		for (p++;; s++) {
			if (slow(p, s))
				return true;
			if (!*s || *s == '/')
				return false;
		}
	}
	if (!*p || !*s)
		return !*p && !*s;
	if (*p == '?')
		return *s != '/' && slow(p + 1, s + 1);
	p += *p == '\\' && p[1];
	return *p == *s && slow(p + 1, s + 1);
}

/* A line of .dockerignore, and a path: what stands for a name is what trying everything, and fnmatch(3) as far as it goes, say. */
static void ignored(const char *line, const char *path)
{
	struct ignore g = { 0 };
	struct buf clean = { 0 };
	size_t n = strlen(line), m = strlen(path);

	path_clean(path, &clean);
	if (check_told(ignore_add(&g, line, &err), &err) == 0 && ignore_has(&g, clean.p))
		CHECK(g.patterns.n == 1 && !g.brings_back);
	ignore_free(&g);
	buf_free(&clean);
	if (n <= 12 && m <= 12 && !strchr(line, '['))
		CHECK(glob_matches(line, path) == slow(line, path));
	else
		glob_matches(line, path);
	if (!strstr(line, "**") && !strpbrk(line, "[\\") && is_ascii(line, n) && is_ascii(path, m) && n < 60 && m < 60)
		CHECK(glob_matches(line, path) == (fnmatch(line, path, FNM_PATHNAME) == 0));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	char *s = xstrndup((const char *)data + 1, len ? len - 1 : 0), *newline;

	err = (struct err){ 0 };
	newline = len && !data[0] ? strchr(s, '\n') : NULL;
	if (newline) {
		*newline = 0;
		pattern(s, newline + 1);
		ignored(s, newline + 1);
	} else if (len) {
		file((const char *)data, len);
	}
	free(s);
	return 0;
}

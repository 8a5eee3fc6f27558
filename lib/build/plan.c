#include "build/plan.h"

#include "base/file.h"
#include "base/num.h"
#include "build/source.h"
#include "image/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define STAGES_MAX 500

const char *instruction_flag(const struct instruction *i, const char *flag)
{
	size_t n = strlen(flag);

	for (size_t k = 0; k < i->flags.n; k++) {
		const char *f = i->flags.v[k] + 2; /* "--" */

		if (!strncmp(f, flag, n) && (!f[n] || f[n] == '='))
			return f + n + (f[n] == '=');
	}
	return NULL;
}

/* Stdin, or a file. */
static int read_text(const char *path, struct buf *out, struct err *err)
{
	bool input = !strcmp(path, "-");
	int rc = file_read(AT_FDCWD, input ? "/proc/self/fd/0" : path, out, CONTAINERFILE_MAX);

	return rc < 0 ? err_sys(err, rc, "read %s", input ? "the Containerfile from stdin" : path) : 0;
}

/* The file that was named, here or in the context, or one of the usual name there. malloc'ed. */
static char *find_file(const struct build *b, struct err *err)
{
	static const char *const usual[] = { "Containerfile", "Dockerfile" };
	const char *here = b->context;
	char *path;

	if (!strcmp(b->file ? b->file : b->context, "-"))
		return xstrdup("-");
	if (b->file && (*b->file == '/' || file_there(AT_FDCWD, b->file)))
		return xstrdup(b->file);
	for (size_t i = 0; i < (b->file ? 1 : 2); i++) {
		path = xasprintf("%s/%s", here, b->file ? b->file : usual[i]);
		if (file_there(AT_FDCWD, path))
			return path;
		free(path);
	}
	if (b->file)
		err_msg(err, -ENOENT, "%s: there is no such file, nor in %s", b->file, here);
	else
		err_msg(err, -ENOENT, "%s: there is neither a Containerfile nor a Dockerfile in it (-f FILE)", here);
	return NULL;
}

/* What is being built from may be where the store is: that, which changes with all we do, is no part of it. */
static void ignore_own(struct plan *p, int dir)
{
	char *path = source_path(p->context, dir);
	struct buf plain = { 0 };

	for (const char *c = path; c && *c; c++)
		buf_fmt(&plain, "\\%c", *c);
	if (plain.len)
		strs_add(&p->ignored.patterns, plain.p);
	buf_free(&plain);
	free(path);
}

/* The first of: FILE.containerignore, FILE.dockerignore, and these in the context. */
static int read_ignored(struct plan *p, const char *file, struct err *err)
{
	static const char *const names[] = { ".containerignore", ".dockerignore" };
	struct strs lines = { 0 };
	struct buf text = { 0 };
	char *found = NULL;
	int rc = -ENOENT;

	for (int i = 0; i < 4 && rc == -ENOENT; i++) {
		free(found);
		found = i < 2 ? xasprintf("%s%s", file, names[i]) : xasprintf("%s/%s", p->build->context, names[i - 2]);
		rc = file_read(AT_FDCWD, found, &text, CONTAINERFILE_MAX);
		if (rc < 0 && rc != -ENOENT)
			err_sys(err, rc, "read %s", found);
	}
	strs_split(&lines, text.p ? text.p + (starts_with(text.p, "\xef\xbb\xbf") ? 3 : 0) : "", '\n');
	if (rc == -ENOENT)
		rc = 0;
	for (size_t i = 0; i < lines.n && !rc; i++)
		if ((rc = ignore_add(&p->ignored, lines.v[i], err)) < 0)
			err_prefix(err, "%s:%zu", found, i + 1);
	p->ignored.kept = xcalloc(1, sizeof *p->ignored.kept);
	ignore_own(p, p->build->store->root);
	ignore_own(p, p->build->store->run);
	strs_free(&lines);
	buf_free(&text);
	free(found);
	return rc;
}

int plan_stage(const struct plan *p, const char *name, size_t before, bool by_number)
{
	int64_t n;

	for (size_t i = before; i--;)
		if (p->v[i].named && !strcasecmp(p->v[i].name, name))
			return (int)i;
	return by_number && num_range(name, 0, (int64_t)before - 1, &n) == 0 ? (int)n : -1;
}

/* ARG before the first FROM. */
static int add_global(struct plan *p, const struct instruction *i, struct err *err)
{
	struct words how = { p->text.escape, &p->globals };
	struct strs pairs = { 0 };
	int rc = words_pairs(i->text, WORDS_ARG, &how, &pairs, err);

	for (size_t k = 0; k < pairs.n && !rc; k++) {
		char *name = xstrndup(pairs.v[k], strcspn(pairs.v[k], "="));
		const char *given = build_arg(p->build, name), *eq = strchr(pairs.v[k], '=');

		if (given || eq)
			strs_setenv(&p->globals, name, given ? given : eq + 1);
		free(name);
	}
	strs_free(&pairs);
	return !rc && strs_bytes(&p->globals) > WORDS_MAX ? err_msg(err, -E2BIG, "more than 1 MB of ARG") : rc;
}

static int name_stage(struct plan *p, struct stage *s, const char *name, struct err *err)
{
	const char *letters = "abcdefghijklmnopqrstuvwxyz", *others = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

	s->name = xstrdup(name);
	s->named = true;
	for (char *c = s->name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c |= 32;
	if (!*s->name || !strchr(letters, *s->name) || s->name[strspn(s->name, others)])
		return err_msg(err, -EINVAL, "AS %s: a stage's name is a letter, then letters, digits, - _ and .", name);
	if (plan_stage(p, name, p->n - 1, false) >= 0)
		return err_msg(err, -EINVAL, "AS %s: there is a stage of that name already", name);
	return 0;
}

/* FROM [--platform=P] IMAGE [AS NAME] begins a stage. */
static int add_stage(struct plan *p, const struct instruction *i, struct err *err)
{
	struct words how = { p->text.escape, &p->globals };
	const char *platform = instruction_flag(i, "platform");
	struct strs words = { 0 };
	struct stage *s;
	int rc;

	if (p->n == STAGES_MAX)
		return err_msg(err, -E2BIG, "more than %d stages", STAGES_MAX);
	rc = words_list(i->text, &how, &words, err);
	p->v = xrealloc(p->v, (p->n + 1) * sizeof *p->v);
	s = &p->v[p->n++];
	*s = (struct stage){ .from = i, .parent = -1, .needs = xcalloc(p->n, sizeof *s->needs) };
	if (!rc && (words.n != 1 && (words.n != 3 || strcasecmp(words.v[1], "AS"))))
		rc = err_msg(err, -EINVAL, "FROM takes IMAGE, or IMAGE AS NAME");
	if (!rc && !*words.v[0])
		rc = err_msg(err, -EINVAL, "FROM %.100s: that is nothing", i->text);
	if (!rc && i->flags.n > (platform ? 1 : 0))
		rc = err_msg(err, -EINVAL, "FROM knows no flag but --platform");
	if (!rc && platform && *platform)
		rc = words_one(platform, &how, &s->platform, err);
	if (!rc) {
		s->base = xstrdup(words.v[0]);
		s->parent = plan_stage(p, s->base, p->n - 1, false);
		if (s->parent >= 0)
			s->needs[s->parent] = true;
		if (words.n == 3)
			rc = name_stage(p, s, words.v[2], err);
		else
			s->name = xasprintf("%zu", p->n - 1);
	}
	strs_free(&words);
	return rc;
}

/* What an instruction takes from an earlier stage. */
static void note_need(const struct plan *p, struct stage *s, const char *from)
{
	int n = plan_stage(p, from, p->n - 1, true);

	if (n >= 0)
		s->needs[n] = true;
}

static void note_needs(const struct plan *p, struct stage *s, const struct instruction *i)
{
	const char *from = instruction_flag(i, "from");

	if (i->kind == I_COPY && from)
		note_need(p, s, from);
	for (size_t k = 0; k < i->flags.n && i->kind == I_RUN; k++) {
		struct strs parts = { 0 };

		if (starts_with(i->flags.v[k], "--mount="))
			strs_split(&parts, i->flags.v[k] + strlen("--mount="), ',');
		for (size_t n = 0; n < parts.n; n++)
			if (starts_with(parts.v[n], "from="))
				note_need(p, s, parts.v[n] + strlen("from="));
		strs_free(&parts);
	}
}

static int find_stages(struct plan *p, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < p->text.n && !rc; i++) {
		const struct instruction *in = &p->text.v[i];

		if (in->kind == I_FROM)
			rc = add_stage(p, in, err);
		else if (!p->n)
			rc = add_global(p, in, err);
		else
			note_needs(p, &p->v[p->n - 1], in);
		if (rc < 0)
			err_prefix(err, "%s:%d", p->file, in->line);
		else if (p->n)
			p->v[p->n - 1].end = in + 1;
	}
	return rc;
}

static int find_wanted(struct plan *p, struct err *err)
{
	int target = p->build->target ? plan_stage(p, p->build->target, p->n, true) : (int)p->n - 1;

	if (target < 0)
		return err_msg(err, -ENOENT, "--target %s: %s has no such stage", p->build->target, p->file);
	p->target = (size_t)target;
	p->v[target].wanted = true;
	for (size_t i = p->target + 1; i--;)
		for (size_t k = 0; p->v[i].wanted && k < i; k++)
			p->v[k].wanted |= p->v[i].needs[k];
	return 0;
}

static int read_epoch(struct plan *p, struct err *err)
{
	const char *said = build_arg(p->build, "SOURCE_DATE_EPOCH");

	if (!said)
		said = getenv("SOURCE_DATE_EPOCH");

	p->epoch = INT64_MAX;
	if (!said || !*said)
		return 0;
	return num_range(said, 0, 1LL << 40, &p->epoch) < 0 ? err_msg(err, -EINVAL, "SOURCE_DATE_EPOCH=%.40s: no number of seconds", said) : 0;
}

int plan_read(struct plan *p, const struct build *b, struct err *err)
{
	struct buf text = { 0 };
	char *path;
	int rc;

	*p = (struct plan){ .build = b, .context = -1 };
	if (strcmp(b->context, "-") && (p->context = dir_open(AT_FDCWD, b->context)) < 0)
		return err_sys(err, p->context, "%s", b->context);
	path = find_file(b, err);
	if (!path)
		return -ENOENT;
	p->file = xstrdup(!strcmp(path, "-") ? "stdin" : b->file ? path : strrchr(path, '/') + 1);
	rc = read_epoch(p, err);
	if (!rc && p->context >= 0)
		rc = read_ignored(p, path, err);
	if (!rc)
		rc = read_text(path, &text, err);
	if (!rc)
		rc = containerfile_parse(p->file, text.p ? text.p : "", text.len, &p->text, err);
	plan_platform(p, &p->globals);
	if (!rc)
		rc = find_stages(p, err);
	if (!rc)
		rc = find_wanted(p, err);
	if (!rc && !b->quiet)
		args_check(p);
	buf_free(&text);
	free(path);
	return rc;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct stage *s = &p->v[i];

		free(s->name);
		free(s->base);
		free(s->platform);
		free(s->needs);
		image_free(&s->image);
		strs_free(&s->args);
	}
	free(p->v);
	free(p->file);
	strs_free(&p->globals);
	ignore_free(&p->ignored);
	containerfile_free(&p->text);
	if (p->context >= 0)
		close(p->context);
	*p = (struct plan){ .context = -1 };
}

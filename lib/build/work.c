#include "build/work.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/path.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOWN 200 /* bytes of an instruction */

void work_say(const struct work *w, const char *fmt, ...)
{
	struct buf line = { 0 };
	va_list ap;
	char *text;

	if (w->plan->build->quiet)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = xstrdup("");
	va_end(ap);
	buf_fmt(&line, "[%s%s%d/%d] %s\n", w->labelled ? w->stage->name : "", w->labelled ? " " : "", w->step, w->steps, text);
	write_all(STDERR_FILENO, line.p, line.len);
	buf_free(&line);
	free(text);
}

/* What variables are: ARG's, and ENV's before them. */
static void renew(struct work *w)
{
	strs_free(&w->env);
	strs_append(&w->env, &w->args);
	for (size_t i = 0; i < w->image.env.n; i++) {
		char *key = xstrndup(w->image.env.v[i], strcspn(w->image.env.v[i], "="));

		strs_setenv(&w->env, key, strs_getenv(&w->image.env, key));
		free(key);
	}
	w->words = (struct words){ w->plan->text.escape, &w->env };
}

char *work_path(const struct work *w, const char *path)
{
	char *whole = xasprintf("%s/%s", *path == '/' || !w->image.workdir ? "" : w->image.workdir, path);
	struct buf clean = { 0 };

	path_clean(whole, &clean);
	free(whole);
	return clean.p;
}

/* ARG NAME[=VALUE]: --build-arg's value, else the one that stands there, else that of before the first FROM. */
static void set_arg(struct work *w, const char *pair)
{
	const char *eq = strchr(pair, '=');
	char *name = xstrndup(pair, strcspn(pair, "="));
	const char *value = build_arg(w->plan->build, name);

	if (!value)
		value = eq ? eq + 1 : strs_getenv(&w->plan->globals, name);
	if (value)
		strs_setenv(&w->args, name, value);
	free(name);
}

static int do_arg(struct work *w, const struct instruction *i, struct err *err)
{
	struct strs pairs = { 0 };
	int rc = words_pairs(i->text, WORDS_ARG, &w->words, &pairs, err);

	for (size_t k = 0; k < pairs.n && !rc; k++)
		set_arg(w, pairs.v[k]);
	strs_free(&pairs);
	if (!rc && strs_bytes(&w->args) > WORDS_MAX)
		rc = err_msg(err, -E2BIG, "more than 1 MB of them");
	renew(w);
	return rc;
}

char *work_line(const struct instruction *i)
{
	struct buf b = { 0 };

	buf_str(&b, instruction_word(i->kind));
	for (size_t k = 0; k < i->flags.n; k++)
		buf_fmt(&b, " %s", i->flags.v[k]);
	buf_fmt(&b, " %s", i->text);
	return b.p;
}

/* An ENTRYPOINT of its own ends what its base's CMD was meant for. */
int work_config(struct work *w, const struct instruction *i, struct err *err)
{
	char *text = xasprintf("%s %s", instruction_word(i->kind), i->text);
	int rc = image_change(&w->image, text, &w->words, err);

	free(text);
	if (!rc && strs_bytes(&w->image.volumes) > WORDS_MAX)
		rc = err_msg(err, -E2BIG, "more than 1 MB of them");
	if (i->kind == I_CMD)
		w->cmd_set = true;
	if (i->kind == I_ENTRYPOINT && !w->cmd_set)
		strs_free(&w->image.cmd);
	if (i->kind == I_ENV)
		renew(w);
	return rc;
}

static int perform(struct work *w, const struct instruction *i, struct err *err)
{
	switch (i->kind) {
	case I_RUN: return work_run(w, i, err);
	case I_ADD:
	case I_COPY: return work_copy(w, i, err);
	case I_WORKDIR: return work_dir(w, i, err);
	case I_ARG: return do_arg(w, i, err);
	default: return work_config(w, i, err);
	}
}

static int do_instruction(struct work *w, const struct instruction *i, struct err *err)
{
	char *text = work_line(i);
	size_t lines = w->image.nhistory, shown = strcspn(text, "\n");
	int rc;

	work_say(w, "%.*s%s", (int)(shown < SHOWN ? shown : SHOWN), text, text[shown] || shown > SHOWN ? " .." : "");
	rc = interrupted() ? err_sys(err, -EINTR, "build") : perform(w, i, err);
	if (rc < 0)
		err_prefix(err, "%s", instruction_word(i->kind));
	else if (w->image.nhistory == lines)
		work_note(w, text);
	free(text);
	return rc;
}

/* What the base wants to be done before anything else. */
static int do_triggers(struct work *w, struct err *err)
{
	int rc = 0;

	for (size_t k = 0; k < w->onbuild.n && !rc; k++) {
		struct instruction i = { 0 };

		rc = instruction_parse(w->onbuild.v[k], w->plan->text.escape, &i, err);
		if (!rc)
			rc = do_instruction(w, &i, err);
		if (rc < 0)
			err_prefix(err, "ONBUILD %.100s", w->onbuild.v[k]);
		instruction_free(&i);
	}
	return rc;
}

int work_stage(struct work *w, struct err *err)
{
	const struct stage *s = w->stage;
	const struct instruction *i = s->from;
	char *text = work_line(i);
	int rc;

	w->steps = (int)(s->end - s->from);
	w->step = 1;
	work_say(w, "%.*s", SHOWN, text);
	free(text);
	rc = work_from(w, err);
	renew(w);
	if (!rc)
		rc = do_triggers(w, err);
	for (; !rc && i + 1 < s->end; rc = do_instruction(w, i, err)) {
		i++;
		w->step++;
	}
	return rc < 0 ? err_prefix(err, "%s:%d", w->plan->file, i->line) : 0;
}

#include "build/build.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "build/work.h"
#include "image/build_cache.h"
#include "sys/init.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define AGAIN_MS 100 /* until stages that are to end are told again */

#define AT_ONCE 16 /* stages */

/* A stage at work. It stays until all are done: its process keeps its layers from being removed. */
struct worker {
	pid_t pid;                /* 0: none yet, or ended */
	int answer;               /* comes from here; -1: it came */
	int stay;                 /* is closed for it to end */
};

/* What it answers: this, then the config's text, then its ARGs, each with its NUL. */
struct answer {
	struct err err;           /* code 0: it's done */
	size_t config, args;
};

struct site {
	struct plan *plan;
	struct worker *v;         /* one a stage */
	pid_t main;               /* ours */
	bool ending;              /* a stage failed, or we are to end */
};

static void answer(int to, const struct work *w, const struct err *err)
{
	struct answer head = { .err = *err };
	struct buf text = { 0 };

	if (!err->code) {
		image_config_write(&w->image, &text);
		head.config = text.len;
		for (size_t i = 0; i < w->args.n; i++)
			buf_add(&text, w->args.v[i], strlen(w->args.v[i]) + 1);
		head.args = text.len - head.config;
	}
	write_all(to, &head, sizeof head);
	write_all(to, text.p, text.len);
}

/* The other stages' ends of their pipes are not ours. */
static void stage_main(const struct site *s, size_t n, int to, int stay)
{
	struct work w = { .plan = s->plan, .stage = &s->plan->v[n] };
	struct err err = { 0 };
	char end;

	interrupt_only_note();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != s->main)
		_exit(1);
	for (size_t i = 0; i < s->plan->n; i++)
		if (s->v[i].pid) {
			close(s->v[i].stay);
			if (s->v[i].answer >= 0)
				close(s->v[i].answer);
		}
	for (size_t i = 0, wanted = 0; i < s->plan->n; i++)
		w.labelled = (wanted += s->plan->v[i].wanted) > 1;
	err.code = work_stage(&w, &err);
	answer(to, &w, &err);
	read_full(stay, &end, 1);
	_exit(err.code < 0);
}

static int start(struct site *s, size_t n, struct err *err)
{
	int to[2], stay[2];
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(stay, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	pid = fork();
	if (!pid) {
		close(to[0]);
		close(stay[1]);
		stage_main(s, n, to[1], stay[0]);
	}
	close(to[1]);
	close(stay[0]);
	if (pid < 0) {
		err_sys(err, -errno, "start a process for stage %s", s->plan->v[n].name);
		close(to[0]);
		close(stay[1]);
		return err->code;
	}
	s->v[n] = (struct worker){ pid, to[0], stay[1] };
	return 0;
}

static bool is_ready(const struct plan *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p->v[n].needs[i] && !p->v[i].done)
			return false;
	return p->v[n].wanted;
}

static int take(struct stage *stage, int from, struct err *err)
{
	struct answer head;
	char *text;
	int rc;

	if (read_full(from, &head, sizeof head) != (ssize_t)sizeof head)
		return err_msg(err, -ESRCH, "stage %s: its process ended early", stage->name);
	if (head.err.code) {
		*err = head.err;
		return err->code;
	}
	text = xmalloc(head.config + head.args + 1);
	if (read_full(from, text, head.config + head.args) != (ssize_t)(head.config + head.args))
		rc = err_msg(err, -ESRCH, "stage %s: its process ended early", stage->name);
	else
		rc = image_config_read(text, head.config, &stage->image, err);
	for (char *arg = text + head.config; !rc && arg < text + head.config + head.args; arg += strlen(arg) + 1)
		strs_add(&stage->args, arg);
	free(text);
	stage->done = !rc;
	return rc;
}

/* All are told to take back what they have begun. */
static void end_all(struct site *s)
{
	s->ending = true;
	for (size_t i = 0; i < s->plan->n; i++)
		if (s->v[i].pid && s->v[i].answer >= 0)
			kill(s->v[i].pid, SIGTERM);
}

/* Waits until a stage answers. 0, or why it failed, told. */
static int serve(struct site *s, struct pollfd *p, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->plan->n; i++)
		p[i] = (struct pollfd){ s->v[i].pid ? s->v[i].answer : -1, POLLIN, 0 };
	if (s->ending) {
		end_all(s); /* again: what came just before a call that waits doesn't end that */
		poll(p, s->plan->n, AGAIN_MS);
	} else if ((rc = interrupt_poll(p, s->plan->n)) < 0)
		return rc == -EINTR ? err_msg(err, rc, "interrupted") : err_sys(err, rc, "wait for a stage");
	for (size_t i = 0; i < s->plan->n && !rc; i++) {
		if (!p[i].revents)
			continue;
		rc = take(&s->plan->v[i], s->v[i].answer, err);
		close(s->v[i].answer);
		s->v[i].answer = -1;
	}
	return rc;
}

static int working(const struct site *s)
{
	int n = 0;

	for (size_t i = 0; i < s->plan->n; i++)
		n += s->v[i].pid && s->v[i].answer >= 0;
	return n;
}

/* The first failure counts; what others say once they are told to end is its effect. */
static int run_stages(struct site *s, struct err *err)
{
	struct pollfd *p = xcalloc(s->plan->n, sizeof *p);
	struct err later = { 0 };
	int rc = 0;

	do {
		for (size_t i = 0; i <= s->plan->target && !rc && !s->ending; i++)
			if (!s->v[i].pid && is_ready(s->plan, i) && working(s) < AT_ONCE)
				rc = start(s, i, err);
		if (rc && !s->ending)
			end_all(s);
		if (working(s)) {
			int failed = serve(s, p, rc ? &later : err);

			rc = rc ? rc : failed;
		}
	} while (working(s) || (!rc && !s->plan->v[s->plan->target].done));
	free(p);
	return rc;
}

static void end_stages(struct site *s)
{
	for (size_t i = 0; i < s->plan->n; i++)
		if (s->v[i].pid) {
			close(s->v[i].stay);
			child_wait(s->v[i].pid);
		}
	free(s->v);
}

/* The same image as before has the same time, so that nothing changes where nothing did: it is noted by all the rest of its config. */
static int set_time(const struct plan *p, struct image *img, struct err *err)
{
	int store = p->build->store->root, rc = 0;
	struct buf text = { 0 };
	char key[65], word[BUILD_WORD];

	img->created = p->epoch == INT64_MAX ? 0 : p->epoch;
	if (p->epoch == INT64_MAX) {
		image_config_write(img, &text);
		sha256_hex(text.p, text.len, key);
		if (!p->build->no_cache && build_cache_find(store, key, word) == 0)
			img->created = strtoll(word, NULL, 10);
		if (!img->created) {
			img->created = clock_wall_ns() / 1000000000;
			snprintf(word, sizeof word, "%" PRId64, img->created);
			rc = build_cache_note(store, key, word, err);
		}
	}
	for (size_t i = 0; i < img->nhistory; i++)
		if (!img->history[i].created)
			img->history[i].created = img->created;
	buf_free(&text);
	return rc;
}

static int make_image(struct build *b, struct plan *p, struct err *err)
{
	struct image *img = &p->v[p->target].image;
	int rc = 0;

	for (size_t i = 0; i < b->labels.n; i++) {
		char *key = xstrndup(b->labels.v[i], strcspn(b->labels.v[i], "="));
		const char *eq = strchr(b->labels.v[i], '=');

		strs_setenv(&img->labels, key, eq ? eq + 1 : "");
		free(key);
	}
	rc = set_time(p, img, err);
	if (!rc)
		rc = image_create(b->store->root, img, b->names.n ? b->names.v[0] : NULL, NULL, err);
	for (size_t i = 1; i < b->names.n && !rc; i++)
		rc = image_tag(b->store->root, img, b->names.v[i], err);
	memcpy(b->id, img->id, sizeof b->id);
	return rc;
}

/* id=ID[,src=FILE|,source=FILE|,env=NAME] */
static int check_secret(const char *secret, struct err *err)
{
	static const char *const keys[] = { "id=", "src=", "source=", "env=" };
	struct strs parts = { 0 };
	bool known = true;

	strs_split(&parts, secret, ',');
	for (size_t i = 0; i < parts.n && known; i++) {
		known = false;
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			known |= starts_with(parts.v[i], keys[k]) && parts.v[i][strlen(keys[k])];
	}
	known = known && strs_getenv(&parts, "id");
	strs_free(&parts);
	return known ? 0 : err_msg(err, -EINVAL, "--secret %s: should be id=ID[,src=FILE|,env=VAR]", secret);
}

static int check_names(const struct strs *pairs, const char *option, struct err *err)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (!*pairs->v[i] || *pairs->v[i] == '=')
			return err_msg(err, -EINVAL, "%s %s: begins with no name", option, pairs->v[i]);
	return 0;
}

static int check(const struct build *b, struct err *err)
{
	const char *slash = b->platform ? strchr(b->platform, '/') : NULL;
	int rc = check_names(&b->args, "--build-arg", err);

	if (!rc)
		rc = check_names(&b->labels, "--label", err);
	if (!rc && b->platform && (!slash || slash == b->platform || !slash[1]))
		rc = err_msg(err, -EINVAL, "--platform %s: should be OS/ARCH[/VARIANT]", b->platform);
	for (size_t i = 0; i < b->secrets.n && !rc; i++)
		rc = check_secret(b->secrets.v[i], err);

	for (size_t i = 0; i < b->names.n && !rc; i++) {
		char *canonical = NULL;

		rc = image_name_check(b->names.v[i], &canonical, err);
		free(canonical);
	}
	return rc;
}

int build(struct build *b, struct err *err)
{
	struct plan plan = { .context = -1 };
	struct site site = { .plan = &plan, .main = getpid() };
	int rc = check(b, err);

	if (!rc)
		rc = plan_read(&plan, b, err);
	if (!rc) {
		interrupt_catch(); /* up to here there is nothing to be taken back */
		site.v = xcalloc(plan.n, sizeof *site.v);
		rc = run_stages(&site, err);
		if (!rc)
			rc = make_image(b, &plan, err);
		end_stages(&site);
	}
	plan_free(&plan);
	return rc;
}

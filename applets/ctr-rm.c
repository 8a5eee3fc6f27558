/* ctr-rm: removes containers. */
#include "ctr/reap.h"
#include "ctr/targets.h"
#include <errno.h>
#include <signal.h>
#include <unistd.h>

struct options {
	bool force, volumes;
};

static const struct opt opts[] = {
	{ 'f', "force", NULL, OPT_FLAG, offsetof(struct options, force), "running ones too: they are killed", NULL },
	{ 'v', "volumes", NULL, OPT_FLAG, offsetof(struct options, volumes), "their anonymous volumes too", NULL },
	OPT_END
};

static const struct usage usage = {
	.name = "ctr-rm",
	.synopsis = "[-f] [-v] CTR..",
	.about = "Removes containers and their files.",
	.opts = opts,
	.bad = 2,
};

static int remove_one(const struct store *s, struct record *r, bool volumes, struct err *err)
{
	int supervisor;

	record_refresh(s, r);
	supervisor = record_supervisor(s, r);
	if (supervisor == -ESRCH)
		return container_remove(s, r, volumes, err);
	if (supervisor < 0)
		return err_sys(err, supervisor, "look for its supervisor");
	close(supervisor);
	err_msg(err, -EBUSY, "is running");
	return err_hint(err, "stop it first, or use -f");
}

static int remove_target(const struct store *s, const char *target, const struct options *o, struct err *err)
{
	struct record r;
	int code = record_open(s, target, &r, err), lock;

	if (code < 0) /* one made with --rm has removed itself when it was stopped */
		return code == -ENOENT && o->force ? 0 : code;
	lock = record_lock(&r, 10000, err);
	if (lock < 0) {
		code = lock == -ENOENT && o->force ? 0 : lock;
	} else {
		code = remove_one(s, &r, o->volumes, err);
		close(lock);
	}
	record_close(&r);
	return code;
}

int ctr_rm_main(int argc, char **argv)
{
	struct stop_options how = { .signal = SIGKILL };
	struct options o = { 0 };
	struct strs targets = { 0 };
	struct store store;
	struct err *errs;
	int n = opt_parse(&usage, &o, argc, argv), worst = 0;

	targets_get(&usage, n, argv, &targets, &store);
	errs = xcalloc(targets.n, sizeof *errs);
	if (o.force)
		stop_targets(&store, &targets, &how, errs);
	for (size_t i = 0; i < targets.n; i++) {
		int code = errs[i].code ? errs[i].code : remove_target(&store, targets.v[i], &o, &errs[i]);

		worst |= targets_tell(targets.v[i], code, &errs[i]);
	}
	return worst;
}

/* ctr-rename: gives a container another name. */
#include "base/opt.h"
#include "base/say.h"
#include "ctr/networking.h"
#include "ctr/targets.h"
#include <errno.h>
#include <unistd.h>

static const struct usage usage = {
	.name = "ctr-rename",
	.synopsis = "CTR NAME",
	.about = "Gives a container another name. Its hostname stays.",
	.bad = 2,
};

/* Under its lock, and by a record read under it: another ctr-rename may have been faster. */
static int rename_locked(const struct store *s, const char *id, const char *name, struct err *err)
{
	struct record r;
	int code = record_open_id(s, id, &r, err);

	if (code < 0)
		return code;
	if (r.garbled)
		code = err_msg(err, -EINVAL, "its record is damaged: it can only be removed");
	else
		code = record_rename(s, &r, name, err);
	if (!code)
		code = networks_rename(s, &r, err);
	record_close(&r);
	return code;
}

int ctr_rename_main(int argc, char **argv)
{
	struct err err = { 0 };
	struct store s;
	struct record r;
	int n = opt_parse(&usage, NULL, argc, argv), lock;

	if (n != 2)
		die_usage(2, "takes a container and its new name");
	if (name_check(argv[1], &err) < 0)
		die_err(1, argv[0], &err);
	target_open(argv[0], 1, &s, &r);
	lock = record_lock(&r, 10000, &err);
	if (lock < 0 || rename_locked(&s, r.id, argv[1], &err) < 0)
		die_err(1, argv[0], &err);
	close(lock);
	return 0;
}

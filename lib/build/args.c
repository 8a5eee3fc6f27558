/* What --build-arg gives, and what every build has. */
#include "build/plan.h"

#include "base/say.h"
#include "image/words.h"

#include <stdlib.h>
#include <string.h>

const char *const args_proxies[] = { "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
				     "all_proxy", NULL };

/* Whether ARG, "NAME" or "NAME=VALUE", is NAME's. */
static bool is_named(const char *arg, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(arg, name, n) && (!arg[n] || arg[n] == '=');
}

const char *build_arg(const struct build *b, const char *name)
{
	for (size_t i = b->args.n; i--;) { /* the last one counts */
		const char *arg = b->args.v[i];

		if (is_named(arg, name))
			return arg[strlen(name)] ? arg + strlen(name) + 1 : getenv(name);
	}
	return NULL;
}

static void add_platform(const char *kind, const char *platform, struct strs *out)
{
	struct strs parts = { 0 };

	strs_split(&parts, platform, '/');
	strs_fmt(out, "%sPLATFORM=%s", kind, platform);
	strs_fmt(out, "%sOS=%s", kind, parts.n ? parts.v[0] : "");
	strs_fmt(out, "%sARCH=%s", kind, parts.n > 1 ? parts.v[1] : "");
	strs_fmt(out, "%sVARIANT=%s", kind, parts.n > 2 ? parts.v[2] : "");
	strs_free(&parts);
}

void plan_platform(const struct plan *p, struct strs *out)
{
	char machine[66], *ours = xasprintf("linux/%s", image_host_architecture(machine));

	add_platform("BUILD", ours, out);
	add_platform("TARGET", p->build->platform ? p->build->platform : ours, out);
	free(ours);
}

/* Whether the Containerfile has an ARG for it, or it needs none. */
static bool is_taken(const struct plan *p, const char *arg)
{
	const struct words how = { p->text.escape, NULL };
	bool taken = is_named(arg, "SOURCE_DATE_EPOCH");

	for (const char *const *name = args_proxies; *name && !taken; name++)
		taken = is_named(arg, *name);
	for (size_t i = 0; i < p->text.n && !taken; i++) {
		struct strs pairs = { 0 };

		if (p->text.v[i].kind == I_ONBUILD || (p->text.v[i].kind == I_ARG && words_pairs(p->text.v[i].text, WORDS_ARG, &how, &pairs, NULL) < 0))
			taken = true; /* who knows */
		for (size_t k = 0; k < pairs.n && !taken; k++) {
			pairs.v[k][strcspn(pairs.v[k], "=")] = 0;
			taken = is_named(arg, pairs.v[k]);
		}
		strs_free(&pairs);
	}
	return taken;
}

void args_check(const struct plan *p)
{
	const struct strs *args = &p->build->args;

	for (size_t i = 0; i < args->n; i++)
		if (!is_taken(p, args->v[i]))
			say("--build-arg %.*s: no ARG of %s takes it", (int)strcspn(args->v[i], "="), args->v[i], p->file);
}

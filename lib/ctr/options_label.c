/* --security-opt apparmor=PROFILE and label=CONTEXT. */
#include "ctr/options.h"
#include "sys/lsm.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct label_option {
	const char *prefix, *off, *module;
	enum lsm which;
	size_t member;
} kinds[] = {
	{ "apparmor=", "unconfined", "AppArmor", LSM_APPARMOR, offsetof(struct process, apparmor) },
	{ "label=", "disable", "SELinux", LSM_SELINUX, offsetof(struct process, selinux) },
};

/* A whole context: the single words (user:, type:, ..) that docker makes one of need a policy to begin with. */
static bool is_context(const char *label)
{
	static const char *const words[] = { "user:", "role:", "type:", "level:" };
	const char *colon = strchr(label, ':');

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (starts_with(label, words[i]))
			return false;
	return colon && strchr(colon + 1, ':');
}

static bool is_plain(const char *label)
{
	for (const char *s = label; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return *label && strlen(label) < 1024;
}

static int set_label(const struct label_option *k, const char *option, char **label, struct err *err)
{
	const char *value = option + strlen(k->prefix);

	free(*label);
	*label = NULL;
	if (!strcmp(value, k->off))
		return 1;
	if (!is_plain(value))
		return err_msg(err, -EINVAL, "--security-opt %s: is no label", option);
	if (k->which == LSM_SELINUX && !is_context(value))
		return err_msg(err, -EINVAL, "--security-opt %s: neither \"disable\" nor USER:ROLE:TYPE[:LEVEL]", option);
	if (!lsm_enabled(k->which))
		return err_msg(err, -ENOTSUP, "--security-opt %s: %s isn't enabled on this host", option, k->module);
	*label = xstrdup(value);
	return 1;
}

int options_label(const char *option, struct process *p, struct err *err)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (starts_with(option, kinds[i].prefix))
			return set_label(&kinds[i], option, (char **)((char *)p + kinds[i].member), err);
	return 0;
}

#include "base/file.h"
#include "ctr/options.h"
#include "ctr/volume.h"
#include "sys/devices.h"
#include "sys/mount.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_target(const char *target, struct err *err)
{
	if (*target != '/')
		return err_msg(err, -EINVAL, "\"%s\": the path in the container must begin with /", target);
	if (strstr(target, "/../") || ends_with(target, "/.."))
		return err_msg(err, -EINVAL, "\"%s\": the path in the container must not hold ..", target);
	if (!target[strspn(target, "/.")])
		return err_msg(err, -EINVAL, "\"%s\": the root itself can't be mounted over", target);
	return 0;
}

/* Of a bind or a volume: flags, and words of docker's that mean nothing here (SELinux labels) or are read elsewhere (nocopy, idmap). */
static int check_options(const char *options, struct err *err)
{
	struct mount_options o = { 0 };
	struct strs rest = { 0 };
	int r = 0;

	mount_options_parse(options, &o);
	if (o.propagation & ~(unsigned long)(MS_PRIVATE | MS_REC))
		r = err_msg(err, -EINVAL, "mount options \"%s\": a container's mounts are private, shared and slave are not possible", options);
	strs_split(&rest, o.data.len ? o.data.p : "", ',');
	for (size_t i = 0; i < rest.n && !r; i++)
		if (*rest.v[i] && strcmp(rest.v[i], "nocopy") && strcmp(rest.v[i], "idmap") && strcasecmp(rest.v[i], "z"))
			r = err_msg(err, -EINVAL, "mount options \"%s\": unknown word \"%s\"", options, rest.v[i]);
	strs_free(&rest);
	buf_free(&o.data);
	return r;
}

/* A host path of -v, absolute; a missing one is made, as docker does. */
static int host_path(const char *source, bool make, char **out, struct err *err)
{
	int r = make ? dir_make_all(AT_FDCWD, source, 0755) : 0;

	if (r == -ENOTDIR)
		r = 0; /* it is a file: resolved below */
	if (r < 0)
		return err_sys(err, r, "make %s", source);
	*out = realpath(source, NULL);
	return *out ? 0 : err_sys(err, -errno, "mount source %s", source);
}

static int add_bind(struct spec *spec, const char *source, const char *target, const char *options, bool make, struct err *err)
{
	struct stat st;
	char *path = NULL;
	int r = check_options(options, err);

	if (!r)
		r = host_path(source, make && stat(source, &st) < 0, &path, err);
	if (!r) {
		spec_mount(spec, "bind", path, target, options);
		free(path);
	}
	return r;
}

static int add_volume(struct spec *spec, const char *name, const char *target, const char *options, struct err *err)
{
	char random[33];
	int r = check_options(options, err);

	if (r < 0)
		return r;
	if (name && *name) {
		r = name_check(name, err);
		if (r < 0) {
			err_prefix(err, "volume");
			return r;
		}
		spec_mount(spec, "volume", name, target, options);
		return 0;
	}
	volume_invent(random);
	strs_add(&spec->volumes, random);
	spec_mount(spec, "volume", random, target, options);
	return 0;
}

static bool is_path(const char *source)
{
	return *source == '/' || *source == '.';
}

/* [SRC:]DST[:OPTIONS] */
static int parse_volume(struct spec *spec, const char *value, struct err *err)
{
	struct strs part = { 0 };
	int r;

	strs_split(&part, value, ':');
	if (!part.n || part.n > 3 || strstr(value, "::") || *value == ':' || ends_with(value, ":"))
		r = err_msg(err, -EINVAL, "-v %s: not [SRC:]DST[:OPTIONS]", value);
	else if ((r = check_target(part.v[part.n > 1], err)) < 0)
		;
	else if (part.n == 1)
		r = add_volume(spec, NULL, part.v[0], NULL, err);
	else if (is_path(part.v[0]))
		r = add_bind(spec, part.v[0], part.v[1], part.v[2], true, err);
	else
		r = add_volume(spec, part.v[0], part.v[1], part.v[2], err);
	strs_free(&part);
	return r;
}

struct mount_words {
	const char *type, *source, *target;
	struct buf options;
};

static int mount_word(struct mount_words *m, char *word, struct err *err)
{
	char *eq = strchr(word, '=');
	const char *value = eq ? eq + 1 : "";

	if (eq)
		*eq = 0;
	if (!strcmp(word, "type"))
		m->type = value;
	else if (!strcmp(word, "source") || !strcmp(word, "src"))
		m->source = value;
	else if (!strcmp(word, "target") || !strcmp(word, "dst") || !strcmp(word, "destination"))
		m->target = value;
	else if (!strcmp(word, "readonly") || !strcmp(word, "ro"))
		buf_str(&m->options, !strcmp(value, "false") ? "rw," : "ro,");
	else if (!strcmp(word, "volume-nocopy"))
		buf_str(&m->options, "nocopy,");
	else if (!strcmp(word, "idmap"))
		buf_str(&m->options, "idmap,");
	else if (!strcmp(word, "bind-propagation"))
		buf_fmt(&m->options, "%s,", value);
	else if (!strcmp(word, "tmpfs-size") || !strcmp(word, "tmpfs-mode"))
		buf_fmt(&m->options, "%s=%s,", word + 6, value);
	else
		return err_msg(err, -EINVAL, "--mount: unknown word \"%s\"", word);
	return 0;
}

/* OPTIONS come after the usual ones and can take them back ("exec"). */
static int add_tmpfs(struct spec *spec, const char *target, const char *options)
{
	char *all = xasprintf("nosuid,nodev,noexec,%s", options ? options : "");

	spec_mount(spec, "tmpfs", NULL, target, all);
	free(all);
	return 0;
}

static int add_words(struct spec *spec, const struct mount_words *m, struct err *err)
{
	const char *type = m->type ? m->type : "volume";
	int r;

	if (!m->target)
		return err_msg(err, -EINVAL, "--mount: target= is missing");
	r = check_target(m->target, err);
	if (r < 0)
		return r;
	if (!strcmp(type, "tmpfs"))
		return add_tmpfs(spec, m->target, m->options.p);
	if (!strcmp(type, "volume"))
		return add_volume(spec, m->source, m->target, m->options.p, err);
	if (strcmp(type, "bind"))
		return err_msg(err, -EINVAL, "--mount: type \"%s\" is none of bind, volume, tmpfs", type);
	if (!m->source)
		return err_msg(err, -EINVAL, "--mount: source= is missing");
	return add_bind(spec, m->source, m->target, m->options.p, false, err);
}

static int parse_mount(struct spec *spec, const char *value, struct err *err)
{
	struct mount_words m = { 0 };
	struct strs words = { 0 };
	int r = 0;

	strs_split(&words, value, ',');
	for (size_t i = 0; i < words.n && !r; i++)
		r = mount_word(&m, words.v[i], err);
	if (!r)
		r = add_words(spec, &m, err);
	buf_free(&m.options);
	strs_free(&words);
	return r;
}

static int parse_tmpfs(struct spec *spec, const char *value, struct err *err)
{
	char *target = xstrndup(value, strcspn(value, ":"));
	const char *options = value + strlen(target);
	int r = check_target(target, err);

	if (!r)
		r = add_tmpfs(spec, target, *options ? options + 1 : NULL);
	free(target);
	return r;
}

static bool is_rights(const char *s)
{
	return device_access(s) != 0;
}

/* SRC[:DST][:RIGHTS] */
static int parse_device(struct spec *spec, const char *value, struct err *err)
{
	struct strs part = { 0 };
	struct stat st;
	bool rights, elsewhere;
	int r = 0;

	strs_split(&part, value, ':');
	rights = part.n > 1 && is_rights(part.v[part.n - 1]);
	elsewhere = part.n > 1u + rights;
	if (!part.n || part.n > 2u + rights)
		r = err_msg(err, -EINVAL, "--device %s: not SRC[:DST][:rwm]", value);
	else if (stat(part.v[0], &st) < 0)
		r = err_sys(err, -errno, "--device %s", part.v[0]);
	else if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		r = err_msg(err, -ENODEV, "--device %s: is no device", part.v[0]);
	else if ((r = check_target(part.v[elsewhere], err)) == 0)
		spec_mount(spec, "device", part.v[0], part.v[elsewhere], rights ? part.v[part.n - 1] : "rwm");
	strs_free(&part);
	return r;
}

static int take_from(const struct store *s, const char *target, struct spec *spec, struct err *err)
{
	struct record other;
	const struct mount_spec *m;
	int r = record_open(s, target, &other, err);

	if (r < 0) {
		err_prefix(err, "--volumes-from %s", target);
		return r;
	}
	m = other.spec.mounts.v;
	for (size_t i = 0; i < other.spec.mounts.n; i++)
		if (!strcmp(m[i].type, "bind") || !strcmp(m[i].type, "volume"))
			spec_mount(spec, m[i].type, m[i].source, m[i].target, m[i].options);
	record_close(&other);
	return 0;
}

static const struct {
	const char *kind;
	int (*parse)(struct spec *spec, const char *value, struct err *err);
} kinds[] = {
	{ "volume=", parse_volume }, { "mount=", parse_mount }, { "tmpfs=", parse_tmpfs }, { "device=", parse_device },
};

static bool has_target(const struct spec *spec, const char *target)
{
	const struct mount_spec *m = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++)
		if (!strcmp(m[i].target, target))
			return true;
	return false;
}

static int add_device_rules(const struct strs *rules, struct spec *spec, struct err *err)
{
	struct array parsed = { 0 };
	int r = 0;

	for (size_t i = 0; i < rules->n && !r; i++)
		r = device_rule_parse(rules->v[i], &parsed, err);
	free(parsed.v);
	strs_append(&spec->device_rules, rules);
	return r < 0 ? err_prefix(err, "--device-cgroup-rule") : 0;
}

int options_files(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err)
{
	int r = add_device_rules(&o->device_rules, spec, err);

	for (size_t i = 0; i < o->volumes_from.n && !r; i++)
		r = take_from(s, o->volumes_from.v[i], spec, err);
	for (size_t i = 0; i < o->files.n && !r; i++)
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
			if (starts_with(o->files.v[i], kinds[k].kind))
				r = kinds[k].parse(spec, o->files.v[i] + strlen(kinds[k].kind), err);
	for (size_t i = 0; i < o->image_volumes.n && !r; i++)
		if (!has_target(spec, o->image_volumes.v[i]))
			r = parse_volume(spec, o->image_volumes.v[i], err);
	return r;
}

int options_volumes(const struct store *s, struct spec *spec, struct err *err)
{
	const struct mount_spec *m = spec->mounts.v;

	for (size_t i = 0; i < spec->mounts.n; i++) {
		bool copy = !(m[i].options && strstr(m[i].options, "nocopy"));
		int r = strcmp(m[i].type, "volume") ? 0 : volume_make(s, m[i].source, copy ? spec : NULL, m[i].target, err);

		if (r < 0)
			return r;
	}
	return 0;
}

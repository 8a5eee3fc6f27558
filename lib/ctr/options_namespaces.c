/* Which namespaces are the container's own. */
#include "base/num.h"
#include "ctr/options.h"
#include "sys/idmap.h"
#include <errno.h>
#include <string.h>

/* A mode of a namespace; container:N becomes container:ID. */
int options_namespace(const struct store *s, const char *option, const char *mode, char **out, struct err *err)
{
	struct record other;
	int r;

	if (!mode || !strcmp(mode, "private") || !strcmp(mode, "none") || !strcmp(mode, "shareable")) {
		*out = xstrdup("private");
		return 0;
	}
	if (ns_is_host(mode)) {
		*out = xstrdup(mode);
		return 0;
	}
	if (!ns_container(mode))
		return err_msg(err, -EINVAL, "--%s %s: none of private, host, container:N", option, mode);
	r = record_open(s, ns_container(mode), &other, err);
	if (r < 0)
		return err_prefix(err, "--%s %s", option, mode), r;
	*out = xasprintf("container:%s", other.id);
	record_close(&other);
	return 0;
}

static int add_map(const char *map, struct idmaps *maps, struct spec *spec, struct err *err)
{
	int r;

	if (ns_is_host(map) || !strcmp(map, "private") || starts_with(map, "auto") || ns_container(map))
		return err_msg(err, -EINVAL, "--userns %s: can't be combined with another --userns", map);
	r = idmap_parse(map, maps, err);
	if (r < 0)
		return err_prefix(err, "--userns %s", map), r;
	strs_add(&spec->idmaps, map);
	return 0;
}

/* auto[:size=N], podman's words; "private" asks for no less. */
static int set_auto(const char *mode, struct spec *spec, struct err *err)
{
	const char *size = strchr(mode, ':');

	spec->userns_size = 65536;
	if (size && (!starts_with(size, ":size=") || num_range(size + 6, 1, UINT32_MAX, &spec->userns_size) < 0))
		return err_msg(err, -EINVAL, "--userns %s: not auto[:size=N]", mode);
	spec->userns = xstrdup("auto");
	return 0;
}

/* The same ids as the other container's, now and for ever: our files belong to them. */
static int set_other(const struct store *s, const char *mode, struct spec *spec, struct err *err)
{
	struct record other;
	int r = record_open(s, ns_container(mode), &other, err);

	if (r < 0)
		return err_prefix(err, "--userns %s", mode), r;
	spec->userns = xasprintf("container:%s", other.id);
	strs_append(&spec->idmaps, &other.spec.idmaps);
	record_close(&other);
	return spec->idmaps.n ? 0 : err_msg(err, -EINVAL, "--userns %s: that container has no user namespace of its own", mode);
}

static int set_maps(const struct strs *given, struct spec *spec, struct err *err)
{
	struct idmaps maps = { 0 };
	int r = 0;

	spec->userns = xstrdup("private");
	for (size_t i = 0; i < given->n && !r; i++)
		r = add_map(given->v[i], &maps, spec, err);
	if (!r && (r = idmap_check(&maps, err)) < 0)
		err_prefix(err, "--userns");
	return r;
}

static int set_userns(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err)
{
	const char *mode = o->userns.n ? o->userns.v[0] : "host";

	if (s->rootless && !ns_is_host(mode))
		return err_msg(err, -EPERM, "--userns %s: an ordinary user's containers are in one user namespace, which is the user's", mode);
	if (o->userns.n > 1)
		return set_maps(&o->userns, spec, err);
	if (!strcmp(mode, "private") || !strcmp(mode, "auto") || starts_with(mode, "auto:"))
		return set_auto(mode, spec, err);
	if (ns_container(mode))
		return set_other(s, mode, spec, err);
	if (!ns_is_host(mode))
		return set_maps(&o->userns, spec, err);
	spec->userns = xstrdup("host");
	return 0;
}

int options_namespaces(const struct store *s, const struct run_options *o, struct spec *spec, struct err *err)
{
	int r = options_namespace(s, "pid", o->pid, &spec->pid, err);

	if (!r)
		r = options_namespace(s, "ipc", o->ipc, &spec->ipc, err);
	if (!r)
		r = options_namespace(s, "uts", o->uts, &spec->uts, err);
	if (!r)
		r = options_namespace(s, "cgroupns", o->cgroupns, &spec->cgroupns, err);
	if (!r && ns_container(spec->cgroupns))
		r = err_msg(err, -EINVAL, "--cgroupns %s: only private and host are possible", o->cgroupns);
	if (!r && !ns_is_private(spec->uts) && (o->hostname || o->domainname))
		r = err_msg(err, -EINVAL, "--hostname with --uts %s would change a name that isn't its own", o->uts);
	return r ? r : set_userns(s, o, spec, err);
}

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

	if (ns_is_host(map) || starts_with(map, "auto") || ns_container(map))
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

static int set_userns(const struct run_options *o, struct spec *spec, struct err *err)
{
	const char *mode = o->userns.n ? o->userns.v[0] : "host";
	struct idmaps maps = { 0 };
	int r = 0;

	if (o->userns.n < 2 && !strcmp(mode, "private"))
		mode = "auto";
	if (o->userns.n < 2 && ns_is_host(mode))
		spec->userns = xstrdup("host");
	else if (o->userns.n < 2 && (!strcmp(mode, "auto") || starts_with(mode, "auto:")))
		return set_auto(mode, spec, err);
	else
		spec->userns = xstrdup("private");
	for (size_t i = 0; i < o->userns.n && !r && ns_is_private(spec->userns); i++)
		if (strcmp(o->userns.v[i], "private"))
			r = add_map(o->userns.v[i], &maps, spec, err);
	if (!r && ns_is_private(spec->userns) && (r = idmap_check(&maps, err)) < 0)
		err_prefix(err, "--userns");
	return r;
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
	return r ? r : set_userns(o, spec, err);
}

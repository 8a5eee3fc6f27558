/* Which namespaces are the container's own. */
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

static int set_userns(const struct run_options *o, struct spec *spec, struct err *err)
{
	struct idmaps maps = { 0 };

	for (size_t i = 0; i < o->userns.n; i++) {
		const char *v = o->userns.v[i];
		int r;

		if (ns_is_host(v))
			continue;
		if (!strcmp(v, "private") || !strcmp(v, "auto") || ns_container(v))
			return err_msg(err, -EINVAL, "--userns %s: this version knows host and maps, as 100000:0:65536", v);
		r = idmap_parse(v, &maps, err);
		if (r < 0)
			return err_prefix(err, "--userns %s", v), r;
		strs_add(&spec->idmaps, v);
	}
	if (maps.n && idmap_host(&maps, 0) < 0)
		return err_msg(err, -EINVAL, "--userns: no map has the container's id 0");
	spec->userns = xstrdup(maps.n ? "private" : "host");
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
	return r ? r : set_userns(o, spec, err);
}

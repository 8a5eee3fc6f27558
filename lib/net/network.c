#include "net/network.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(m) offsetof(struct network, m)
const struct field network_fields[] = {
	{ "name", FIELD_STR, N(name), NULL, 0 },
	{ "driver", FIELD_STR, N(driver), NULL, 0 },
	{ "device", FIELD_STR, N(device), NULL, 0 },
	{ "parent", FIELD_STR, N(parent), NULL, 0 },
	{ "subnets", FIELD_STRS, N(subnets), NULL, 0 },
	{ "gateways", FIELD_STRS, N(gateways), NULL, 0 },
	{ "internal", FIELD_BOOL, N(internal), NULL, 0 },
	{ "no_icc", FIELD_BOOL, N(no_icc), NULL, 0 },
	{ "mtu", FIELD_I64, N(mtu), NULL, 0 },
	{ "created", FIELD_I64, N(created), NULL, 0 },
	{ 0 },
};

void network_free(struct network *n)
{
	fields_free(network_fields, n);
}

static bool plain(const char *name)
{
	return *name && *name != '.' && strlen(name) < 100 && !strchr(name, '/');
}

static char *record_path(const char *name, char out[128])
{
	snprintf(out, 128, "networks/%.100s.json", name);
	return out;
}

int network_load(int root, const char *name, struct network *out, struct err *err)
{
	char path[128];
	struct buf b = { 0 };
	struct json *j;
	int r = plain(name) ? file_read(root, record_path(name, path), &b, 1 << 16) : -ENOENT;

	*out = (struct network){ 0 };
	if (r < 0) {
		buf_free(&b);
		return r == -ENOENT ? err_msg(err, r, "network %s: no such network", name) : err_sys(err, r, "read network %s", name);
	}
	j = json_parse(b.p, b.len, err);
	r = j ? fields_read(j, network_fields, out, err) : -EINVAL;
	if (!r && (!out->name || !out->driver || out->subnets.n != out->gateways.n))
		r = err_msg(err, -EINVAL, "is incomplete");
	if (r < 0) {
		err_prefix(err, "network %s: its record", name);
		network_free(out);
	}
	json_free(j);
	buf_free(&b);
	return r;
}

static bool is_record(const char *name)
{
	return *name != '.' && ends_with(name, ".json");
}

int network_names(int root, struct strs *out, struct err *err)
{
	int r = dir_names(root, "networks", is_record, out);

	for (size_t i = 0; i < out->n; i++)
		out->v[i][strlen(out->v[i]) - strlen(".json")] = 0;
	strs_sort(out);
	return r < 0 ? err_sys(err, r, "list networks") : 0;
}

int network_forget(int root, const char *name, struct err *err)
{
	char path[128];

	if (unlinkat(root, record_path(name, path), 0) < 0 && errno != ENOENT)
		return err_sys(err, -errno, "remove network %s", name);
	return 0;
}

bool network_subnet(const struct network *n, int family, struct subnet *sub, struct address *gateway)
{
	for (size_t i = 0; i < n->subnets.n; i++)
		if (subnet_parse(n->subnets.v[i], sub, NULL) == 0 && sub->base.family == family) {
			*gateway = (struct address){ 0 };
			address_parse(n->gateways.v[i], gateway);
			return true;
		}
	return false;
}

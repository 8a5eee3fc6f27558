/* What users and images write: names, numbers, sizes, times, addresses, ports, mounts, limits. Any text is taken or refused with a word, and what is
 * taken is what it says. The input's first byte chooses. */
#include "check.h"

#include "base/clock.h"
#include "base/num.h"
#include "ctr/attach.h"
#include "ctr/net_iface.h"
#include "ctr/options.h"
#include "ctr/ports.h"
#include "ctr/rlimit.h"
#include "image/image.h"
#include "net/address.h"
#include "sys/caps.h"
#include "sys/cgroup_disk.h"
#include "sys/devices.h"
#include "sys/idmap.h"
#include "sys/mount.h"
#include "sys/signals.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

static struct err err;

/* The linker puts these in the place of those that would make directories, or read names of this machine's. */
int __wrap_dir_make_all(int dirfd, const char *path, mode_t mode);
char *__wrap_realpath(const char *path, char *out);

int __wrap_dir_make_all(int dirfd, const char *path, mode_t mode)
{
	(void)dirfd;
	(void)path;
	(void)mode;
	return 0;
}

char *__wrap_realpath(const char *path, char *out)
{
	(void)out;
	return strdup(path);
}

static void image_names(const char *s)
{
	char *name = NULL, *again = NULL;

	if (check_told(image_name_check(s, &name, &err), &err) < 0)
		return;
	CHECK(strlen(name) < 256 && isalnum((unsigned char)name[0]) && !strchr(name, '%'));
	CHECK(image_name_check(name, &again, NULL) == 0 && !strcmp(name, again));
	free(name);
	free(again);
}

static void numbers(const char *s)
{
	char text[32], human[16];
	uint64_t u;
	int64_t n;

	if (num_u64(s, &u) == 0) {
		snprintf(text, sizeof text, "%llu", (unsigned long long)u);
		CHECK(!strcmp(text, s + strspn(s, "0") - (u == 0)));
	}
	if (num_i64(s, &n) == 0)
		CHECK((n < 0) == (*s == '-' && n != 0));
	if (num_size(s, &n) == 0)
		CHECK(n >= 0);
	num_human(n = num_size(s, &n) ? 0 : n, human);
	CHECK(strlen(human) <= 6);
	if (num_time_ms(s, &n) == 0)
		CHECK(n >= 0);
	if (num_cpus(s, &n) == 0)
		CHECK(n >= 1000);
	num_cpuset(s);
}

static void times(const char *s)
{
	char text[36], local[20];
	int64_t ns, back;

	if (clock_parse(s, &ns) < 0)
		return;
	clock_local(ns / 1000000000, local);
	clock_rfc3339(ns, text);
	CHECK(clock_parse(text, &back) == 0 && back == ns);
}

static void addresses(const char *s)
{
	char text[ADDRESS_TEXT + 4];
	struct subnet sub, same;
	struct address a, b;
	uint8_t mac[6];

	if (address_parse(s, &a) == 0)
		CHECK(address_parse(address_text(&a, text), &b) == 0 && address_equal(&a, &b));
	if (check_told(subnet_parse(s, &sub, &err), &err) == 0) {
		CHECK(subnet_parse(subnet_text(&sub, text), &same, NULL) == 0 && subnet_overlap(&sub, &same) && same.prefix == sub.prefix);
		CHECK(subnet_has(&sub, &sub.base));
		if (subnet_hosts(&sub) && subnet_nth(&sub, 1, &a))
			CHECK(subnet_has(&sub, &a));
	}
	mac_parse(s, mac);
}

static void ports(const char *s)
{
	struct array a = { 0 };
	const struct port *p;

	if (check_told(ports_parse(s, &a, &err), &err) == 0)
		CHECK(a.n > 0);
	p = a.v;
	for (size_t i = 0; i < a.n; i++)
		CHECK(p[i].port > 0 && p[i].port < 65536 && p[i].host_port >= 0 && p[i].host_port < 65536);
	free(ports_text(&a));
	fields_free_array(port_fields, sizeof(struct port), &a);
}

static void mounts(const char *kind, const char *s)
{
	struct run_options o = { 0 };
	struct spec spec = { 0 };
	const struct mount_spec *m;

	strs_fmt(&o.files, "%s=%s", kind, s);
	check_told(options_files(NULL, &o, &spec, &err), &err);
	m = spec.mounts.v;
	for (size_t i = 0; i < spec.mounts.n; i++)
		CHECK(m[i].target && m[i].target[0] == '/' && !strstr(m[i].target, "/../") && !ends_with(m[i].target, "/.."));
	spec_free(&spec);
	strs_free(&o.files);
}

static void all_mounts(const char *s)
{
	struct mount_options o = { 0 };

	mounts("volume", s);
	mounts("mount", s);
	mounts("tmpfs", s);
	mounts("device", s);
	mount_options_parse(s, &o);
	buf_free(&o.data);
}

static void limits(const char *s)
{
	struct cgroup_disk disk;
	struct idmaps maps = { .n = 0 };
	struct array rules = { 0 };
	struct rlimit limit;
	uint64_t mask = 0;
	int resource;

	if (check_told(rlimit_parse(s, &resource, &limit, &err), &err) == 0)
		CHECK(limit.rlim_cur <= limit.rlim_max);
	if (check_told(idmap_parse(s, &maps, &err), &err) == 0)
		CHECK(maps.n == 1 && maps.v[0].count);
	check_told(device_rule_parse(s, &rules, &err), &err);
	free(rules.v);
	check_told(cgroup_disk_parse(s, true, &disk, &err), &err);
	check_told(caps_parse(s, &mask, &err), &err);
	CHECK(signal_parse(s) != 0);
}

static void words(const char *s)
{
	struct spec spec = { 0 };
	struct process p = { 0 };

	if (check_told(name_check(s, &err), &err) == 0)
		CHECK(*s && strlen(s) <= 128 && !strchr(s, '/') && *s != '.');
	check_told(sysctl_check(s, &spec, &err), &err);
	if (iface_is(s))
		check_told(iface_check(s, &err), &err);
	check_told(options_label(s, &p, &err), &err);
	free(p.apparmor);
	free(p.selinux);
	detach_keys_check(s);
}

static void changes(const char *s)
{
	struct buf first = { 0 };
	struct image img = { 0 }, back;

	check_told(image_change(&img, s, NULL, &err), &err);
	image_config_write(&img, &first);
	CHECK(image_config_read(first.p, first.len, &back, NULL) == 0);
	CHECK(back.cmd.n == img.cmd.n && back.env.n == img.env.n && back.volumes.n == img.volumes.n);
	buf_free(&first);
	image_free(&back);
	image_free(&img);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static void (*const all[])(const char *s) = { image_names, numbers, times, addresses, ports, all_mounts, limits, words, changes };
	char *s;

	if (!len || len > 4000)
		return -1;
	s = xstrndup((const char *)data + 1, len - 1);
	err = (struct err){ 0 };
	all[data[0] % (sizeof all / sizeof *all)](s);
	free(s);
	return 0;
}

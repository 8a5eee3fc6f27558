/* Limits: the words of v1 and v2 in one table, and what one has to become to be the other. The controller is what
 * stands before a file's first dot. */
#include "sys/cgroup_disk.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { NUMBER, WORD, SWAP, SHARES, PERIOD, QUOTA, WEIGHT, DISK };

struct knob {
	const char *option;
	enum kind kind;
	size_t offset;
	const char *v1, *v2; /* files; v2 of DISK: the key in io.max */
	const char *config;  /* brings it; CONFIG_ left out */
};

#define AT(member) offsetof(struct cgroup_limits, member)
static const struct knob knobs[] = {
	{ "memory", NUMBER, AT(memory), "memory.limit_in_bytes", "memory.max", "MEMCG" },
	{ "memory-swap", SWAP, AT(memory_swap), "memory.memsw.limit_in_bytes", "memory.swap.max",
	  "MEMCG_SWAP, or boot with swapaccount=1" },
	{ "memory-reservation", NUMBER, AT(memory_reservation), "memory.soft_limit_in_bytes", "memory.low", "MEMCG" },
	{ "pids-limit", NUMBER, AT(pids), "pids.max", "pids.max", "CGROUP_PIDS" },
	{ "cpu-period", PERIOD, AT(cpu_period), "cpu.cfs_period_us", "cpu.max", "CFS_BANDWIDTH" },
	{ "cpu-quota", QUOTA, AT(cpu_quota), "cpu.cfs_quota_us", "cpu.max", "CFS_BANDWIDTH" },
	{ "cpu-shares", SHARES, AT(cpu_shares), "cpu.shares", "cpu.weight", "FAIR_GROUP_SCHED" },
	{ "cpuset-mems", WORD, AT(cpuset_mems), "cpuset.mems", "cpuset.mems", "CPUSETS" },
	{ "cpuset-cpus", WORD, AT(cpuset_cpus), "cpuset.cpus", "cpuset.cpus", "CPUSETS" },
	{ "blkio-weight", WEIGHT, AT(blkio_weight), "blkio.bfq.weight", "io.bfq.weight", "BFQ_GROUP_IOSCHED" },
	{ "device-read-bps", DISK, AT(read_bps), "blkio.throttle.read_bps_device", "rbps", "BLK_DEV_THROTTLING" },
	{ "device-write-bps", DISK, AT(write_bps), "blkio.throttle.write_bps_device", "wbps", "BLK_DEV_THROTTLING" },
	{ "device-read-iops", DISK, AT(read_iops), "blkio.throttle.read_iops_device", "riops", "BLK_DEV_THROTTLING" },
	{ "device-write-iops", DISK, AT(write_iops), "blkio.throttle.write_iops_device", "wiops",
	  "BLK_DEV_THROTTLING" },
};
#define KNOBS (sizeof knobs / sizeof *knobs)

static int64_t number(const struct cgroup_limits *l, const struct knob *k)
{
	return *(const int64_t *)((const char *)l + k->offset);
}

static const char *word(const struct cgroup_limits *l, const struct knob *k)
{
	return *(char *const *)((const char *)l + k->offset);
}

static const struct strs *list(const struct cgroup_limits *l, const struct knob *k)
{
	return (const struct strs *)((const char *)l + k->offset);
}

static bool is_set(const struct cgroup_limits *l, const struct knob *k)
{
	if (k->kind == DISK)
		return list(l, k)->n;
	return k->kind == WORD ? word(l, k) != NULL : number(l, k) != 0;
}

/* The v1 and v2 controllers: "blkio" and "io", else the same. */
static void controllers(const struct knob *k, char v1[16], const char **v2)
{
	snprintf(v1, 16, "%.*s", (int)strcspn(k->v1, "."), k->v1);
	*v2 = strcmp(v1, "blkio") ? v1 : "io";
}

static const struct cgroup_hierarchy *hierarchy_of(const struct cgroup_host *host, const struct knob *k)
{
	char v1[16];
	const char *v2;
	const struct cgroup_hierarchy *h;

	controllers(k, v1, &v2);
	h = cgroup_find(host, v1);
	return h ? h : cgroup_find(host, v2);
}

bool cgroup_limits_none(const struct cgroup_limits *l)
{
	for (size_t i = 0; i < KNOBS; i++)
		if (is_set(l, &knobs[i]))
			return false;
	return true;
}

bool cgroup_limits_touch(const struct cgroup_limits *l, const struct cgroup_hierarchy *h)
{
	for (size_t i = 0; i < KNOBS; i++) {
		char v1[16];
		const char *v2;

		controllers(&knobs[i], v1, &v2);
		if (is_set(l, &knobs[i]) && strs_has(&h->controllers, h->v2 ? v2 : v1))
			return true;
	}
	return false;
}

bool cgroup_limits_need(const struct cgroup_limits *l, const char *controller)
{
	for (size_t i = 0; i < KNOBS; i++) {
		char v1[16];
		const char *v2;

		controllers(&knobs[i], v1, &v2);
		if (is_set(l, &knobs[i]) && !strcmp(v2, controller))
			return true;
	}
	return false;
}

int cgroup_limits_possible(const struct cgroup_host *host, const struct cgroup_limits *l, struct err *err)
{
	for (size_t i = 0; i < KNOBS; i++) {
		const struct knob *k = &knobs[i];

		if (!is_set(l, k) || hierarchy_of(host, k))
			continue;
		err_msg(err, -ENOTSUP, "--%s: no cgroup hierarchy has the controller %.*s", k->option,
			(int)strcspn(k->v1, "."), k->v1);
		if (host->lacking) {
			err_hint(err, host->lacking);
		} else if (err) {
			char hint[128];

			snprintf(hint, sizeof hint, "try \"ctr-cgroup mount\"; the kernel needs CONFIG_%s", k->config);
			err_hint(err, hint);
		}
		return -ENOTSUP;
	}
	return 0;
}

/* Where one value goes. */
struct target {
	const struct knob *k;
	const struct cgroup_hierarchy *h;
	const char *path;
	struct err *err;
};

static int told(const struct target *t, int r, const char *file, const char *text)
{
	if (!r)
		return 0;
	err_sys(t->err, r, "--%s: write %s to %s%s/%s", t->k->option, text, t->h->mount, t->path, file);
	if (r == -ENOENT && t->err) {
		char hint[128];

		snprintf(hint, sizeof hint, "the kernel needs CONFIG_%s", t->k->config);
		err_hint(t->err, hint);
	}
	return r;
}

static int put(const struct target *t, const char *file, const char *text)
{
	return told(t, cgroup_file_put(t->h, t->path, file, text), file, text);
}

static const char *amount(int64_t n, const char *unlimited, char out[24])
{
	if (n < 0)
		return unlimited;
	snprintf(out, 24, "%lld", (long long)n);
	return out;
}

static int put_number(const struct target *t, int64_t n)
{
	char text[24];
	bool max = t->h->v2 || !strcmp(t->k->v1, "pids.max");

	return put(t, t->h->v2 ? t->k->v2 : t->k->v1, amount(n, max ? "max" : "-1", text));
}

/* v1's memory+swap may not be less than its memory at any time: whichever fits first goes first. */
static int put_memory_v1(const struct target *t, int64_t memory, int64_t swap)
{
	const char *limit = t->k->v1, *both = "memory.memsw.limit_in_bytes";
	char a[24], b[24];
	const char *mem = amount(memory, "-1", a);
	int r = cgroup_file_put(t->h, t->path, limit, mem);

	if (r == -EINVAL && swap) {
		cgroup_file_put(t->h, t->path, both, amount(swap, "-1", b));
		r = cgroup_file_put(t->h, t->path, limit, mem);
	}
	return told(t, r, limit, mem);
}

/* Docker's word is memory and swap together; v2's is swap alone. Where the kernel doesn't count swap, that is told
 * only to those who asked. */
static int put_swap(const struct target *t, int64_t memory, int64_t swap, bool asked)
{
	const char *file = t->h->v2 ? t->k->v2 : t->k->v1;
	char text[24];
	const char *value = amount(t->h->v2 && swap > 0 ? swap - memory : swap, t->h->v2 ? "max" : "-1", text);
	int r = cgroup_file_put(t->h, t->path, file, value);

	return r == -ENOENT && !asked ? 0 : told(t, r, file, value);
}

/* v2's cpu.max has both quota and period; what isn't set stays as it is. */
static int put_cpu_max(const struct target *t, const struct cgroup_limits *l)
{
	struct buf now = { 0 }, text = { 0 };
	char quota[24];
	int r;

	if (!l->cpu_quota && !cgroup_file_get(t->h, t->path, t->k->v2, &now))
		buf_add(&text, now.p, strcspn(now.p, " "));
	else
		buf_str(&text, amount(l->cpu_quota, "max", quota));
	if (l->cpu_period)
		buf_fmt(&text, " %lld", (long long)l->cpu_period);
	r = put(t, t->k->v2, text.p);
	buf_free(&now);
	buf_free(&text);
	return r;
}

/* [2-262144] to [1-10000], as every runtime does it. */
static int64_t weight_of_shares(int64_t shares)
{
	return 1 + (shares - 2) * 9999 / 262142;
}

/* The disk scheduler that weighs is BFQ, or CFQ on v1 before 5.0, or v2's io.cost, whose range is [1-10000]. */
static int put_weight(const struct target *t, int64_t weight)
{
	char text[24];
	const char *file = t->h->v2 ? t->k->v2 : t->k->v1;
	int r = cgroup_file_put(t->h, t->path, file, amount(weight, "", text));

	if (r == -ENOENT)
		r = cgroup_file_put(t->h, t->path, t->h->v2 ? "io.weight" : "blkio.weight",
				    amount(t->h->v2 ? 1 + (weight - 10) * 9999 / 990 : weight, "", text));
	return told(t, r, file, text);
}

static int put_disk(const struct target *t, const struct strs *specs)
{
	int r = 0;

	for (size_t i = 0; i < specs->n && !r; i++) {
		struct cgroup_disk d;
		char rate[24], text[96];

		r = cgroup_disk_parse(specs->v[i], strstr(t->k->option, "bps") != NULL, &d, t->err);
		if (r)
			return r;
		amount((int64_t)d.rate, "", rate);
		if (t->h->v2)
			snprintf(text, sizeof text, "%u:%u %s=%s", d.major, d.minor, t->k->v2, d.rate ? rate : "max");
		else
			snprintf(text, sizeof text, "%u:%u %s", d.major, d.minor, rate);
		r = put(t, t->h->v2 ? "io.max" : t->k->v1, text);
	}
	return r;
}

static int put_knob(const struct target *t, const struct cgroup_limits *l, bool swap_asked)
{
	const struct knob *k = t->k;

	switch (k->kind) {
	case WORD:
		return put(t, t->h->v2 ? k->v2 : k->v1, word(l, k));
	case DISK:
		return put_disk(t, list(l, k));
	case SWAP:
		return put_swap(t, l->memory, l->memory_swap, swap_asked);
	case SHARES:
		return put_number(t, t->h->v2 ? weight_of_shares(l->cpu_shares) : l->cpu_shares);
	case WEIGHT:
		return put_weight(t, l->blkio_weight);
	case PERIOD:
		if (t->h->v2 && l->cpu_quota)
			return 0;
		/* fall through */
	case QUOTA:
		return t->h->v2 ? put_cpu_max(t, l) : put_number(t, number(l, k));
	default:
		if (k->offset == AT(memory) && !t->h->v2)
			return put_memory_v1(t, l->memory, l->memory_swap);
		return put_number(t, number(l, k));
	}
}

int cgroup_limits_write(const struct cgroup_host *host, const char *path, const struct cgroup_limits *l,
			struct err *err)
{
	struct cgroup_limits all = *l;
	int r = 0;

	if (!l->memory_swap && l->memory)
		all.memory_swap = l->memory < 0 || l->memory > INT64_MAX / 2 ? -1 : 2 * l->memory;
	for (size_t i = 0; i < KNOBS && !r; i++) {
		struct target t = { &knobs[i], hierarchy_of(host, &knobs[i]), path, err };

		if (is_set(&all, t.k))
			r = put_knob(&t, &all, l->memory_swap != 0);
	}
	return r;
}

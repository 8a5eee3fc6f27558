/* What can be known about limits before there is a group, and how they are kept. */
#include "base/num.h"
#include "sys/cgroup_disk.h"
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct cgroup_limits, member)
const struct field cgroup_limits_fields[] = {
	{ "memory", FIELD_I64, AT(memory), NULL, 0 },
	{ "memory_swap", FIELD_I64, AT(memory_swap), NULL, 0 },
	{ "memory_reservation", FIELD_I64, AT(memory_reservation), NULL, 0 },
	{ "pids", FIELD_I64, AT(pids), NULL, 0 },
	{ "cpu_quota", FIELD_I64, AT(cpu_quota), NULL, 0 },
	{ "cpu_period", FIELD_I64, AT(cpu_period), NULL, 0 },
	{ "cpu_shares", FIELD_I64, AT(cpu_shares), NULL, 0 },
	{ "cpuset_cpus", FIELD_STR, AT(cpuset_cpus), NULL, 0 },
	{ "cpuset_mems", FIELD_STR, AT(cpuset_mems), NULL, 0 },
	{ "blkio_weight", FIELD_I64, AT(blkio_weight), NULL, 0 },
	{ "read_bps", FIELD_STRS, AT(read_bps), NULL, 0 },
	{ "write_bps", FIELD_STRS, AT(write_bps), NULL, 0 },
	{ "read_iops", FIELD_STRS, AT(read_iops), NULL, 0 },
	{ "write_iops", FIELD_STRS, AT(write_iops), NULL, 0 },
	{ NULL, FIELD_BOOL, 0, NULL, 0 },
};

#define PERIOD     100000 /* the kernel's, and num_cpus's */
#define MEMORY_MIN 65536

static int range(const char *option, int64_t n, int64_t min, int64_t max, bool unlimited, struct err *err)
{
	if (!n || (n >= min && n <= max) || (unlimited && n == -1))
		return 0;
	return err_msg(err, -EINVAL, "--%s %lld: not between %lld and %lld", option, (long long)n, (long long)min,
		       (long long)max);
}

static int resolve_cpus(struct cgroup_limits *l, struct err *err)
{
	if (!l->arg_cpus)
		return 0;
	if (l->cpu_quota || l->cpu_period)
		return err_msg(err, -EINVAL, "--cpus and --cpu-quota or --cpu-period exclude each other");
	if (num_cpus(l->arg_cpus, &l->cpu_quota))
		return err_msg(err, -EINVAL, "--cpus %s: not a number of processors", l->arg_cpus);
	l->cpu_period = l->cpu_quota ? PERIOD : 0;
	l->arg_cpus = NULL;
	return 0;
}

static int resolve_cpuset(const char *option, const char **arg, char **set, struct err *err)
{
	if (*arg) {
		free(*set);
		*set = xstrdup(*arg);
		*arg = NULL;
	}
	if (*set && num_cpuset(*set))
		return err_msg(err, -EINVAL, "--%s %s: want a list such as 0-3,5", option, *set);
	return 0;
}

static int check_memory(const struct cgroup_limits *l, struct err *err)
{
	int r = range("memory", l->memory, MEMORY_MIN, INT64_MAX, true, err);

	if (!r)
		r = range("memory-reservation", l->memory_reservation, MEMORY_MIN, INT64_MAX, true, err);
	if (!r)
		r = range("memory-swap", l->memory_swap, MEMORY_MIN, INT64_MAX, true, err);
	if (r || l->memory_swap <= 0)
		return r;
	if (l->memory <= 0)
		return err_msg(err, -EINVAL, "--memory-swap is memory and swap together: it needs --memory");
	if (l->memory_swap < l->memory)
		return err_msg(err, -EINVAL, "--memory-swap %lld: less than --memory %lld", (long long)l->memory_swap,
			       (long long)l->memory);
	return 0;
}

static int check_cpu(struct cgroup_limits *l, struct err *err)
{
	int r = resolve_cpus(l, err);

	if (!r)
		r = range("cpu-quota", l->cpu_quota, 1000, INT64_MAX / 1000, true, err);
	if (!r)
		r = range("cpu-period", l->cpu_period, 1000, 1000000, false, err);
	if (!r)
		r = range("cpu-shares", l->cpu_shares, 2, 262144, false, err);
	if (!r)
		r = resolve_cpuset("cpuset-cpus", &l->arg_cpuset_cpus, &l->cpuset_cpus, err);
	return r ? r : resolve_cpuset("cpuset-mems", &l->arg_cpuset_mems, &l->cpuset_mems, err);
}

static int check_disks(const struct strs *specs, bool bytes, struct err *err)
{
	struct cgroup_disk d;
	int r = 0;

	for (size_t i = 0; i < specs->n && !r; i++)
		r = cgroup_disk_parse(specs->v[i], bytes, &d, err);
	return r;
}

int cgroup_limits_check(struct cgroup_limits *l, struct err *err)
{
	int r = check_memory(l, err);

	if (!r)
		r = check_cpu(l, err);
	if (!r)
		r = range("pids-limit", l->pids, 1, INT32_MAX, true, err);
	if (!r)
		r = range("blkio-weight", l->blkio_weight, 10, 1000, false, err);
	if (!r)
		r = check_disks(&l->read_bps, true, err);
	if (!r)
		r = check_disks(&l->write_bps, true, err);
	if (!r)
		r = check_disks(&l->read_iops, false, err);
	return r ? r : check_disks(&l->write_iops, false, err);
}

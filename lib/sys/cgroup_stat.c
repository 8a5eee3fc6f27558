/* What a group uses, by v1's files or v2's. */
#include "sys/cgroup_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define V1_UNLIMITED 0x7ffffffff0000000 /* v1's "no limit": the greatest number of whole pages */

/* The hierarchy with CONTROLLER that PATH is in, or NULL. */
static const struct cgroup_hierarchy *with(const struct cgroup_host *host, const char *controller, const char *path)
{
	const struct cgroup_hierarchy *h = cgroup_find(host, controller);

	return h && cgroup_in(h, path) ? h : NULL;
}

/* The number a file begins with, or -1 ("max", no such file). */
static int64_t number(const struct cgroup_hierarchy *h, const char *path, const char *file)
{
	struct buf b = { 0 };
	int64_t n = -1;
	char *end;

	if (!cgroup_file_get(h, path, file, &b)) {
		n = strtoll(b.p, &end, 10);
		if (end == b.p)
			n = -1;
	}
	buf_free(&b);
	return n;
}

static int64_t flat(const struct cgroup_hierarchy *h, const char *path, const char *file, const char *key)
{
	struct buf b = { 0 };
	int64_t n = cgroup_file_get(h, path, file, &b) ? -1 : cgroup_flat(b.p, key);

	buf_free(&b);
	return n;
}

int64_t cgroup_oom_kills(const struct cgroup_host *host, const char *path)
{
	const struct cgroup_hierarchy *h = cgroup_find(host, "memory");

	return h ? flat(h, path, h->v2 ? "memory.events" : "memory.oom_control", "oom_kill") : -1;
}

static void stat_memory(const struct cgroup_host *host, const char *path, struct cgroup_stat *out)
{
	const struct cgroup_hierarchy *h = with(host, "memory", path);

	if (!h)
		return;
	out->memory = number(h, path, h->v2 ? "memory.current" : "memory.usage_in_bytes");
	out->memory_limit = number(h, path, h->v2 ? "memory.max" : "memory.limit_in_bytes");
	if (!h->v2 && out->memory_limit >= V1_UNLIMITED)
		out->memory_limit = -1;
	out->oom_kills = cgroup_oom_kills(host, path);
}

/* cpu.stat of the unified hierarchy needs no controller. */
static void stat_cpu(const struct cgroup_host *host, const char *path, struct cgroup_stat *out)
{
	const struct cgroup_hierarchy *h = with(host, "cpuacct", path);

	if (host->unified >= 0)
		out->cpu_usec = flat(&host->h[host->unified], path, "cpu.stat", "usage_usec");
	if (out->cpu_usec < 0 && h) {
		int64_t ns = number(h, path, "cpuacct.usage");

		out->cpu_usec = ns < 0 ? -1 : ns / 1000;
	}
}

/* Adds the numbers that follow each KEY: "8:0 rbytes=1 wbytes=2 .." (v2), "8:0 Read 1" (v1). */
static int64_t sum(const char *text, const char *key)
{
	uint64_t n = 0;

	for (const char *s = text; (s = strstr(s, key));) {
		s += strlen(key);
		n += strtoull(s, NULL, 10);
	}
	return (int64_t)n;
}

static void stat_io(const struct cgroup_host *host, const char *path, struct cgroup_stat *out)
{
	const struct cgroup_hierarchy *h = with(host, "blkio", path);
	struct buf b = { 0 };

	if (!h)
		h = with(host, "io", path);
	if (h && !cgroup_file_get(h, path, h->v2 ? "io.stat" : "blkio.throttle.io_service_bytes_recursive", &b)) {
		out->io_read = sum(b.p, h->v2 ? " rbytes=" : " Read ");
		out->io_write = sum(b.p, h->v2 ? " wbytes=" : " Write ");
	}
	buf_free(&b);
}

/* "some avg10=1.23 avg60=..": in hundredths, or -1. */
static int64_t pressure(const struct cgroup_hierarchy *h, const char *path, const char *file)
{
	static const char some[] = "some avg10=";
	struct buf b = { 0 };
	int64_t percent = -1, hundredths = 0;
	char *end;

	if (!cgroup_file_get(h, path, file, &b) && starts_with(b.p, some)) {
		percent = strtoll(b.p + sizeof some - 1, &end, 10);
		if (*end == '.')
			hundredths = strtoll(end + 1, NULL, 10);
	}
	buf_free(&b);
	return percent < 0 || percent > 100 || hundredths < 0 || hundredths > 99 ? -1 : percent * 100 + hundredths;
}

static void stat_pressure(const struct cgroup_host *host, const char *path, struct cgroup_stat *out)
{
	const struct cgroup_hierarchy *h = host->unified < 0 ? NULL : &host->h[host->unified];

	if (!h)
		return;
	out->cpu_pressure = pressure(h, path, "cpu.pressure");
	out->memory_pressure = pressure(h, path, "memory.pressure");
	out->io_pressure = pressure(h, path, "io.pressure");
}

void cgroup_stat(const struct cgroup_host *host, const char *path, struct cgroup_stat *out)
{
	const struct cgroup_hierarchy *h = with(host, "pids", path);

	*out = (struct cgroup_stat){ -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
	stat_memory(host, path, out);
	stat_cpu(host, path, out);
	stat_io(host, path, out);
	stat_pressure(host, path, out);
	if (h)
		out->pids = number(h, path, "pids.current");
}

#include "ctr/stats.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/num.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEV_MAX (1 << 20)

/* Whether process PID is in a network namespace other than ours. */
static bool has_own_net(int64_t pid)
{
	struct stat its, ours;
	char path[48];

	snprintf(path, sizeof path, "/proc/%lld/ns/net", (long long)pid);
	return stat(path, &its) == 0 && stat("/proc/self/ns/net", &ours) == 0 && its.st_ino != ours.st_ino;
}

/* proc_pid_net(5), dev: below two lines of titles "NAME: RX-BYTES (seven more) TX-BYTES ..", an interface a line. */
static void add_interface(char *line, struct stats *out)
{
	char *colon = strchr(line, ':');
	const char *name = word_at(line, 0);

	if (!colon || !word_at(colon + 1, 8) || starts_with(name, "lo:"))
		return;
	out->net_rx += strtoll(word_at(colon + 1, 0), NULL, 10);
	out->net_tx += strtoll(word_at(colon + 1, 8), NULL, 10);
}

static void read_net(int64_t pid, struct stats *out)
{
	struct buf text = { 0 };
	struct strs lines = { 0 };
	char path[48];

	out->net_rx = out->net_tx = -1;
	snprintf(path, sizeof path, "/proc/%lld/net/dev", (long long)pid);
	if (has_own_net(pid) && file_read(AT_FDCWD, path, &text, DEV_MAX) == 0) {
		out->net_rx = out->net_tx = 0;
		strs_split(&lines, text.p, '\n');
		for (size_t i = 2; i < lines.n; i++)
			add_interface(lines.v[i], out);
	}
	strs_free(&lines);
	buf_free(&text);
}

void stats_read(const struct store *s, const struct listed *c, struct stats *out)
{
	cgroup_stat(store_cgroups(s), c->cgroup, &out->group);
	out->at_ms = clock_boot_ms();
	read_net(c->pid, out);
}

int64_t stats_cpu(const struct stats *before, const struct stats *now)
{
	int64_t ms = now->at_ms - before->at_ms, usec = now->group.cpu_usec - before->group.cpu_usec;

	return ms <= 0 || before->group.cpu_usec < 0 || usec < 0 ? -1 : usec * 10 / ms;
}

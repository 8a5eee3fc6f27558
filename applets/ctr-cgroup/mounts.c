/* ctr-cgroup mount, umount. */
#include "ctr-cgroup.h"
#include "base/say.h"

int ctr_cgroup_mount(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup mount",
		"[HIERARCHY [DIR]]",
		"Mounts the hierarchies that are missing, or one, and prints where: v2, controllers of v1 "
		"(\"cpu,cpuacct\")\nor a named one (\"name=foo\"), by default below /sys/fs/cgroup.",
		NULL, NULL, 2, false,
	};
	struct cgroup_host host;
	struct strs made = { 0 };
	struct err e = { 0 };
	int n = opt_parse(&u, NULL, argc, argv), r;

	if (n > 2)
		die_usage(2, "mount: want at most HIERARCHY and DIR");
	group_host(&host, 1);
	r = n ? cgroup_mount(&host, argv[0], n > 1 ? argv[1] : NULL, &made, &e)
	      : cgroup_mount_missing(&host, &made, &e);
	for (size_t i = 0; i < made.n; i++)
		out_line(made.v[i]);
	return r < 0 ? group_failed(&e) : 0;
}

int ctr_cgroup_umount(int argc, char **argv)
{
	static const struct usage u = {
		"ctr-cgroup umount", "HIERARCHY..", "Unmounts hierarchies: v2, a controller, name=NAME, or a mount point.", NULL, NULL, 2, false,
	};
	int n = opt_parse(&u, NULL, argc, argv), bad = 0;

	if (!n)
		die_usage(2, "umount: a HIERARCHY is missing");
	for (int i = 0; i < n; i++) {
		struct cgroup_host host;
		struct err e = { 0 };

		group_host(&host, 1);
		if (cgroup_umount(&host, argv[i], &e) < 0)
			bad = group_failed(&e);
	}
	return bad;
}

#include "sys/ns_join.h"

#include "base/kernel.h"
#include <sched.h>
#include <sys/prctl.h>

void ns_join_init(struct ns_join *j)
{
	*j = (struct ns_join){ .pidfd = -1 };
	for (int i = 0; i < NS_COUNT; i++)
		j->files[i] = -1;
}

int ns_join_file(struct ns_join *j, const char *path, int only, struct err *err)
{
	int flag = 0, fd = ns_open_file(path, &flag);

	if (fd == -EINVAL)
		return err_msg(err, fd, "%s: is no namespace file", path);
	if (fd < 0)
		return err_sys(err, fd, "open %s", path);
	if ((only && flag != only) || !ns_name(flag)) {
		close(fd);
		return err_msg(err, -EINVAL, "%s: is a namespace of another kind (%s)", path, ns_name(flag) ? ns_name(flag) : "?");
	}
	for (int i = 0; i < NS_COUNT; i++) {
		if (ns_kinds[i].flag != flag)
			continue;
		if (j->files[i] >= 0)
			close(j->files[i]);
		j->files[i] = fd;
	}
	j->all |= flag;
	return flag;
}

int ns_join_process(struct ns_join *j, pid_t pid, int flags, struct err *err)
{
	j->pidfd = sys_pidfd_open(pid);
	if (j->pidfd < 0)
		return err_sys(err, j->pidfd, "process %d", (int)pid);
	for (int i = 0; i < NS_COUNT; i++) {
		int flag = ns_kinds[i].flag;

		/* EINVAL is the answer to joining one's own user namespace */
		if ((!flags || flags & flag) && ns_inode(pid, flag) != ns_inode(0, flag))
			j->of_process |= flag;
	}
	j->all |= j->of_process;
	return 0;
}

int ns_join_now(const struct ns_join *j, struct err *err)
{
	int r;

	/* Until exec nobody in there may look into this process: CVE-2016-9962. */
	if (j->of_process)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	for (int i = 0; i < NS_COUNT; i++)
		if (j->files[i] >= 0 && setns(j->files[i], ns_kinds[i].flag) < 0)
			return err_sys(err, -errno, "join the %s namespace", ns_kinds[i].name);
	r = j->of_process ? ns_join_fd(j->pidfd, j->of_process) : 0;
	return r < 0 ? err_sys(err, r, "join the process's namespaces") : 0;
}

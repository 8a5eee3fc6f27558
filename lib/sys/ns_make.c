#include "sys/ns_make.h"

#include <sys/wait.h>

#include "base/file.h"
#include "base/kernel.h"
#include "sys/ns.h"
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static int refused(int code, int flags, struct err *err)
{
	err_sys(err, code, "make namespaces");
	if (code == -ENOSPC || code == -EUSERS)
		return err_hint(err, "nested too deep, or a limit in /proc/sys/user/max_*_namespaces");
	if (code == -EPERM && flags & CLONE_NEWUSER)
		return err_hint(err, "not inside a chroot, and not where the host forbids user namespaces");
	if (code == -EPERM)
		return err_hint(err, "needs root, or a user namespace: -U");
	return ns_hint(flags, code, err);
}

/* The child can't go on before the parent says so, and knows by the end of file that there is no parent any more. */
static pid_t wait_for_release(struct ns_make *m, int pair[2])
{
	char go;

	close(pair[0]);
	if (read(pair[1], &go, 1) != 1)
		_exit(125);
	m->link = pair[1];
	return 0;
}

static pid_t make_child(struct ns_make *m, struct err *err)
{
	struct clone_args args = { .flags = (uint64_t)m->flags, .exit_signal = SIGCHLD };
	int pair[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, -errno, "socketpair");
	pid = sys_clone3(&args);
	if (pid == 0)
		return wait_for_release(m, pair);
	close(pair[1]);
	r = pid < 0 ? refused(pid, m->flags, err) : m->outside ? m->outside(m->arg, pid, err) : 0;
	if (r == 0)
		r = write_all(pair[0], "", 1);
	m->link = pair[0];
	if (r == 0)
		return pid;
	close(pair[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return r;
}

/* The helper: waits until the caller PID has its namespaces, does the work and answers with what went wrong. */
static void help(struct ns_make *m, pid_t pid, int fd) __attribute__((noreturn));
static void help(struct ns_make *m, pid_t pid, int fd)
{
	struct err answer = { 0 };
	char go;

	if (read(fd, &go, 1) != 1)
		_exit(1);
	m->outside(m->arg, pid, &answer);
	write_all(fd, &answer, sizeof answer);
	_exit(0);
}

static int unshare_with_help(struct ns_make *m, struct err *err)
{
	pid_t self = getpid(), helper;
	struct err answer;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, -errno, "socketpair");
	helper = fork();
	if (helper < 0) {
		r = err_sys(err, -errno, "fork");
		close(pair[1]);
		goto out;
	}
	if (helper == 0) {
		close(pair[0]);
		help(m, self, pair[1]);
	}
	close(pair[1]);
	r = unshare(m->flags) < 0 ? refused(-errno, m->flags, err) : write_all(pair[0], "", 1);
	if (r == 0 && read(pair[0], &answer, sizeof answer) != sizeof answer)
		r = err_msg(err, -EIO, "make namespaces: the helper process has died");
	else if (r == 0 && (r = answer.code) < 0 && err)
		*err = answer;
out:
	close(pair[0]);
	if (helper > 0)
		waitpid(helper, NULL, 0);
	return r;
}

pid_t ns_make(struct ns_make *m, struct err *err)
{
	m->link = -1;
	if (m->fork)
		return make_child(m, err);
	if (m->outside)
		return unshare_with_help(m, err);
	return m->flags && unshare(m->flags) < 0 ? refused(-errno, m->flags, err) : 0;
}

void ns_die_with_parent(const struct ns_make *m)
{
	struct pollfd p = { .fd = m->link, .events = POLLIN };

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* getppid() is 0 in a new pid namespace, dead or alive: the link's end of file tells. */
	if (poll(&p, 1, 0) > 0)
		_exit(125);
}

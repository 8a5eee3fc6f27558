#include "ctr/process.h"
#include "base/kernel.h"
#include "base/path.h"
#include "ctr/rlimit.h"
#include "ctr/userdb.h"
#include "sys/caps.h"
#include "sys/exec.h"
#include "sys/lsm.h"
#include "sys/proc.h"
#include "sys/seccomp.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int set_limits(const struct process *p, struct err *err)
{
	for (size_t i = 0; i < p->rlimits.n; i++) {
		struct rlimit limit;
		int resource, r = rlimit_parse(p->rlimits.v[i], &resource, &limit, err);

		if (r < 0)
			return r;
		if (setrlimit((unsigned)resource, &limit) < 0)
			return err_sys(err, -errno, "set limit %s", p->rlimits.v[i]);
	}
	return 0;
}

static int set_oom_score(const struct process *p, struct err *err)
{
	int fd, r;

	if (!p->oom_score_adj)
		return 0;
	fd = proc_self_open("oom_score_adj");
	r = fd < 0 ? fd : write(fd, p->oom_score_adj, strlen(p->oom_score_adj)) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return r < 0 ? err_sys(err, r, "set oom_score_adj to %s", p->oom_score_adj) : 0;
}

/* Not the caller's keys. A kernel without any (ENOSYS) is as good; so is a filter on us (EPERM), which is on what follows too. */
static int own_keyring(struct err *err)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS || errno == EPERM)
		return 0;
	return err_sys(err, -errno, "make a session keyring");
}

int process_attributes(const struct process *p, struct err *err)
{
	int r = own_keyring(err);

	if (!r)
		r = set_oom_score(p, err);
	if (!r && p->apparmor)
		r = lsm_at_exec(LSM_APPARMOR, p->apparmor, err);
	if (!r && p->selinux)
		r = lsm_at_exec(LSM_SELINUX, p->selinux, err);
	return r;
}

/* Made if missing, as docker does; what it resolves to must be below the root (CVE-2024-21626). */
static int enter_directory(const char *cwd, struct err *err)
{
	char here[4096];
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd, r = 0;

	if (root < 0)
		return err_sys(err, -errno, "open /");
	fd = path_mkdirs(root, cwd, 0755);
	close(root);
	if (fd < 0)
		return err_sys(err, fd, "working directory %s", cwd);
	if (fchdir(fd) < 0)
		r = err_sys(err, -errno, "working directory %s", cwd);
	close(fd);
	if (!r && (!getcwd(here, sizeof here) || *here != '/'))
		r = err_msg(err, -EPERM, "working directory %s: is outside the container", cwd);
	return r;
}

/* The real one: what is called so in a container that runs already may be anything. */
static int open_null(struct err *err)
{
	int fd = open("/dev/null", O_RDWR | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_sys(err, -errno, "open /dev/null");
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return fd;
	close(fd);
	return err_msg(err, -ENOTSUP, "/dev/null: is not the null device");
}

/* Descriptors 0 to 2 in their places, all others closed at exec. A tty becomes the controlling one. */
static int take_stdio(const struct become *b, struct err *err)
{
	int fds[3], null = -1;

	for (int i = 0; i < 3; i++) {
		fds[i] = b->stdio[i];
		if (fds[i] < 0) {
			if (null < 0)
				null = open_null(err);
			if (null < 0)
				return null;
			fds[i] = null;
		}
		if (fds[i] < 3 && fds[i] != i && (fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3)) < 0)
			return err_sys(err, -errno, "keep standard descriptor %d", i);
	}
	for (int i = 0; i < 3; i++)
		if (fds[i] == i ? fcntl(i, F_SETFD, 0) < 0 : dup2(fds[i], i) < 0)
			return err_sys(err, -errno, "set standard descriptor %d", i);
	if (b->process->tty && ioctl(0, TIOCSCTTY, 0) < 0)
		return err_sys(err, -errno, "make the terminal the controlling one");
	sys_close_range(3, 4 /* CLOSE_RANGE_CLOEXEC */);
	return 0;
}

static int outside_map(int code, struct err *err)
{
	return code == -EINVAL ? err_hint(err, "an id outside the user namespace's map") : code;
}

/* Which of them it is that the kernel doesn't take. */
static int refused_groups(const struct user *u, int code, struct err *err)
{
	int i = 0;

	while (i < u->ngroups - 1 && setgroups(1, &u->groups[i]) == 0)
		i++;
	err_sys(err, code, "supplementary group %u", u->groups[i]);
	return code == -EINVAL ? err_hint(err, "an id outside the user namespace's map; -u USER:GROUP takes no other groups") : code;
}

static int change_user(const struct process *p, const struct user *u, struct err *err)
{
	uint64_t caps = (uint64_t)p->caps;
	int r = caps_bound(caps);

	if (r < 0)
		return err_sys(err, r, "limit capabilities");
	if (setgroups((size_t)u->ngroups, u->groups) < 0 && errno != EPERM) /* EPERM: denied in this user namespace */
		return refused_groups(u, -errno, err);
	if (setresgid(u->gid, u->gid, u->gid) < 0 || setresuid(u->uid, u->uid, u->uid) < 0)
		return outside_map(err_sys(err, -errno, "become user %u:%u", u->uid, u->gid), err);
	r = caps_set(caps);
	return r < 0 ? err_sys(err, r, "set capabilities") : 0;
}

/* Dies with the parent from here on. Not earlier: a change of user clears the request. */
static int follow_parent(int sync, struct err *err)
{
	struct pollfd p = { .fd = sync, .events = 0 };

	if (sync < 0)
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR))
		return err_msg(err, -ESRCH, "the supervisor died");
	return 0;
}

static void default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < 65; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static char **environment(const struct process *p, const char *home, struct strs *env)
{
	strs_append(env, &p->env);
	if (!strs_getenv(env, "HOME"))
		strs_setenv(env, "HOME", home);
	return env->v;
}

/* The system calls that it may make. A kernel without filters runs it without, unless a profile was asked for. */
static int confine(const struct process *p, struct err *err)
{
	bool given = p->seccomp != NULL;
	int r;

	if (given && !strcmp(p->seccomp, "unconfined"))
		return 0;
	r = given ? seccomp_load(p->seccomp_filter) : seccomp_load_default((uint64_t)p->caps);
	if (r == 0 || (!given && seccomp_missing(r)))
		return 0;
	err_sys(err, r, "load the seccomp profile%s%s", given ? " " : "", given ? p->seccomp : "");
	return seccomp_missing(r) ? err_hint(err, "CONFIG_SECCOMP_FILTER?") : r;
}

static int prepare(const struct become *b, struct user *u, struct err *err)
{
	const struct process *p = b->process;
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	r = root < 0 ? err_sys(err, -errno, "open /") : user_find(root, p->user, &p->groups, u, err);
	if (root >= 0)
		close(root);
	umask(0022);
	if (!r)
		r = enter_directory(p->cwd ? p->cwd : "/", err);
	if (!r)
		r = take_stdio(b, err);
	if (!r && p->tty)
		fchown(0, u->uid, (gid_t)-1); /* its slave is the user's, as login(1) would make it */
	return r ? r : set_limits(p, err); /* not earlier: we open files ourselves */
}

int process_become(const struct become *b, struct err *err)
{
	const struct process *p = b->process;
	struct strs env = { 0 };
	struct user u;
	int r;

	err->exit = 125;
	setsid();
	r = prepare(b, &u, err);
	/* Once our capabilities are the container's, what is in there already could look into us (CVE-2016-9962). */
	prctl(PR_SET_DUMPABLE, 0);
	if (!r && p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_sys(err, -errno, "set no_new_privs");
	if (!r && !p->no_new_privs) /* as long as we are privileged to; the profile then applies to what follows here */
		r = confine(p, err);
	if (!r)
		r = change_user(p, &u, err);
	default_signals();
	if (!r)
		r = follow_parent(b->sync, err);
	if (!r && p->no_new_privs)
		r = confine(p, err);
	if (!r && b->before_exec)
		r = b->before_exec(b->arg, err);
	return r ? r : exec_command(p->args.v, environment(p, u.home, &env), err);
}

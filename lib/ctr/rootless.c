#include "ctr/rootless.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/say.h"
#include "ctr/userdb.h"
#include "base/tool.h"
#include "sys/idmap.h"
#include "sys/init.h"
#include "sys/ns.h"
#include "sys/subid.h"
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Bytes of the lock file: DOOR is held, for writing, while somebody looks for the namespace or makes it; INSIDE, for reading, by everybody
 * who is in it. Such locks are a process's own: its children have none, and closing any descriptor of the file gives them up. */
enum { DOOR, INSIDE };

static int lock(int file, int command, short type, off_t byte)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
	int r;

	while ((r = fcntl(file, command, &l)) < 0 && errno == EINTR)
		;
	return r < 0 ? -errno : 0;
}

/* Somebody who is inside: a pid, 0 if nobody is, or -errno. */
static pid_t who_is_inside(int file)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = INSIDE, .l_len = 1 };

	if (fcntl(file, F_GETLK, &l) < 0)
		return -errno;
	return l.l_type == F_UNLCK ? 0 : l.l_pid > 0 ? l.l_pid : -ESRCH; /* 0: in a pid namespace that isn't seen here */
}

static int join(pid_t pid, int file)
{
	int pidfd = sys_pidfd_open(pid), r = pidfd;

	if (pidfd < 0)
		return r;
	if (who_is_inside(file) != pid) /* its pid may be another's by now */
		r = -ESRCH;
	else
		r = ns_join_fd(pidfd, CLONE_NEWUSER);
	close(pidfd);
	return r;
}

static int new_namespace(struct err *err)
{
	int r = unshare(CLONE_NEWUSER) < 0 ? -errno : 0;

	if (r == -EPERM || r == -ENOSPC || r == -EINVAL) {
		err_sys(err, r, "make a user namespace");
		return err_hint(err, "the host must allow them to users: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
				     "kernel.apparmor_restrict_unprivileged_userns, CONFIG_USER_NS; or be root");
	}
	return r < 0 ? err_sys(err, r, "make a user namespace") : 0;
}

/* The user's own id alone, as root. */
static int map_one(struct err *err)
{
	struct idmaps users = { .v = { { geteuid(), 0, 1 } }, .n = 1 }, groups = { .v = { { getegid(), 0, 1 } }, .n = 1 };
	int r = new_namespace(err);

	return r < 0 ? r : idmap_write(getpid(), &users, &groups, true, err);
}

/* newuidmap PID 0 OWN 1 1 FIRST COUNT .. */
static void map_arguments(struct strs *args, const char *program, pid_t pid, uid_t own, const struct subids *ranges)
{
	uint32_t inside = 1;

	strs_add(args, program);
	strs_fmt(args, "%d", (int)pid);
	strs_add(args, "0");
	strs_fmt(args, "%u", own);
	strs_add(args, "1");
	for (int i = 0; i < ranges->n; i++) {
		strs_fmt(args, "%u", inside);
		strs_fmt(args, "%u", ranges->v[i].first);
		strs_fmt(args, "%u", ranges->v[i].count);
		inside += ranges->v[i].count;
	}
}

/* A child that stays outside has the maps written, once it is told to, for us who are inside. */
static void mapper(int told, int tell, struct strs *users, struct strs *groups)
{
	struct err err = { 0 };
	char go;

	if (read(told, &go, 1) != 1)
		_exit(1);
	if (tool_run(users->v, &err) == 0)
		tool_run(groups->v, &err);
	write_all(tell, &err, sizeof err);
	_exit(0);
}

static int write_by_mapper(int go, int told, struct err *err)
{
	struct err theirs;
	int r = new_namespace(err);

	if (r < 0)
		return r;
	if (write(go, "", 1) != 1 || read_full(told, &theirs, sizeof theirs) != (ssize_t)sizeof theirs)
		return err_msg(err, -ECHILD, "the process that was to write the id maps died");
	if (theirs.code < 0 && err)
		*err = theirs;
	return theirs.code;
}

static int run_mapper(struct strs *users, struct strs *groups, struct err *err)
{
	int go[2], told[2], r;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	if (pipe2(told, O_CLOEXEC) < 0) {
		r = err_sys(err, -errno, "make a pipe");
		close(go[0]);
		close(go[1]);
		return r;
	}
	pid = fork();
	if (!pid) {
		close(go[1]);
		mapper(go[0], told[1], users, groups);
	}
	close(go[0]);
	close(told[1]);
	r = pid < 0 ? err_sys(err, -errno, "start a process") : write_by_mapper(go[1], told[0], err);
	close(go[1]);
	close(told[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return r;
}

/* What /etc/subuid and /etc/subgid give to us. */
static bool have_ranges(struct subids *users, struct subids *groups)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *name = user_name(root, geteuid());
	bool yes = subid_ranges("/etc/subuid", name, geteuid(), users) == 0 &&
		   subid_ranges("/etc/subgid", name, geteuid(), groups) == 0 && users->n && groups->n;

	free(name);
	if (root >= 0)
		close(root);
	return yes;
}

/* The programs that write maps of ranges, and what they would write; FALSE: one id it is. */
struct ranges {
	char *newuidmap, *newgidmap;
	struct subids users, groups;
};

static bool find_ranges(struct ranges *r)
{
	*r = (struct ranges){ .newuidmap = tool_find("newuidmap"), .newgidmap = tool_find("newgidmap") };
	return r->newuidmap && r->newgidmap && have_ranges(&r->users, &r->groups);
}

static void free_ranges(struct ranges *r)
{
	free(r->newuidmap);
	free(r->newgidmap);
}

static int map_ranges(const struct ranges *of, struct err *err)
{
	struct strs users = { 0 }, groups = { 0 };
	int r;

	map_arguments(&users, of->newuidmap, getpid(), geteuid(), &of->users);
	map_arguments(&groups, of->newgidmap, getpid(), getegid(), &of->groups);
	r = run_mapper(&users, &groups, err);
	strs_free(&users);
	strs_free(&groups);
	return r;
}

static int make(struct err *err)
{
	struct ranges ranges;
	bool many = find_ranges(&ranges);
	int r;

	say_step("make a user namespace of %s", many ? "ids of /etc/subuid" : "one id");
	r = many ? map_ranges(&ranges, err) : map_one(err);
	free_ranges(&ranges);
	return r;
}

/* Under DOOR. Who is on its way out, or lets go (EPERM), may be seen once more: hence the further tries. */
static int join_or_make(int file, struct err *err)
{
	pid_t pid;
	int r = -ESRCH;

	for (int tries = 0; (r == -ESRCH || r == -EPERM) && tries < 1000; tries++) {
		pid = who_is_inside(file);
		if (!pid)
			return make(err);
		r = pid < 0 ? (int)pid : join(pid, file);
	}
	return r < 0 ? err_sys(err, r, "join the user namespace of the user's other containers") : 0;
}

/* Stays open: see DOOR and INSIDE. */
static int open_file(int run, struct err *err)
{
	int file = openat(run, "userns", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return file < 0 ? err_sys(err, -errno, "open the store's lock \"userns\"") : file;
}

int rootless_enter(int run, struct err *err)
{
	int file = open_file(run, err), r;

	if (file < 0)
		return file;
	r = lock(file, F_SETLKW, F_WRLCK, DOOR);
	if (r < 0) {
		close(file);
		return err_sys(err, r, "lock the store");
	}
	r = join_or_make(file, err);
	if (!r && (r = lock(file, F_SETLK, F_RDLCK, INSIDE)) < 0)
		err_sys(err, r, "lock the store");
	if (!r && unshare(CLONE_NEWNS) < 0)
		r = err_sys(err, -errno, "make a mount namespace");
	lock(file, F_SETLK, F_UNLCK, DOOR);
	if (r < 0)
		close(file);
	return r;
}

int rootless_hold(int run, struct err *err)
{
	int file = open_file(run, err), r = file < 0 ? file : lock(file, F_SETLK, F_RDLCK, INSIDE);

	return r < 0 && file >= 0 ? err_sys(err, r, "lock the store") : r;
}

void rootless_let_go(int run)
{
	int file = open_file(run, NULL);

	if (file >= 0)
		close(file);
}

bool rootless_probe(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(map_one(NULL) < 0);
	return pid > 0 && child_wait(pid) == 0;
}

int64_t rootless_ids(void)
{
	struct ranges ranges;
	int64_t n = 1;

	if (find_ranges(&ranges))
		for (int i = 0; i < ranges.users.n; i++)
			n += ranges.users.v[i].count;
	free_ranges(&ranges);
	return n;
}

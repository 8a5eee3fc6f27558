#include "ctr/lost.h"
#include "base/file.h"
#include "base/kernel.h"
#include "ctr/hostfiles.h"
#include "ctr/networking.h"
#include "sys/proc.h"
#include "sys/proc_info.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define QUESTION 0x63747278 /* with SIGHUP: nobody else queues that */
#define STEP_MS 5
#define WAIT_MS 1000

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether PID has the directory WHAT open. */
static bool has_open(pid_t pid, const struct stat *what)
{
	char path[32];
	struct stat st;
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d)))
		found = fstatat(dirfd(d), e->d_name, &st, 0) == 0 && same(&st, what);
	if (d)
		closedir(d);
	return found;
}

static pid_t parent_of(pid_t pid)
{
	struct proc_info info;

	if (proc_info(pid, &info) < 0)
		return 0;
	free(info.command);
	return info.ppid;
}

/* The oldest of those that qualify: a ctr-exec is younger. */
static int oldest_parent(const pid_t *pids, int n, const struct stat *dir)
{
	uint64_t best = UINT64_MAX;
	int found = -ESRCH;
	pid_t last = 0;

	for (int i = 0; i < n; i++) {
		pid_t parent = parent_of(pids[i]);
		uint64_t start = parent > 1 && parent != last ? proc_start_time(parent) : 0;
		int fd = start && start < best ? proc_open(parent, start) : -ESRCH;

		last = parent;
		if (fd >= 0 && !has_open(parent, dir)) {
			close(fd);
			continue;
		}
		if (fd < 0)
			continue;
		if (found >= 0)
			close(found);
		found = fd;
		best = start;
	}
	return found;
}

int lost_supervisor(const struct store *s, const struct record *r)
{
	char *group = record_cgroup(s, r);
	pid_t *pids = NULL;
	struct stat st;
	int n = cgroup_exists(store_cgroups(s), group) ? cgroup_procs(store_cgroups(s), group, &pids) : 0;
	int found = n > 0 && fstat(r->dir, &st) == 0 ? oldest_parent(pids, n, &st) : -ESRCH;

	free(pids);
	free(group);
	return found;
}

int lost_ask(const struct store *s, const char *id, int supervisor)
{
	siginfo_t info = { .si_signo = SIGHUP, .si_code = SI_QUEUE };
	const struct timespec step = { 0, STEP_MS * 1000000L };
	char path[64];

	info.si_value.sival_int = QUESTION;
	if (syscall(SYS_pidfd_send_signal, supervisor, SIGHUP, &info, 0) < 0)
		return -errno;
	snprintf(path, sizeof path, "containers/%s/state.json", id);
	for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
		if (file_there(s->run, path))
			return 0;
		nanosleep(&step, NULL);
	}
	return -ETIMEDOUT;
}

static void recover_one(const struct store *s, const char *id)
{
	struct record r;
	int supervisor;

	if (record_open_id(s, id, &r, NULL) < 0)
		return;
	supervisor = r.run < 0 ? lost_supervisor(s, &r) : -ESRCH;
	if (supervisor >= 0) {
		lost_ask(s, id, supervisor);
		close(supervisor);
	}
	record_close(&r);
}

void lost_recover(const struct store *s)
{
	struct strs ids = { 0 };

	if (!s->rootless)
		record_ids_in(s->root, &ids, NULL);
	for (size_t i = 0; i < ids.n; i++)
		recover_one(s, ids.v[i]);
	dir_make_all(s->run, "containers", 0700);
	strs_free(&ids);
}

bool lost_asked(const struct signalfd_siginfo *info)
{
	return info->ssi_signo == SIGHUP && info->ssi_code == SI_QUEUE && info->ssi_int == QUESTION;
}

/* Whether FD is no longer what is at PATH. */
static bool replaced(int fd, int dirfd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) < 0 || fstatat(dirfd, path, &theirs, 0) < 0 || !same(&ours, &theirs);
}

/* FD, whose number others hold, becomes the directory at PATH, made if need be. */
static int renew(int fd, int dirfd, const char *path, mode_t mode)
{
	int r = dir_make_all(dirfd, path, mode), now = r < 0 ? r : dir_open(dirfd, path);

	if (now < 0)
		return now;
	r = dup3(now, fd, O_CLOEXEC) < 0 ? -errno : 0;
	close(now);
	return r;
}

static void lease_again(const struct store *s, const struct record *r)
{
	int lock = r->state.attachments.n ? networks_lock(s, NULL) : -1;

	if (lock < 0)
		return;
	networks_rename_leases(s, r);
	close(lock);
}

bool lost_restore(const struct store *s, struct record *r)
{
	char path[40];

	snprintf(path, sizeof path, "containers/%s", r->id);
	if (replaced(s->run, AT_FDCWD, s->run_path) && renew(s->run, AT_FDCWD, s->run_path, 0711) < 0)
		return false;
	if (r->run < 0 || !replaced(r->run, s->run, path) || renew(r->run, s->run, path, 0700) < 0)
		return false;
	hostfiles_write(r, spec_owner(&r->spec), NULL);
	lease_again(s, r);
	record_write_state(s, r, NULL); /* last: who asked waits for it */
	networks_tell_names(s, r);
	return true;
}

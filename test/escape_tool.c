/* What a shell can't do, for escape_test.sh. Built once, static; runs on the host's side and as /tool in containers.
 * Each answers on stdout. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* with-key CMD..: CMD with a session keyring that holds a key. */
static int with_key(char **argv)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "escape") < 0 ||
	    syscall(SYS_add_key, "user", "escape", "secret", 6, KEY_SPEC_SESSION_KEYRING) < 0) {
		perror("add_key");
		return 1;
	}
	execvp(argv[0], argv);
	return 127;
}

/* find-key: whether it can be found from here. */
static int find_key(void)
{
	long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "escape", 0);
	char secret[16];

	if (key < 0) {
		puts("no key");
		return 0;
	}
	printf("key found, %s\n", syscall(SYS_keyctl, KEYCTL_READ, key, secret, sizeof secret) > 0 ? "read" : "not read");
	return 0;
}

/* fill-keys: as many keys as this user may have. */
static int fill_keys(void)
{
	char name[32];
	int n = 0;

	do
		snprintf(name, sizeof name, "fill%d", n++);
	while (n < 100000 && syscall(SYS_add_key, "user", name, "x", 1, KEY_SPEC_USER_KEYRING) >= 0);
	puts(errno == EDQUOT ? "full" : strerror(errno));
	return 0;
}

/* swap A B: exchanges the two names until it is killed. */
static int swap(const char *a, const char *b)
{
	while (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) == 0)
		;
	perror("renameat2");
	return 1;
}

/* Whether PID has become the container's own program meanwhile. */
static int is_command(const char *pid)
{
	char path[300], to[300];

	snprintf(path, sizeof path, "/proc/%s/exe", pid);
	return readlink(path, to, sizeof to) > 5 && !strncmp(to, "/bin/", 5);
}

/* What of process PID can be looked into: a descriptor, its program, its memory; NULL: nothing. */
static const char *look_into(const char *pid)
{
	static const char *const links[] = { "exe", "cwd", "root", "fd/0", "fd/1", "fd/2", "fd/3", "fd/4", "fd/5" };
	char path[300], to[300];

	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "/proc/%s/%s", pid, links[i]);
		if (readlink(path, to, sizeof to) >= 0)
			return links[i];
	}
	snprintf(path, sizeof path, "/proc/%s/mem", pid);
	return open(path, O_RDONLY) >= 0 ? "mem" : NULL;
}

/* The first process called NAME; its pid in PID. */
static int find_process(const char *name, char pid[32])
{
	char path[300], comm[32];
	DIR *d = opendir("/proc");
	struct dirent *e;
	int found = 0;

	while (d && !found && (e = readdir(d))) {
		int fd;
		ssize_t n;

		if (*e->d_name < '0' || *e->d_name > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
		fd = open(path, O_RDONLY);
		n = fd < 0 ? 0 : read(fd, comm, sizeof comm);
		if (fd >= 0)
			close(fd);
		found = n > 0 && (size_t)n == strlen(name) + 1 && !strncmp(comm, name, strlen(name));
		if (found)
			snprintf(pid, 32, "%.31s", e->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

/* spy NAME: waits up to a minute for a process called NAME, and tries to look into it for as long as it is called that. */
static int spy(const char *name)
{
	time_t end = time(NULL) + 60;
	const char *open = NULL;
	int seen = 0;
	char pid[32];

	puts("watching");
	fflush(stdout);
	while (time(NULL) < end && !open) {
		if (find_process(name, pid)) {
			seen = 1;
			open = look_into(pid);
			if (open && is_command(pid))
				break;
			if (open)
				printf("open: %s\n", open);
		} else if (seen) {
			break;
		}
	}
	puts(seen ? "seen" : "not seen");
	return 0;
}

static int push(int fd, unsigned long request)
{
	return syscall(SYS_ioctl, fd, request, "X") == 0;
}

/* type: tries to type on any terminal that is within reach. */
static int type(void)
{
	int tty = open("/dev/tty", O_RDWR);

	if (tty >= 0)
		puts("has a controlling terminal");
	for (int fd = 0; fd < 3; fd++)
		if (push(fd, TIOCSTI) || (sizeof(long) > 4 && push(fd, TIOCSTI | 1UL << (8 * sizeof(long) - 8))))
			printf("typed on %d\n", fd);
	return 0;
}

/* new-cgroup DIR: a user namespace of its own, and there a cgroup hierarchy on DIR. */
static int new_cgroup(const char *dir)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | 0x02000000 /* CLONE_NEWCGROUP */) < 0)
		puts("no user namespace");
	if (mount("cgroup", dir, "cgroup2", 0, NULL) == 0)
		puts("cgroup2 mounted");
	else if (mount("cgroup", dir, "cgroup", 0, "rdma") == 0 || mount("cgroup", dir, "cgroup", 0, "memory") == 0)
		puts("cgroup mounted");
	else
		puts("nothing mounted");
	return 0;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (!strcmp(word, "with-key") && argc > 2)
		return with_key(argv + 2);
	if (!strcmp(word, "find-key"))
		return find_key();
	if (!strcmp(word, "fill-keys"))
		return fill_keys();
	if (!strcmp(word, "swap") && argc == 4)
		return swap(argv[2], argv[3]);
	if (!strcmp(word, "spy") && argc == 3)
		return spy(argv[2]);
	if (!strcmp(word, "type"))
		return type();
	if (!strcmp(word, "new-cgroup") && argc == 3)
		return new_cgroup(argv[2]);
	return 2;
}

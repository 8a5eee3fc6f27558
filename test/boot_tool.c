/* climb: every way known to leave a root that was moved onto the initramfs's instead of pivoted to. Runs as /tool in a container; prints
 * "out by WAY" for each that leads where /init is, and at last "tried". */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* From the working directory, and from as far up as `..` goes. */
static void look(const char *way)
{
	for (int up = 0; up < 40; up++) {
		if (!access("init", F_OK) || !access("etc/ctrbox", F_OK)) {
			printf("out by %s\n", way);
			return;
		}
		if (chdir("..") < 0)
			return;
	}
}

static void by_chroot(void)
{
	int top = open("/", O_RDONLY | O_DIRECTORY);

	mkdir("/climb", 0755);
	if (chroot("/climb") < 0 || fchdir(top) < 0)
		return;
	look("a directory outside of a chroot");
	if (chroot(".") == 0 && chdir("/") == 0)
		look("a chroot from there");
}

static void by_descriptor(void)
{
	for (int fd = 0; fd < 100; fd++)
		if (fchdir(fd) == 0)
			look("an open descriptor");
}

static void by_path(const char *path)
{
	if (chdir(path) == 0)
		look(path);
}

/* What the container's processes have open, and where they are. */
static void by_proc(void)
{
	static const char *const links[] = { "root", "cwd", "task/1/root" };
	char path[400];

	for (int pid = 1; pid < 100; pid++) {
		for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
			snprintf(path, sizeof path, "/proc/%d/%s", pid, links[i]);
			by_path(path);
		}
		for (int fd = 0; fd < 20; fd++) {
			snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
			by_path(path);
		}
	}
}

/* Joining one's own mount namespace gives its outermost root. */
static void by_joining(int ns)
{
	if (setns(ns, CLONE_NEWNS) == 0)
		look("joining the mount namespace");
}

/* Takes the container's own root aside, or away. */
static void by_mounts(void)
{
	int ns = open("/proc/self/ns/mnt", O_RDONLY);

	by_joining(ns);
	mkdir("/climb", 0755);
	if (mount("/", "/climb", NULL, MS_BIND | MS_REC, NULL) == 0 && syscall(SYS_pivot_root, "/climb", "/climb") == 0)
		look("pivoting");
	by_path("/climb");
	for (int layer = 0; layer < 3; layer++) {
		umount2("/", MNT_DETACH);
		look("unmounting the root");
		by_joining(ns);
	}
}

static void by_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
		by_mounts();
}

/* Each from where the others haven't been. */
static void attempt(void (*way)(void))
{
	fflush(stdout);
	if (fork() == 0) {
		way();
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int main(void)
{
	attempt(by_chroot);
	attempt(by_descriptor);
	attempt(by_proc);
	attempt(by_user_namespace);
	attempt(by_mounts);
	puts("tried");
	return 0;
}

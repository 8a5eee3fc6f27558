/* Makes raw system calls and tells what became of them: `seccomp_probe CALL..`, each CALL "NAME[,ARG].." (or a number instead of the name), one line a
 * CALL: the CALL, then "passed" (done, or refused for another reason), EPERM, ENOSYS, or "killed N". */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define C(name) { #name, SYS_##name }

static const struct {
	const char *name;
	long nr;
} calls[] = {
	C(acct), C(add_key), C(bpf), C(chroot), C(clock_settime), C(clone), C(clone3), C(fanotify_init), C(fsopen), C(getpid), C(io_uring_setup),
	C(ioctl), C(kcmp), C(keyctl), C(mount), C(move_pages), C(open_by_handle_at), C(open_tree), C(perf_event_open), C(personality),
	C(pidfd_getfd), C(pivot_root), C(process_madvise), C(ptrace), C(reboot), C(request_key), C(sethostname), C(setns), C(settimeofday),
	C(socket), C(swapon), C(syslog), C(umount2), C(unshare), C(userfaultfd), C(vhangup), C(prctl), C(seccomp),
};

static long number(const char *name)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].nr;
	return strtol(name, NULL, 0);
}

#ifdef __x86_64__
/* getpid as i386 knows it. */
static long int80(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	return r;
}
#else
static long int80(void)
{
	raise(9);
	return 0;
}
#endif

static void attempt(char *text)
{
	char *save, *name = strtok_r(text, ",", &save), *word;
	unsigned long a[6] = { 0 };
	long r, nr = number(name);

	for (int i = 0; i < 6 && (word = strtok_r(NULL, ",", &save)); i++)
		a[i] = strtoul(word, NULL, 0);
	r = !strcmp(name, "int80") ? int80() : syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (nr == SYS_clone && r == 0)
		_exit(0);
	if (r < 0 && errno == EPERM)
		puts("EPERM");
	else if (r < 0 && errno == ENOSYS)
		puts("ENOSYS");
	else
		puts("passed");
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int status = 0;
		pid_t pid;

		printf("%s ", argv[i]);
		fflush(stdout);
		pid = fork();
		if (!pid)
			attempt(argv[i]);
		waitpid(pid, &status, 0);
		if (WIFSIGNALED(status))
			printf("killed %d\n", WTERMSIG(status));
	}
	return 0;
}

/* A kernel that lacks system calls: `enosys WORD.. -- COMMAND [ARG]..` executes COMMAND under a filter that refuses what the words say, for it and all
 * that it starts. A word is a call below (as ENOSYS, or what a kernel that doesn't know that use of it answers), `CALL=EPERM` (as old filters refuse
 * what they don't know), or a kernel, `5.4` or `4.19`: all calls that are newer, newer uses of older ones, and a version (2.6.N) that is older than any. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ALWAYS, EQUALS, HAS, MANY }; /* .. of argument `arg`: it is `value`; has these bits; has more than one bit */

struct rule {
	const char *name;
	unsigned nr;
	int error, test, arg;
	unsigned value;
	int age; /* Linux 5.AGE has it */
};

#define CALL(name, age) { #name, SYS_##name, ENOSYS, ALWAYS, 0, 0, age }

static const struct rule rules[] = {
	CALL(pidfd_send_signal, 1), CALL(open_tree, 2), CALL(move_mount, 2), CALL(fsopen, 2), CALL(fsconfig, 2), CALL(fsmount, 2),
	CALL(pidfd_open, 3), CALL(clone3, 3), CALL(openat2, 6), CALL(close_range, 9), CALL(faccessat2, 8), CALL(mount_setattr, 12),
	CALL(memfd_create, 0), CALL(execveat, 0), CALL(bpf, 0), CALL(seccomp, 0), CALL(keyctl, 0),
	{ "into_cgroup", SYS_clone3, E2BIG, ALWAYS, 0, 0, 7 },         /* as far as a filter sees: its structure is as long as ours */
	{ "setns_pidfd", SYS_setns, EINVAL, MANY, 1, 0, 8 },           /* several namespaces at once: by no other descriptor */
	{ "close_range_cloexec", SYS_close_range, EINVAL, EQUALS, 2, 4, 11 },
	{ "loop_configure", SYS_ioctl, EINVAL, EQUALS, 1, 0x4c0a, 8 },
	{ "clone_newuser", SYS_clone, EINVAL, HAS, 0, 0x10000000, 0 },
	{ "unshare_newuser", SYS_unshare, EINVAL, HAS, 0, 0x10000000, 0 },
	{ "memfd_exec", SYS_memfd_create, EINVAL, HAS, 1, 0x10, 18 },  /* Linux 6.3 */
};

static struct sock_filter program[512];
static unsigned short length;

static void add(unsigned code, unsigned k, unsigned yes, unsigned no)
{
	program[length++] = (struct sock_filter){ (unsigned short)code, (unsigned char)yes, (unsigned char)no, k };
}

static void load(size_t offset)
{
	add(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static size_t argument(int n)
{
	size_t low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;

	return offsetof(struct seccomp_data, args) + 8 * (size_t)n + low;
}

/* Each rule begins with the number in the accumulator, or loads it. */
static void add_rule(const struct rule *r, int error)
{
	unsigned short skip[2], n = 0;

	load(offsetof(struct seccomp_data, nr));
	skip[n++] = length;
	add(BPF_JMP | BPF_JEQ | BPF_K, r->nr, 0, 0);
	if (r->test != ALWAYS)
		load(argument(r->arg));
	if (r->test == MANY) {
		add(BPF_MISC | BPF_TAX, 0, 0, 0);
		add(BPF_ALU | BPF_SUB | BPF_K, 1, 0, 0);
		add(BPF_ALU | BPF_AND | BPF_X, 0, 0, 0);
		add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	} else if (r->test != ALWAYS) {
		skip[n++] = length;
		add(BPF_JMP | (r->test == HAS ? BPF_JSET : BPF_JEQ) | BPF_K, r->value, 0, 0);
	}
	add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error, 0, 0);
	while (n--)
		program[skip[n]].jf = (unsigned char)(length - skip[n] - 1);
}

/* Since 424 (pidfd_send_signal) the numbers are in the order of their ages, and the same on all machines. */
static void add_kernel(int age, unsigned first)
{
	personality(UNAME26);
	load(offsetof(struct seccomp_data, nr));
	add(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 1, 0); /* another kind of numbers */
	add(BPF_JMP | BPF_JGE | BPF_K, first, 0, 1);
	add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (rules[i].age > age && rules[i].nr < first)
			add_rule(&rules[i], rules[i].error);
}

static int add_word(char *word)
{
	char *error = strchr(word, '=');

	if (!strcmp(word, "5.4"))
		return add_kernel(4, SYS_clone3), 0; /* which has it, but not all of it: glibc's threads take ENOSYS alone for an answer */
	if (!strcmp(word, "4.19"))
		return add_kernel(0, SYS_pidfd_send_signal), 0;
	if (error)
		*error++ = 0;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (!strcmp(word, rules[i].name))
			return add_rule(&rules[i], error ? EPERM : rules[i].error), 0;
	fprintf(stderr, "enosys: %s: unknown\n", word);
	return -1;
}

int main(int argc, char **argv)
{
	struct sock_fprog filter = { 0, program };
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (add_word(argv[i]) < 0)
			return 2;
	if (i + 1 >= argc)
		return 2;
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	filter.len = length;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0) {
		perror("enosys: seccomp");
		return 125;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}

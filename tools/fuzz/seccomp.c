/* Profiles in docker's format: any bytes are refused with a word, or make a program that the kernel would take. */
#include "base/buf.h"
#include "base/err.h"
#include "sys/seccomp.h"
#include "sys/seccomp_text.h"

#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* As the kernel checks it: all leaps stay inside, all ways end with a verdict, loads are of what there is. */
static void check(const struct sock_filter *f, size_t n)
{
	if (!n || n > BPF_MAXINSNS || f[n - 1].code != (BPF_RET | BPF_K))
		abort();
	for (size_t i = 0; i < n; i++) {
		size_t room = n - 1 - i;

		switch (f[i].code) {
		case BPF_RET | BPF_K:
		case BPF_ALU | BPF_AND | BPF_K:
			break;
		case BPF_LD | BPF_W | BPF_ABS:
			if (f[i].k & 3 || f[i].k >= sizeof(struct seccomp_data))
				abort();
			break;
		case BPF_JMP | BPF_JA:
			if (f[i].k >= room)
				abort();
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
			if (f[i].jt >= room || f[i].jf >= room)
				abort();
			break;
		default:
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static int fd = -1;
	struct err err = { 0 };
	struct sock_filter *code;
	char path[40], *filter, *text = xstrndup((const char *)data, len);
	size_t n;

	if (fd < 0)
		fd = memfd_create("profile", 0);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (seccomp_profile(path, UINT64_C(0xa80425fb), &filter, &err) < 0) {
		if (filter || !err.code || !err.text[0])
			abort();
	} else {
		n = seccomp_from_text(filter, &code);
		check(code, n);
		free(code);
	}
	free(filter);
	seccomp_from_text(text, &code);
	free(code);
	free(text);
	return 0;
}

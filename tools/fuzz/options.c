/* Command lines: an applet's option table takes any words or refuses them; its command is never begun. The input is the words, a NUL behind each; its
 * first byte chooses the applet. */
#include "check.h"

#include "base/io.h"
#include "base/opt.h"
#include "ctr/options.h"
#include "ctr/supervise.h"
#include "sys/sealed.h"

#include <setjmp.h>
#include <string.h>

#define WORDS 40

int ctr_exec_main(int argc, char **argv);
int ctr_image_main(int argc, char **argv);
int ctr_logs_main(int argc, char **argv);
int ctr_ns_main(int argc, char **argv);
int ctr_ps_main(int argc, char **argv);
int ctr_run_main(int argc, char **argv);

static jmp_buf back;
static bool inside;
static const struct usage *parsing;
static void *parsed;

/* The linker puts these in the place of the program's own: nothing is printed, nothing begun, nobody exits. */
int __wrap_opt_parse(const struct usage *u, void *into, int argc, char **argv);
int __real_opt_parse(const struct usage *u, void *into, int argc, char **argv);
void __wrap_exit(int code) __attribute__((noreturn));
void __real_exit(int code) __attribute__((noreturn));
int __wrap_write_all(int fd, const void *data, size_t len);
int __wrap_sealed_program(char **argv, struct err *err);
void __wrap_supervise_alone(void);

int __wrap_write_all(int fd, const void *data, size_t len)
{
	(void)fd;
	(void)data;
	(void)len;
	return 0;
}

int __wrap_sealed_program(char **argv, struct err *err)
{
	(void)argv;
	(void)err;
	return 0;
}

void __wrap_supervise_alone(void)
{
}

/* Away from the applet, whose lists are freed. */
static void __attribute__((noreturn)) leave(void)
{
	for (const struct opt *o = parsing ? parsing->opts : NULL; o && (o->letter || o->name); o++)
		if (o->kind == OPT_STRS)
			strs_free((struct strs *)((char *)parsed + o->offset));
	if (parsing && parsing->opts == run_opts)
		strs_free(&((struct run_options *)parsed)->files);
	longjmp(back, 1);
}

void __wrap_exit(int code)
{
	if (!inside)
		__real_exit(code);
	CHECK(code == 0 || code == 2 || code == 125);
	leave();
}

int __wrap_opt_parse(const struct usage *u, void *into, int argc, char **argv)
{
	int n, left = 0;

	parsing = u;
	parsed = into;
	n = __real_opt_parse(u, into, argc, argv);
	while (argv[left])
		left++;
	CHECK(n == left && n < argc);
	leave();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	static int (*const applets[])(int argc, char **argv) = {
		ctr_run_main, ctr_exec_main, ctr_image_main, ctr_logs_main, ctr_ns_main, ctr_ps_main,
	};
	char *argv[WORDS + 1] = { "applet" }, *copy;
	int argc = 1;

	if (!len)
		return -1;
	copy = xmalloc(len + 1);
	memcpy(copy, data, len);
	copy[len] = 0;
	parsing = NULL;
	for (char *p = copy + 1; p < copy + len && argc < WORDS; p += strlen(p) + 1)
		argv[argc++] = p;
	inside = true;
	if (!setjmp(back))
		applets[data[0] % (sizeof applets / sizeof *applets)](argc, argv);
	inside = false;
	free(copy);
	return 0;
}

/* In the sanitized box (`make asan`), which tells what its sanitizers find in the file FINDINGS, wherever a process is by then: a supervisor has
 * no stderr, and the first process of a container no file of the host's. Both still have this memory, which is the file: 8 bytes that
 * count what was written, and the text behind them. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM (1 << 20)

static struct {
	_Atomic size_t used;
	char text[ROOM - sizeof(size_t)];
} *findings;

const char *__asan_default_options(void);
void __asan_set_error_report_callback(void (*tell)(const char *text));
void __ubsan_on_report(void);
void __ubsan_get_current_report_data(const char **kind, const char **text, const char **file, unsigned *line, unsigned *column, char **address);

/* Short-lived programs leave to exit() what it frees for nothing: leaks aren't looked for. Limits are the tests' to set. A cancelled thread leaves its
 * stack poisoned, on which the runtime itself stumbles when it then takes the signal stack away. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0:disable_coredump=0:exitcode=99:allocator_may_return_null=1:use_sigaltstack=0:print_legend=0";
}

static void tell(const char *text)
{
	size_t n = strlen(text), at;

	if (!findings)
		return;
	at = atomic_fetch_add(&findings->used, n);
	if (at < sizeof findings->text)
		memcpy(findings->text + at, text, n < sizeof findings->text - at ? n : sizeof findings->text - at);
}

void __ubsan_on_report(void)
{
	const char *kind, *text, *file;
	char line[512], *address;
	unsigned row, column;

	__ubsan_get_current_report_data(&kind, &text, &file, &row, &column, &address);
	snprintf(line, sizeof line, "UndefinedBehavior %s %s:%u: %s\n", kind, file, row, text);
	tell(line);
}

static void __attribute__((constructor)) open_findings(void)
{
	int fd = open(FINDINGS, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	findings = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (findings == MAP_FAILED)
		findings = NULL;
	close(fd);
	__asan_set_error_report_callback(tell);
}

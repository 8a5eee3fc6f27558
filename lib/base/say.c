#include "base/say.h"
#include "base/io.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *program = "ctrbox";
static bool debugging;

void say_init(const char *name)
{
	const char *debug = getenv("CTRBOX_DEBUG");

	program = name;
	debugging = debug && !strcmp(debug, "1");
}

void say_debug_on(void)
{
	debugging = true;
}

bool say_debugging(void)
{
	return debugging;
}

/* Puts LINE out in one piece; a newline inside would fake another program's message, so it becomes a blank. */
static void put_line(char *line, size_t size)
{
	size_t n = strnlen(line, size - 2);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = ' ';
	line[n] = '\n';
	write_all(STDERR_FILENO, line, n + 1);
}

static void vsay(const char *kind, const char *fmt, va_list ap, const char *after)
{
	char line[1024];
	int n = snprintf(line, sizeof line, "%s: %s", program, kind);

	n += vsnprintf(line + n, sizeof line - n, fmt, ap);
	if (after && n < (int)sizeof line)
		snprintf(line + n, sizeof line - n, " (see \"%s %s\")", program, after);
	put_line(line, sizeof line);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay("", fmt, ap, NULL);
	va_end(ap);
}

void say_err(const char *target, const struct err *e)
{
	if (target && *target)
		say("%s: %s", target, e->text);
	else
		say("%s", e->text);
}

void say_step(const char *fmt, ...)
{
	va_list ap;

	if (!debugging)
		return;
	va_start(ap, fmt);
	vsay("debug: ", fmt, ap, NULL);
	va_end(ap);
}

void die(int exit_code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay("", fmt, ap, NULL);
	va_end(ap);
	exit(exit_code);
}

void die_err(int exit_code, const char *target, const struct err *e)
{
	say_err(target, e);
	exit(e->exit ? e->exit : exit_code);
}

void die_usage(int exit_code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay("", fmt, ap, "--help");
	va_end(ap);
	exit(exit_code);
}

int or_die(int r, const char *act, const char *object)
{
	if (r < 0)
		die(125, "%s %s: %s", act, object, strerror(-r));
	return r;
}

void or_die_err(int r, const struct err *e)
{
	if (r < 0)
		die_err(125, NULL, e);
}

void out_write(const void *data, size_t len)
{
	int r = write_all(STDOUT_FILENO, data, len);

	if (r == -EPIPE)
		exit(1);
	if (r < 0)
		die(1, "standard output: write: %s", strerror(-r));
}

void out_line(const char *text)
{
	size_t len = strlen(text);
	struct iovec line[] = { { (char *)text, len }, { "\n", 1 } };
	ssize_t n = writev(STDOUT_FILENO, line, 2);
	size_t done = n < 0 ? 0 : (size_t)n;

	if (done < len)
		out_write(text + done, len - done);
	if (done <= len)
		out_write("\n", 1);
}

#include "base/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void put_text(struct err *e, int code, const char *fmt, va_list ap)
{
	e->code = code;
	vsnprintf(e->text, sizeof e->text, fmt, ap);
}

static void append(struct err *e, const char *before, const char *s, const char *after)
{
	size_t n = strlen(e->text);

	snprintf(e->text + n, sizeof e->text - n, "%s%s%s", before, s, after);
}

/* The calls for which there is nothing else, the newest first. With these arguments none does anything. */
static const struct {
	short nr;
	char name[20], since[6];
} needed[] = {
	{ SYS_pidfd_open, "pidfd_open", "5.3" },         { SYS_fsopen, "fsopen", "5.2" },
	{ SYS_open_tree, "open_tree", "5.2" },           { SYS_move_mount, "move_mount", "5.2" },
	{ SYS_pidfd_send_signal, "pidfd_send_signal", "5.1" }, { SYS_execveat, "execveat", "3.19" },
	{ SYS_memfd_create, "memfd_create", "3.17" },    { SYS_mount_setattr, "mount_setattr", "5.12" },
};

static void append_missing(struct err *e)
{
	char hint[100];

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		if (syscall(needed[i].nr, -1L, 0L, -1L, 0L, 0L) >= 0 || errno != ENOSYS)
			continue;
		snprintf(hint, sizeof hint, "%s is missing: Linux before %s, or a seccomp filter bars it", needed[i].name, needed[i].since);
		err_hint(e, hint);
		return;
	}
}

int err_sys(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	put_text(e, code, fmt, ap);
	va_end(ap);
	append(e, ": ", strerror(-code), "");
	if (code == -ENOSYS)
		append_missing(e);
	return code;
}

int err_msg(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	put_text(e, code, fmt, ap);
	va_end(ap);
	return code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char tail[sizeof e->text];
	va_list ap;

	if (!e)
		return -EIO;
	memcpy(tail, e->text, sizeof tail);
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	append(e, ": ", tail, "");
	return e->code;
}

int err_hint(struct err *e, const char *hint)
{
	if (!e)
		return -EIO;
	append(e, " (", hint, ")");
	return e->code;
}

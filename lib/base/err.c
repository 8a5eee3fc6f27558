#include "base/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

int err_sys(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	put_text(e, code, fmt, ap);
	va_end(ap);
	append(e, ": ", strerror(-code), "");
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

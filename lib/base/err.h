/* What went wrong, told once: the object, the act and the kernel's word for it.
 *
 * lib/ returns 0 or a descriptor, or -errno; a function that can fail in more than one
 * way also fills a struct err that its caller passes down, so that the applet can print
 * one line that says it all. NULL is allowed everywhere a struct err * is taken. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

struct err {
	int code;       /* -errno, or 0 while nothing failed */
	int exit;       /* exit code wanted by whoever knows better (126, 127), else 0 */
	char text[600]; /* the whole sentence, without the program's name and newline */
};

/* Records "FORMATTED: strerror(-code)", and of ENOSYS which call it is that ctrbox can't do without. Returns CODE, for `return err_sys(..)`. */
int err_sys(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Records FORMATTED as it is, where errno has nothing to add. Returns CODE. */
int err_msg(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "FORMATTED: " before what is already recorded. Returns e->code; -EIO without E, so that no failure becomes a success. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends " (HINT)": the cure, where it is known. Returns as err_prefix does. */
int err_hint(struct err *e, const char *hint);

#endif

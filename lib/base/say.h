/* How applets speak: every message is one line on stderr by one write(2), so that the lines
 * of programs in a pipe don't mix. Applets and a container's own child use this, and lib/ for a warning: what is done all the same. */
#ifndef BASE_SAY_H
#define BASE_SAY_H

#include "base/err.h"
#include <stdbool.h>

/* Sets the name that every line starts with ("ctr-run"); debugging starts if CTRBOX_DEBUG=1. */
void say_init(const char *name);

/* Turns the telling of each step on (--debug). */
void say_debug_on(void);
bool say_debugging(void);

/* "NAME: FORMATTED\n". */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "NAME: TARGET: text\n"; TARGET may be NULL. */
void say_err(const char *target, const struct err *e);

/* "NAME: debug: FORMATTED\n" when --debug was given: each step, before it is done. */
void say_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* say() and exit. */
void die(int exit_code, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

/* say_err() and exit with e->exit, or EXIT_CODE where that is 0. */
void die_err(int exit_code, const char *target, const struct err *e) __attribute__((noreturn));

/* Bad usage: "NAME: FORMATTED (see "NAME --help")" and exit. */
void die_usage(int exit_code, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

/* For what a command does to itself before it becomes another: R, unless that is an error; then "ACT OBJECT: reason", exit 125. */
int or_die(int r, const char *act, const char *object);

/* The same where E tells it. */
void or_die_err(int r, const struct err *e);

/* Writes all of LEN bytes to stdout's descriptor, past stdio; a closed reader (EPIPE) ends quietly with 1. */
void out_write(const void *data, size_t len);

/* The same with TEXT and a newline, as one write(2). */
void out_line(const char *text);

#endif

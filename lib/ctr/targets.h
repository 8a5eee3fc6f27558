/* What an applet does to each of the containers that its operands name. */
#ifndef CTR_TARGETS_H
#define CTR_TARGETS_H

#include "base/opt.h"
#include "ctr/record.h"
#include "ctr/stop.h"

/* The store and in it the one container that TARGET names; or told why not, and the end with EXIT_CODE. */
void target_open(const char *target, int exit_code, struct store *s, struct record *r);

/* 0 or -errno, told. */
typedef int target_act(const struct store *s, struct record *r, const void *arg, struct err *err);

/* Fills TARGETS from N operands ("-": more from stdin) and opens the store, or ends: without any that is bad usage. */
void targets_get(const struct usage *u, int n, char **operands, struct strs *targets, struct store *s);

/* Does ACT to each, and prints it as it was typed once that is done. A failure is told and the others are still done. Returns the applet's
 * exit code, 0 or 1. */
int targets_each(const struct usage *u, int n, char **operands, target_act *act, const void *arg);

/* -t TIME, into a struct stop_options: rows of an applet's table. */
#define STOP_OPTS \
	{ 't', "timeout", "TIME", OPT_TIME, offsetof(struct stop_options, timeout_ms), "until SIGKILL; the container's own, else 10s", NULL }, \
	{ 0, "time", "TIME", OPT_TIME, offsetof(struct stop_options, timeout_ms), NULL, NULL }

/* Stops them all as HOW says; for a shutdown, all that run, and no operands. Prints, tells and returns as targets_each does. */
int targets_stop(const struct usage *u, int n, char **operands, const struct stop_options *how);

/* One target's end: ERR told and 1, or TARGET printed and 0. */
int targets_tell(const char *target, int code, const struct err *err);

#endif

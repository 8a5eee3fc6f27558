/* Ending containers that run. */
#ifndef CTR_STOP_H
#define CTR_STOP_H

#include "ctr/record.h"

/* What a spec says, or the defaults: SIGTERM, ten seconds. */
int stop_signal(const struct spec *s);
int64_t stop_patience_ms(const struct spec *s);

/* Sends SIG to the container's first process. To a PID 1 that neither catches nor blocks it SIGKILL goes instead: the kernel would ignore
 * it (pid_namespaces(7)) and waiting would only burn the time-out. */
void stop_ask(const struct record *r, int pidfd, int sig);

/* Sends any signal to a running container; a paused one goes on afterwards. 0 or -errno, told. */
int stop_send(const struct store *s, struct record *r, int sig, struct err *err);

/* Holds a container still, or lets it go on. It takes the lock: ctr-commit freezes too, for a while. 0 or -errno, told. */
int stop_freeze(const struct store *s, struct record *r, bool frozen, struct err *err);

struct stop_options {
	int signal;           /* 0: the container's own stop signal */
	int64_t timeout_ms;   /* until SIGKILL; -1: the container's own */
	bool must_run;        /* one that doesn't run is an error */
	bool shutdown;        /* no user's wish: what is to run at the next boot still is */
};

/* Stops TARGETS, all at the same time: notes it (no restart), and that a user did it unless it is a SHUTDOWN, asks, kills what hasn't ended
 * in time, and waits until their supervisors have taken everything back. ERRS has an element for each target: its code stays 0 if it is
 * stopped. */
void stop_targets(const struct store *s, const struct strs *targets, const struct stop_options *o, struct err *errs);

#endif

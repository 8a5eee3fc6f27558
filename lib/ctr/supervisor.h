/* What the supervisor's parts share. */
#ifndef CTR_SUPERVISOR_H
#define CTR_SUPERVISOR_H

#include "ctr/health.h"
#include "ctr/launch.h"
#include "ctr/log.h"
#include "ctr/streams.h"
#include "ctr/supervise.h"

#define CLIENTS_MAX 16

struct client {
	int fd;              /* -1: free */
	bool output;         /* wants more than the exit code */
};

struct supervisor {
	const struct store *store;
	struct record *record;
	const struct process *process;
	const char *pidfile;              /* or NULL */
	bool local;                       /* our own stdio is the first client */
	struct log log;
	struct streams streams;
	struct launched child;
	int signals, listener;
	struct client clients[CLIENTS_MAX];
	struct buf input;                 /* for the container's stdin, not yet written */
	bool input_ended;                 /* close its stdin once that is written */
	bool local_input;                 /* our stdin is still open */
	struct health health;
	bool ending;                      /* told to end */
	struct winsize window;            /* of the terminal that last told us */
	int64_t kill_at_ms;               /* SIGKILL then; 0: no time-out */
};

/* One run of the command: passes everything on until it has ended and its output is read. Returns the exit code. */
int supervisor_loop(struct supervisor *s);

/* Makes a lost run directory again: clients find the new one's socket. */
void supervisor_restore(struct supervisor *s);

/* Whether signal SIG tells the supervisor to end: SIGTERM does, and in the foreground what a terminal sends. */
bool supervisor_ends(const struct supervisor *s, int sig);

/* streams' side */
void supervisor_accept(struct supervisor *s);
bool supervisor_has_room(const struct supervisor *s); /* for another client */
void supervisor_client(struct supervisor *s, struct client *c);
void supervisor_add_client(struct supervisor *s, int fd, bool output);
void supervisor_tell_exit(struct supervisor *s, int code);
/* Reads what is there of stream 1 or 2 and passes it to log and clients. False at its end, and when nobody reads our own stdout or stderr
 * any more: the container then gets EPIPE, as it would without us. */
bool supervisor_output(struct supervisor *s, int stream);
void supervisor_local_input(struct supervisor *s);
void supervisor_flush_input(struct supervisor *s);

#endif

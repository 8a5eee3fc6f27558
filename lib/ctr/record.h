/* The record of a container: what was intended (spec.json), what runs (state.json) and what must survive a reboot (last.json).
 *
 *   $CTRBOX_ROOT/containers/<id>/{spec.json,last.json,upper/,work/,log}   its directory; flock on it is the container's lock
 *   $CTRBOX_ROOT/names/<name>       symlink to the id: looking up is one system call
 *   $CTRBOX_RUN/containers/<id>/{state.json,attach,hosts,hostname,resolv.conf}
 *
 * A record that a power cut left empty or garbled is a case: it opens with `garbled` set, is listed as dead, and can be removed. */
#ifndef CTR_RECORD_H
#define CTR_RECORD_H

#include "ctr/spec.h"
#include "ctr/store.h"
#include <sys/types.h>

/* $CTRBOX_RUN/containers/<id>/state.json: true as long as that supervisor lives, in that boot. */
struct state {
	char *boot_id;
	int64_t pid, pid_start;             /* the container's init, seen from the host; 0 while there is none */
	int64_t supervisor, supervisor_start;
	char *cgroup;                       /* group's path */
	int64_t started, started_boot_ms;   /* epoch seconds; CLOCK_BOOTTIME */
	int64_t starts;                     /* how often it was started */
	bool restarting;                    /* waits to be started again */
	bool pivot_fallback;                /* root moved, not pivoted (initramfs) */
	char *health;                       /* starting, healthy, unhealthy */
	int64_t helper, helper_start;       /* outside.h: the program that carries its packets; 0: none */
	struct array attachments, ports;    /* struct attachment, struct port: what it has of its networks */
};

/* $CTRBOX_ROOT/containers/<id>/last.json. Written at each start (but for --rm) as what would be true after a power cut, and
 * at the end. */
struct last {
	int64_t exit_code, started, finished, restarts; /* times in epoch seconds; started 0: never ran; finished 0: nobody saw it end */
	bool stopped_by_user, oom;
	char *error;                        /* why it couldn't be started */
};

enum status { CREATED, RUNNING, PAUSED, RESTARTING, EXITED, DEAD };
const char *status_name(enum status s);

struct record {
	char id[ID_LENGTH + 1];
	struct spec spec;
	struct state state;    /* zero while nothing runs */
	struct last last;
	bool garbled;
	int dir;               /* $CTRBOX_ROOT/containers/<id> */
	int run;               /* $CTRBOX_RUN/containers/<id>, or -1 */
};

/* In the mode of the directory of a container that was made with --rm: its spec isn't synced, so that a power cut may leave it empty. */
#define RECORD_PASSING S_ISVTX

/* Writes a new container: SPEC gets its id, and its name where it has none, and its `created`. The name is taken. On failure nothing
 * is left: -EEXIST: the name is taken. OUT is open and locked (its lock is returned in *LOCK). */
int record_create(const struct store *s, struct spec *spec, bool sync, struct record *out, int *lock, struct err *err);

/* Shorter beginnings of an id aren't taken for it: "ctr-rm -f db", when db is gone already, mustn't remove whoever's id begins so. */
#define ID_PREFIX_MIN 3

/* Opens by name, id or unique prefix of an id. -ENOENT (told: no such container), -EEXIST (several), or -errno. */
int record_open(const struct store *s, const char *target, struct record *out, struct err *err);
/* Opens by its whole id. -ENOENT: there is none; or another -errno: it couldn't be read, which doesn't make it garbled. */
int record_open_id(const struct store *s, const char *id, struct record *out, struct err *err);
void record_close(struct record *r);

/* For listings: reads of the spec what spec_summary says, and of the other files those in PARTS; opens no directory. ROOM is for what is
 * read, and may be used for one after the other. 0 (a damaged spec makes it garbled) or -ENOENT: it has no spec. */
enum { PEEK_STATE = 1, PEEK_LAST = 2 };
int record_peek(const struct store *s, const char *id, unsigned parts, struct buf *room, struct record *out);

/* Rereads state.json and last.json; what can't be read now stays as it was read before. */
void record_refresh(const struct store *s, struct record *r);

/* Rereads what ctr-net connect and disconnect may have changed: the state's attachments, which the supervisor holds. */
void record_refresh_networks(struct record *r);

/* Rereads of the spec what others may have changed meanwhile: limits, networks, name. */
void record_refresh_spec(struct record *r);

/* What it is now: the supervisor is looked for, the freezer asked. */
enum status record_status(const struct store *s, const struct record *r);
bool record_running(const struct store *s, const struct record *r); /* RUNNING or PAUSED */

/* A pidfd of the container's init, verified, or -ESRCH. */
int record_pidfd(const struct record *r);

/* A pidfd, and the pid, of a process by which its namespaces are joined: init, unless that is ours (--init), into which only the host's root
 * may look: then its first child. Or -ESRCH. */
int record_way_in(const struct record *r, pid_t *pid);

/* The same of its supervisor: whoever has one is starting, running, waiting to be started again, or being taken back. Any other error than -ESRCH
 * leaves open whether there is one. */
int record_supervisor(const struct store *s, const struct record *r);

/* The path of its group, malloc'ed: as noted, else made of its id, so that a crash before it was noted is covered too. */
char *record_cgroup(const struct store *s, const struct record *r);

/* Notes in the run directory that it is to end: its supervisor won't start it again. BY_USER: nor does the next boot (`unless-stopped`). Only the
 * first note counts. And what is noted. */
void record_mark_stopped(const struct record *r, bool by_user);
bool record_marked_stopped(const struct record *r);
bool record_stopped_by_user(const struct record *r);

/* The container's lock: held while it is started, removed, committed, copied. TIMEOUT_MS as file_lock. A descriptor to close, -EWOULDBLOCK,
 * or -ENOENT if it was removed meanwhile. */
int record_lock(const struct record *r, int timeout_ms, struct err *err);

/* Writes state.json (and makes the run directory), last.json, spec.json. 0 or -errno. */
int record_write_state(const struct store *s, struct record *r, struct err *err);
int record_write_last(struct record *r, bool sync, struct err *err);
int record_write_spec(struct record *r, struct err *err);

/* Gives the container another name. -EEXIST: taken. */
int record_rename(const struct store *s, struct record *r, const char *name, struct err *err);

/* Gives the container its name again if nobody has it: 1 if it does, else 0. Under its lock. */
int record_mend_name(const struct store *s, const struct record *r);

/* Removes names that lead to no container, or to one of another name. Appends "name NAME" to FREED. 0 or -errno, told. */
int record_sweep_names(const struct store *s, struct strs *freed, struct err *err);

/* Removes the run directory: nothing runs any more. */
void record_forget_state(const struct store *s, struct record *r);

/* Removes name, record and directories. Killed on the way it leaves the container as it was, or without its record, for ctr-gc. Under its lock;
 * nothing runs. */
int record_remove(const struct store *s, struct record *r, struct err *err);

/* Every container's id, sorted; those that DIRFD (a store's root or run) has a directory of. */
int record_ids(const struct store *s, struct strs *ids, struct err *err);
int record_ids_in(int dirfd, struct strs *ids, struct err *err);

/* Checks a name: a letter or digit, then letters, digits, _ . -; not all digits; at most 128. 0 or -EINVAL, told. */
int name_check(const char *name, struct err *err);

/* The pid of a running container, or of a TARGET that is all digits. -errno, told. */
int target_pid(const char *target, struct err *err);

/* Shows each container's record to SEE. 0, or -errno, told: one can't be read, and so nobody knows what it uses. */
int record_each(const struct store *s, void (*see)(const struct record *r, void *arg), void *arg, struct err *err);

/* Appends the image ids and diff_ids that containers use. 0 or -errno. */
int record_images_in_use(struct strs *image_ids, struct strs *layer_ids, struct err *err);

#endif

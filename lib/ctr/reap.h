/* The one way to tear down. */
#ifndef CTR_REAP_H
#define CTR_REAP_H

#include "ctr/record.h"

/* Takes back everything a container held while it ran: its processes, its cgroup, its state. Driven by the record alone, idempotent, the same
 * after a normal exit, an error half way, a SIGKILL and a power cut. EXIT_CODE is noted as the last one (-1: nobody was there to
 * learn it; 137, supervisor lost, is noted unless an exit was). Its files stay. 0 or -errno: the first failure; it goes on past failures. */
int reap(const struct store *s, struct record *r, int exit_code, struct err *err);

/* Whether a container that has no supervisor has remains of one: a run directory, a cgroup. */
bool reap_due(const struct store *s, const struct record *r);

/* reap() if the container has remains of a supervisor that is gone. Under its lock. -EBUSY: it isn't gone. */
int reap_remains(const struct store *s, struct record *r, struct err *err);

/* Ends a container and its supervisor whatever they are doing: SIGKILL to the container, then to the supervisor if it doesn't end by
 * itself. Its remains are still to be reaped. */
void kill_now(const struct store *s, struct record *r);

/* Removes the container, its anonymous volumes (VOLUMES) and everything of it. Under its lock, nothing runs. */
int container_remove(const struct store *s, struct record *r, bool volumes, struct err *err);

#endif

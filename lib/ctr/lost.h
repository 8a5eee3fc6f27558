/* Containers whose run directory was lost under them: somebody emptied $CTRBOX_RUN, or mounted something over it. They run on, their
 * supervisor is found by its processes' group, and writes the state once more when it is asked. Only what others were to learn of it by its
 * old files is lost: names that come later aren't in its /etc/hosts before its next start. An ordinary user's namespace is kept by a lock
 * in that directory: his containers can't be asked. */
#ifndef CTR_LOST_H
#define CTR_LOST_H

#include "ctr/record.h"
#include <sys/signalfd.h>

/* A pidfd of the supervisor of a container whose run directory isn't there: the parent of one of its group's processes, if that has the
 * container's directory open. Or -ESRCH. */
int lost_supervisor(const struct store *s, const struct record *r);

/* Asks that one to write the state again, and waits for it, a second at most. 0, -ETIMEDOUT or -errno. */
int lost_ask(const struct store *s, const char *id, int supervisor);

/* Asks the supervisors of all containers: what the first command does that finds no run directories at all. */
void lost_recover(const struct store *s);

/* In the supervisor: whether INFO is such a question. */
bool lost_asked(const struct signalfd_siginfo *info);

/* Makes the run directory anew if it is lost: state, hosts files and leases. Whether it was. */
bool lost_restore(const struct store *s, struct record *r);

#endif

/* New namespaces for the caller or for a child of its, with the work that has to be done from outside of them. */
#ifndef SYS_NS_MAKE_H
#define SYS_NS_MAKE_H

#include "base/err.h"
#include <stdbool.h>
#include <sys/types.h>

struct ns_make {
	int flags;   /* CLONE_NEW* that are to be made; may be 0 */
	bool fork;   /* for a child: a pid namespace takes effect only there */
	/* Called in a process that stays in the old namespaces, once the new ones exist: PID is their first
	 * member. NULL: nothing to do. 0 or -errno. */
	int (*outside)(void *arg, pid_t pid, struct err *err);
	void *arg;
	int link;    /* out: ties parent and child together, closed by exec; -1 without fork */
};

/* Makes them: clone3(2) or unshare(2). Returns 0 inside of them (in the child with `fork`, else in the caller)
 * after OUTSIDE has done its work, the child's pid in the parent, or -errno. */
pid_t ns_make(struct ns_make *m, struct err *err);

/* In the child, when its user is the last one: SIGKILL when the parent dies, also if that has happened already
 * (prctl(2), PR_SET_PDEATHSIG). */
void ns_die_with_parent(const struct ns_make *m);

#endif

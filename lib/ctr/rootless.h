/* An ordinary user's containers. All processes of ctrbox that use one store at the same time are in one user namespace, in which the
 * user is root: there the code that root runs does its work. It lasts as long as any of them. Who comes finds it by a lock: each
 * process in it holds a read lock (fcntl(2)) on a file in $CTRBOX_RUN, and the kernel tells the pid of one that does. So nobody has
 * to stay behind for it, and nothing is left of those who died. */
#ifndef CTR_ROOTLESS_H
#define CTR_ROOTLESS_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

/* The caller, an ordinary user and single-threaded, joins the user namespace of those who use the store whose run directory is RUN,
 * or makes it, and gets a mount namespace in it. Ids are those that newuidmap(1) grants by /etc/subuid and /etc/subgid, if it is
 * installed and there are any; else the user's own alone. 0 or -errno, told. */
int rootless_enter(int run, struct err *err);

/* A child of a process in it goes on when its parent has ended: it holds the lock too. 0 or -errno, told. */
int rootless_hold(int run, struct err *err);

/* Gives that lock up: for who isn't to be looked into from now on (PR_SET_DUMPABLE), and so is no way in for others. Somebody else who
 * is inside, such as a container's supervisor, goes on holding it. */
void rootless_let_go(int run);

/* For ctr-info: whether the caller could make such a namespace, and how many ids it would have. */
bool rootless_probe(void);
int64_t rootless_ids(void);

#endif

/* The way out, and in to published ports, of an ordinary user's container: a program that has a network stack of its own carries
 * its packets, pasta(1) or slirp4netns(1). It ends with the container. spec.outside says which: "any" is the first that is there. */
#ifndef CTR_OUTSIDE_H
#define CTR_OUTSIDE_H

#include "ctr/record.h"

/* Where both answer questions of the container's resolver that the host's can't be asked by. */
#define OUTSIDE_DNS "10.0.2.3"

/* Whether --net NAME means one of the programs. */
bool outside_is(const char *name);

/* Whether NAME ("any": one of them) is installed. */
bool outside_there(const char *name);

/* Starts it for the new container, whose network namespace is NETNS (a descriptor), with its ports published, and notes it in the state. Where "any" can't be
 * had and no port is asked for, that is said and the container goes without. 0 or -errno, told. */
int outside_connect(const struct store *s, struct record *r, int netns, struct err *err);

/* Ends it, by what the state says; idempotent. */
void outside_release(struct record *r);

#endif

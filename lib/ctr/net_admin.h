/* What ctr-net does: networks of the whole store, and containers coming and going on them. All tell in ERR. */
#ifndef CTR_NET_ADMIN_H
#define CTR_NET_ADMIN_H

#include "base/json.h"
#include "ctr/networking.h"

struct network;

/* Checks N and makes its record and its bridge. 0, -EINVAL, -EEXIST or another -errno. */
int net_create(const struct store *s, struct network *n, bool ipv6, struct err *err);

/* -EBUSY if a container is to be on it. */
int net_remove(const struct store *s, const char *name, struct err *err);
int net_prune(const struct store *s, struct strs *removed, struct err *err);

/* How many containers are to be on it, running or not; their names are appended to WHO (may be NULL). Or -errno: a record can't be read. */
int net_users(const struct store *s, const char *name, struct strs *who, struct err *err);

/* One object into an array. */
int net_inspect(const struct store *s, const char *name, struct json_out *o, struct err *err);

/* Bridges, rules and published ports of everything that runs, made again where they are missing. */
int net_reload(const struct store *s, struct err *err);
/* The same for who has networks_lock. */
int net_put_back(const struct store *s, struct err *err);

int net_connect(const struct store *s, const char *target, const struct net_spec *n, struct err *err);
int net_disconnect(const struct store *s, const char *target, const char *network, struct err *err);

/* Runs a command of the host in a new network namespace on NETWORK: its exit code, or -errno. */
int net_run(const struct store *s, const char *network, char **cmd, struct err *err);

#endif

/* Users and groups by the rootfs's own /etc/passwd and /etc/group: passwd(5), group(5). The C library is never asked: it would look at
 * the host's, or load what the image offers (CVE-2019-14271). */
#ifndef CTR_USERDB_H
#define CTR_USERDB_H

#include "base/buf.h"
#include "base/err.h"
#include <sys/types.h>

struct user {
	uid_t uid;
	gid_t gid;
	gid_t groups[64];
	int ngroups;
	char *home;        /* "/" where it isn't known; malloc'ed */
};

/* USER is name|uid[:name|gid], NULL for 0:0; EXTRA are further groups. Files are read below ROOTFD. A number needs no entry; a
 * name does. Numbers are plain decimals below 2^32 - 1. 0, -EINVAL (bad form), -ENOENT (no such user or group), told. */
int user_find(int rootfd, const char *user, const struct strs *extra, struct user *out, struct err *err);

/* The name of UID by that /etc/passwd, malloc'ed, or NULL. */
char *user_name(int rootfd, uid_t uid);

#endif

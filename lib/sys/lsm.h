/* The label that a security module gives a program: AppArmor's profile, SELinux's context. proc_pid_attr(5). */
#ifndef SYS_LSM_H
#define SYS_LSM_H

#include "base/err.h"
#include <stdbool.h>

enum lsm { LSM_APPARMOR, LSM_SELINUX };

/* Whether this host enforces it: /sys/module/apparmor/parameters/enabled, selinuxfs on /sys/fs/selinux. */
bool lsm_enabled(enum lsm which);

/* The caller's next execve(2) runs under LABEL. 0 or -errno, told. */
int lsm_at_exec(enum lsm which, const char *label, struct err *err);

#endif

/* Capabilities by name and the sets of a process: capabilities(7). A set is a bit mask. */
#ifndef SYS_CAPS_H
#define SYS_CAPS_H

#include "base/buf.h"
#include "base/err.h"
#include <stdint.h>

/* docker's fourteen. */
extern const uint64_t caps_default;

/* Every capability this kernel knows (/proc/sys/kernel/cap_last_cap, else 0 to 40). */
uint64_t caps_all(void);

/* "SYS_ADMIN", "cap_sys_admin", "ALL" -> mask. 0 or -EINVAL. */
int caps_parse(const char *name, uint64_t *mask, struct err *err);

/* "CAP_CHOWN", .. of a mask, appended in the order of their numbers; one without a name is "CAP_41". */
void caps_names(uint64_t mask, struct strs *out);

/* Limits the bounding set to MASK (prctl(2), PR_CAPBSET_DROP); needs SETPCAP if anything is to go. Before the
 * change of user. 0 or -errno. */
int caps_bound(uint64_t mask);

/* Takes from permitted and effective what isn't in MASK; inheritable and ambient become empty (capset(2)). After
 * the change of user, which has emptied them already unless the user is root. 0 or -errno. */
int caps_set(uint64_t mask);

#endif

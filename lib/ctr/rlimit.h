/* Resource limits as --ulimit spells them: getrlimit(2). */
#ifndef CTR_RLIMIT_H
#define CTR_RLIMIT_H

#include "base/err.h"
#include <sys/resource.h>

/* "nofile=1024[:2048]"; -1 or "unlimited" for no limit. 0 or -EINVAL, told. */
int rlimit_parse(const char *s, int *resource, struct rlimit *out, struct err *err);

#endif

/* Ranges of ids that the administrator gave to somebody: subuid(5), subgid(5). */
#ifndef SYS_SUBID_H
#define SYS_SUBID_H

#include <stdint.h>

struct subid {
	uint32_t first, count;
};

#define SUBID_MAX 32
struct subids {
	struct subid v[SUBID_MAX];
	int n;
};

/* The ranges of USER in PATH ("/etc/subuid", "/etc/subgid"), in their order: of the lines that begin with the name USER (NULL: none)
 * or with the decimal UID (-1: none). Lines that make no sense, and more than SUBID_MAX, are passed over; a missing file has none.
 * 0 or -errno. */
int subid_ranges(const char *path, const char *user, int64_t uid, struct subids *out);

#endif

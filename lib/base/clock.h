/* Clocks, and what ties a pid or an age to one boot. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_ns(void);  /* CLOCK_REALTIME; 1970 on a board without a battery */
int64_t clock_boot_ms(void);  /* CLOCK_BOOTTIME: ages and time-outs */

/* What is left until DUE_MS of clock_boot_ms, as a time-out for poll(2): 0 once it is over, at most an hour. */
int clock_left_ms(int64_t due_ms);

/* This boot's random id (/proc/sys/kernel/random/boot_id), 36 characters; "" where /proc is missing. Cached. */
const char *clock_boot_id(void);

/* "2026-11-21 23:47:44" in local time. */
void clock_local(int64_t epoch_s, char out[20]);

/* RFC 3339 with nanoseconds, UTC: "2026-11-21T23:47:44.000000001Z". */
void clock_rfc3339(int64_t epoch_ns, char out[36]);
/* The other way; also "2026-11-21T23:47:44Z", a bare epoch in seconds. 0 or -EINVAL. */
int clock_parse(const char *s, int64_t *epoch_ns);

/* LEN (at most 256) bytes of the kernel's randomness, for names, not for secrets: early in a boot, a machine without a generator of its own takes a
 * second to have any that it would vouch for, for which nobody waits (random(7); on Linux before 5.6 we do). */
void random_bytes(void *out, size_t len);

/* LEN lower-case hex digits of it and a NUL. */
void random_hex(char *out, int len);

#endif

/* Numbers as users type them, strictly: the whole string counts, no sign, no blank, no hex,
 * no overflow. Each returns 0, or -EINVAL / -ERANGE with *OUT untouched. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

int num_u64(const char *s, uint64_t *out);
int num_i64(const char *s, int64_t *out);                  /* a leading '-' allowed */
int num_range(const char *s, int64_t min, int64_t max, int64_t *out);
int num_size(const char *s, int64_t *out);                 /* bytes, or k m g t (b, kb.. too), 1024-based; "1.5g" */
int num_time_ms(const char *s, int64_t *out);              /* seconds ("10", "0.5"), 500ms 10s 5m 2h 1d, "1m30s" */
int num_cpus(const char *s, int64_t *quota_us);            /* "0.5" -> 50000 per 100000 us; at least 1000 */
int num_cpuset(const char *s);                             /* checks "0-3,5" */

/* "12.3M": a size for people, at most 6 characters and NUL. */
void num_human(int64_t bytes, char out[16]);

/* The Nth (from 0) of S's words, between blanks; NULL if it has fewer. For the files of proc, with strtol(3). */
const char *word_at(const char *s, int n);

#endif

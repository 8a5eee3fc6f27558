/* A filter program as text for spec.json: the hexadecimal digits of its instructions. */
#ifndef SYS_SECCOMP_TEXT_H
#define SYS_SECCOMP_TEXT_H

#include <linux/filter.h>
#include <stddef.h>

char *seccomp_to_text(const struct sock_filter *code, size_t n); /* malloc'ed */

/* How many instructions; 0: it isn't one. *CODE is malloc'ed, or NULL. */
size_t seccomp_from_text(const char *text, struct sock_filter **code);

#endif

/* Rules about system calls into a program for seccomp(2): classic BPF that finds the call's number in a balanced tree over ranges, and then
 * looks at arguments where a rule asks for it. The build uses it for the default profile, the box for profiles of the user's. */
#ifndef SYS_SECCOMP_COMPILE_H
#define SYS_SECCOMP_COMPILE_H

#include "base/err.h"
#include "base/fields.h"
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether (argument & mask) OP value; `half`: of its low 32 bits alone. MASK counts for SECCOMP_EQ only. */
enum seccomp_op { SECCOMP_EQ, SECCOMP_NE, SECCOMP_GT, SECCOMP_LE, SECCOMP_GE, SECCOMP_LT };
struct seccomp_test {
	uint64_t value, mask;
	enum seccomp_op op;
	int index;               /* 0 to 5 */
	bool half;
};

#define SECCOMP_TESTS 6

/* If all tests hold, the outcome is ACTION (SECCOMP_RET_..). With CAP it counts only in programs that are loaded for holders of that capability. */
struct seccomp_rule {
	uint32_t action;
	int cap;                 /* number, or -1 */
	int n;
	struct seccomp_test tests[SECCOMP_TESTS];
};

/* Of the rules about a call the first that holds counts, in the order in which they were added. */
struct seccomp_policy {
	uint32_t arch;           /* AUDIT_ARCH_.. that it is for; calls by any other are `foreign` */
	uint32_t foreign, fallback, unknown; /* of calls that have rules, but none holds; of all others */
	struct array rules;      /* struct seccomp_rule, by seccomp_rule_add */
	struct array calls;      /* which rule is about which call, by seccomp_call_add */
};

/* The rule's place, for seccomp_call_add. */
size_t seccomp_rule_add(struct seccomp_policy *p, const struct seccomp_rule *rule);
void seccomp_call_add(struct seccomp_policy *p, uint32_t nr, size_t rule);
void seccomp_policy_free(struct seccomp_policy *p);

/* An instruction that leaps over a rule; who has the capability makes its k 0. */
struct seccomp_guard {
	unsigned short at, cap;
};

struct seccomp_program {
	struct sock_filter *code; /* malloc'ed; both begin as NULL */
	size_t n;
	struct seccomp_guard *guards;
	size_t nguards;
};

/* 0, or -E2BIG (told): more than BPF_MAXINSNS. */
int seccomp_compile(struct seccomp_policy *p, struct seccomp_program *out, struct err *err);

#endif

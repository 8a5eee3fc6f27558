#include "sys/seccomp_compile.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>

/* x86_64's other numbers for its calls are from here on; no architecture of ours has true ones there. A profile that lets unknown calls
 * pass must not be circumvented by them. */
#define X32_BIT 0x40000000

/* A rule about a call, in the order of addition. */
struct call {
	uint32_t nr;
	unsigned rule, order;
};

/* What is to be done with one or more calls: their rules, and where the code for it begins. */
struct class {
	unsigned first, n;       /* in the sorted calls; n 0: ACTION alone */
	uint32_t action;
	size_t at;
};

/* Calls from START up to the next range's. */
struct range {
	uint32_t start;
	unsigned class;
};

/* The program is written from its end to its beginning, so that every leap, which can only go onwards, knows its target. Places count from the end. */
struct work {
	const struct seccomp_policy *p;
	const struct call *calls;
	struct array code;       /* struct sock_filter */
	struct array guards;     /* struct seccomp_guard, `at` as a place */
	struct array classes, ranges;
};

size_t seccomp_rule_add(struct seccomp_policy *p, const struct seccomp_rule *rule)
{
	*(struct seccomp_rule *)array_add(&p->rules, sizeof *rule) = *rule;
	return p->rules.n - 1;
}

void seccomp_call_add(struct seccomp_policy *p, uint32_t nr, size_t rule)
{
	struct call *c = array_add(&p->calls, sizeof *c);

	*c = (struct call){ nr, (unsigned)rule, (unsigned)p->calls.n };
}

void seccomp_policy_free(struct seccomp_policy *p)
{
	free(p->rules.v);
	free(p->calls.v);
	*p = (struct seccomp_policy){ 0 };
}

static const struct seccomp_rule *rule_of(const struct work *w, unsigned call)
{
	return (const struct seccomp_rule *)w->p->rules.v + w->calls[call].rule;
}

static size_t emit(struct work *w, unsigned code, uint32_t k)
{
	*(struct sock_filter *)array_add(&w->code, sizeof(struct sock_filter)) = (struct sock_filter){ (unsigned short)code, 0, 0, k };
	return w->code.n - 1;
}

/* The place TO as it can be reached by the next instructions: a conditional leap goes no further than 255. */
static size_t within_reach(struct work *w, size_t to)
{
	const struct sock_filter *there = (const struct sock_filter *)w->code.v + to;

	if (w->code.n - to < 250)
		return to;
	if (there->code == (BPF_RET | BPF_K))
		return emit(w, BPF_RET | BPF_K, there->k);
	return emit(w, BPF_JMP | BPF_JA, (uint32_t)(w->code.n - to - 1));
}

/* If the accumulator OP K, on at YES, else at NO. */
static size_t branch(struct work *w, unsigned op, uint32_t k, size_t yes, size_t no)
{
	struct sock_filter *f;
	size_t n;

	yes = within_reach(w, yes);
	no = within_reach(w, no);
	n = emit(w, BPF_JMP | BPF_K | op, k);
	f = (struct sock_filter *)w->code.v + n;
	f->jt = (unsigned char)(n - yes - 1);
	f->jf = (unsigned char)(n - no - 1);
	return n;
}

/* The low (0) or high (1) half of the argument into the accumulator. An architecture's number tells its byte order. */
static size_t load_half(struct work *w, const struct seccomp_test *t, int high)
{
	uint32_t mask = (uint32_t)(t->mask >> (32 * high));

	size_t at = offsetof(struct seccomp_data, args) + 8 * (size_t)t->index;

	if (t->op == SECCOMP_EQ && ~mask)
		emit(w, BPF_ALU | BPF_AND | BPF_K, mask);
	return emit(w, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at + (!high == !(w->p->arch & __AUDIT_ARCH_LE) ? 4 : 0));
}

/* On at YES if the test holds, else at NO. */
static size_t test(struct work *w, const struct seccomp_test *t, size_t yes, size_t no)
{
	bool inverted = t->op == SECCOMP_NE || t->op == SECCOMP_LE || t->op == SECCOMP_LT;
	bool equality = t->op == SECCOMP_EQ || t->op == SECCOMP_NE;
	uint32_t low = (uint32_t)t->value, high = (uint32_t)(t->value >> 32);
	size_t then = inverted ? no : yes, otherwise = inverted ? yes : no, at;

	branch(w, equality ? BPF_JEQ : t->op == SECCOMP_GT || t->op == SECCOMP_LE ? BPF_JGT : BPF_JGE, low, then, otherwise);
	at = load_half(w, t, 0);
	if (t->half)
		return at;
	at = branch(w, BPF_JEQ, high, at, otherwise);
	if (!equality)
		branch(w, BPF_JGT, high, then, at);
	return load_half(w, t, 1);
}

/* The rule, behind which NEXT is. */
static size_t rule_code(struct work *w, const struct seccomp_rule *r, size_t next)
{
	size_t at = emit(w, BPF_RET | BPF_K, r->action);

	for (int i = r->n; i-- > 0;)
		at = test(w, &r->tests[i], at, next);
	if (r->cap >= 0) {
		at = emit(w, BPF_JMP | BPF_JA, (uint32_t)(at - next));
		*(struct seccomp_guard *)array_add(&w->guards, sizeof(struct seccomp_guard)) =
			(struct seccomp_guard){ (unsigned short)at, (unsigned short)r->cap };
	}
	return at;
}

static bool always(const struct seccomp_rule *r)
{
	return !r->n && r->cap < 0;
}

static void class_code(struct work *w, struct class *c)
{
	c->at = emit(w, BPF_RET | BPF_K, c->action);
	for (unsigned i = c->n; i-- > 0;)
		c->at = rule_code(w, rule_of(w, c->first + i), c->at);
}

static bool same_rule(const struct seccomp_rule *a, const struct seccomp_rule *b)
{
	bool same = a->action == b->action && a->cap == b->cap && a->n == b->n;

	for (int i = 0; same && i < a->n; i++) {
		const struct seccomp_test *x = &a->tests[i], *y = &b->tests[i];

		same = x->value == y->value && x->mask == y->mask && x->op == y->op && x->index == y->index && x->half == y->half;
	}
	return same;
}

static bool same_class(const struct work *w, const struct class *a, const struct class *b)
{
	if (a->n != b->n || a->action != b->action)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (!same_rule(rule_of(w, a->first + i), rule_of(w, b->first + i)))
			return false;
	return true;
}

static unsigned class_find(struct work *w, const struct class *c)
{
	const struct class *known = w->classes.v;
	unsigned i = 0;

	while (i < w->classes.n && !same_class(w, &known[i], c))
		i++;
	if (i == w->classes.n)
		*(struct class *)array_add(&w->classes, sizeof *c) = *c;
	return i;
}

/* From START on calls are of class C; what has the class already simply goes on. */
static void range_add(struct work *w, uint32_t start, const struct class *c)
{
	unsigned class = class_find(w, c);
	struct range *r = w->ranges.v;

	if (w->ranges.n && r[w->ranges.n - 1].start == start)
		w->ranges.n--;
	if (!w->ranges.n || r[w->ranges.n - 1].class != class)
		*(struct range *)array_add(&w->ranges, sizeof *r) = (struct range){ start, class };
}

static int by_number(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	return x->nr != y->nr ? (x->nr < y->nr ? -1 : 1) : (x->order > y->order) - (x->order < y->order);
}

/* One class a call, in the order of their numbers, and that of unknown ones between. */
static void make_ranges(struct work *w)
{
	const struct class unknown = { .action = w->p->unknown };
	const struct class beyond = { .action = SECCOMP_RET_ERRNO | ENOSYS };
	unsigned n = (unsigned)w->p->calls.n;

	range_add(w, 0, &unknown);
	for (unsigned i = 0, next; i < n; i = next) {
		struct class c = { .first = i, .action = w->p->fallback };

		for (next = i; next < n && w->calls[next].nr == w->calls[i].nr; next++)
			if (next == i + c.n && !always(rule_of(w, next)))
				c.n++;
		if (i + c.n < next) /* what comes behind a rule that always holds doesn't matter */
			c.action = rule_of(w, i + c.n)->action;
		range_add(w, w->calls[i].nr, &c);
		range_add(w, w->calls[i].nr + 1, &unknown);
	}
	range_add(w, X32_BIT, &beyond);
}

static size_t tree(struct work *w, const struct range *r, size_t n)
{
	size_t half = n / 2, left, right;

	if (n == 1)
		return within_reach(w, ((const struct class *)w->classes.v + r->class)->at);
	right = tree(w, r + half, n - half);
	left = tree(w, r, half);
	return branch(w, BPF_JGE, r[half].start, right, left);
}

/* The program begins with it: the call must be of our architecture. FOREIGN is the place of what is done with others. */
static void prologue(struct work *w, size_t root, size_t foreign)
{
	size_t at;

	if (root != w->code.n - 1)
		emit(w, BPF_JMP | BPF_JA, (uint32_t)(w->code.n - root - 1));
	at = emit(w, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	branch(w, BPF_JEQ, w->p->arch, at, foreign);
	emit(w, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
}

/* From the end's view to the beginning's. */
static void turn(struct work *w, struct seccomp_program *out)
{
	struct sock_filter *code = w->code.v;
	size_t n = w->code.n;

	for (size_t i = 0; i < n / 2; i++) {
		struct sock_filter f = code[i];

		code[i] = code[n - 1 - i];
		code[n - 1 - i] = f;
	}
	*out = (struct seccomp_program){ code, n, w->guards.v, w->guards.n };
	for (size_t i = 0; i < out->nguards; i++)
		out->guards[i].at = (unsigned short)(n - 1 - out->guards[i].at);
}

int seccomp_compile(struct seccomp_policy *p, struct seccomp_program *out, struct err *err)
{
	struct work w = { .p = p, .calls = p->calls.v };
	struct class *classes;
	size_t foreign;

	if (p->calls.n)
		qsort(p->calls.v, p->calls.n, sizeof(struct call), by_number);
	make_ranges(&w);
	foreign = emit(&w, BPF_RET | BPF_K, p->foreign);
	classes = w.classes.v;
	for (size_t i = 0; i < w.classes.n; i++)
		class_code(&w, &classes[i]);
	prologue(&w, tree(&w, w.ranges.v, w.ranges.n), foreign);
	free(w.classes.v);
	free(w.ranges.v);
	turn(&w, out);
	if (out->n <= BPF_MAXINSNS)
		return 0;
	free(out->code);
	free(out->guards);
	*out = (struct seccomp_program){ 0 };
	return err_msg(err, -E2BIG, "makes more than %d instructions", BPF_MAXINSNS);
}

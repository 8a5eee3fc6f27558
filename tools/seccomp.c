/* Makes the default seccomp profile's program: `seccomp PROFILE SYSCALLS`. PROFILE is lib/sys/seccomp.profile, where its language is told; SYSCALLS is what
 * tools/syscalls said about the architecture. Runs while the box is built, on the machine that builds. Prints C for lib/sys/seccomp.c. */
#include "base/buf.h"
#include "base/file.h"
#include "base/say.h"
#include "sys/caps.h"
#include "sys/seccomp_compile.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_COMMON 424 /* from here on numbers are the same on all architectures */

struct known {
	char *name;
	unsigned long nr;
	bool named;              /* by the profile */
};

struct maker {
	struct seccomp_policy policy;
	struct array known;      /* struct known */
	struct strs elsewhere;   /* names that only other architectures have */
	unsigned line;
};

/* The sum (or union: they share no bits) that the preprocessor left. */
static unsigned long sum(const char *s)
{
	unsigned long n = 0;

	for (char *end; *s; s = end) {
		if (strchr("(+|) \t", *s)) {
			end = (char *)s + 1;
			continue;
		}
		n += strtoul(s, &end, 0);
		if (end == s)
			die(1, "not a number: %s", s);
	}
	return n;
}

static struct known *find(const struct maker *m, const char *name)
{
	struct known *k = m->known.v;

	for (size_t i = 0; i < m->known.n; i++)
		if (!strcmp(k[i].name, name))
			return &k[i];
	return NULL;
}

static struct known *learn(struct maker *m, const char *name, unsigned long nr)
{
	struct known *k = array_add(&m->known, sizeof *k);

	*k = (struct known){ xstrdup(name), nr, false };
	return k;
}

static void read_lines(const char *path, struct strs *out)
{
	struct buf b = { 0 };
	int r = file_read(AT_FDCWD, path, &b, 1 << 20);

	if (r < 0)
		die(1, "%s: %s", path, strerror(-r));
	strs_split(out, b.p ? b.p : "", '\n');
	buf_free(&b);
}

static void read_syscalls(struct maker *m, const char *path)
{
	struct strs lines = { 0 };

	read_lines(path, &lines);
	for (size_t i = 0; i < lines.n; i++) {
		char *value = strchr(lines.v[i], ' ');

		if (!value)
			continue;
		*value++ = '\0';
		if (!strcmp(lines.v[i], "arch"))
			m->policy.arch = (uint32_t)sum(value);
		else
			learn(m, lines.v[i], sum(value));
	}
	strs_free(&lines);
	if (!m->policy.arch || !find(m, "execve"))
		die(1, "%s: doesn't tell the architecture's system calls", path);
}

static void wrong(const struct maker *m, const char *what, const char *word)
{
	die(1, "line %u: %s: %s", m->line, what, word ? word : "it ends too early");
}

static uint64_t value(const struct maker *m, const char *word)
{
	char *end;
	unsigned long n = word ? strtoul(word, &end, 0) : 0;

	if (!word || *end || end == word)
		wrong(m, "not a number", word);
	return n;
}

/* argN, or clone's `flags`: s390 has them behind the stack. */
static int argument(const struct maker *m, const char *word)
{
	if (word && !strcmp(word, "flags"))
		return m->policy.arch == AUDIT_ARCH_S390X;
	if (!word || !starts_with(word, "arg") || word[3] < '0' || word[3] > '5' || word[4])
		wrong(m, "not an argument", word);
	return word[3] - '0';
}

/* "ARGUMENT [& MASK] OP VALUE"; NEXT gives the words. */
static void condition(const struct maker *m, char **save, struct seccomp_rule *r)
{
	static const char *const ops[] = { "==", "!=", ">", "<=", ">=", "<" };
	const char *word = strtok_r(NULL, " \t", save);
	struct seccomp_test *t = &r->tests[r->n++];
	unsigned op = 0;

	t->index = argument(m, word);
	t->half = true;
	t->mask = UINT64_MAX;
	word = strtok_r(NULL, " \t", save);
	if (word && !strcmp(word, "&")) {
		t->mask = ~(uint64_t)UINT32_MAX | value(m, strtok_r(NULL, " \t", save));
		word = strtok_r(NULL, " \t", save);
	}
	while (op < 6 && (!word || strcmp(word, ops[op])))
		op++;
	if (op == 6 || (op && ~t->mask))
		wrong(m, "not a comparison that is known", word);
	t->op = (enum seccomp_op)op;
	t->value = value(m, strtok_r(NULL, " \t", save));
}

static void conditions(const struct maker *m, char **save, struct seccomp_rule *r)
{
	const char *word;

	do {
		if (r->n == SECCOMP_TESTS)
			wrong(m, "too many conditions", NULL);
		condition(m, save, r);
		word = strtok_r(NULL, " \t", save);
	} while (word && !strcmp(word, "&&"));
	if (word)
		wrong(m, "&& is wanted", word);
}

/* The call that a word of the profile means: NAME or NAME=NUMBER. NULL: this architecture hasn't got it. */
static struct known *call(struct maker *m, char *word)
{
	char *eq = strchr(word, '=');
	struct known *k;

	if (eq)
		*eq++ = '\0';
	k = find(m, word);
	if (!k && eq && value(m, eq) < FIRST_COMMON)
		wrong(m, "its number isn't the same everywhere", word);
	if (!k && eq)
		k = learn(m, word, value(m, eq));
	if (!k && !strs_has(&m->elsewhere, word))
		strs_add(&m->elsewhere, word);
	if (k)
		k->named = true;
	return k;
}

/* Of "deny" and "other" no rule comes. */
static bool rule_begins(const struct maker *m, const char *action, struct seccomp_rule *r)
{
	*r = (struct seccomp_rule){ .cap = -1 };
	if (!strcmp(action, "allow"))
		r->action = SECCOMP_RET_ALLOW;
	else if (!strcmp(action, "absent"))
		r->action = SECCOMP_RET_ERRNO | ENOSYS;
	else if (!strcmp(action, "deny"))
		r->action = SECCOMP_RET_ERRNO | EPERM;
	else if (strcmp(action, "other"))
		wrong(m, "not an action", action);
	return r->action != 0;
}

static char *capability(const struct maker *m, char **save, struct seccomp_rule *r)
{
	const char *name = strtok_r(NULL, " \t", save);
	uint64_t mask;

	if (!name || caps_parse(name, &mask, NULL) < 0 || mask & (mask - 1))
		wrong(m, "not a capability", name);
	r->cap = __builtin_ctzll(mask);
	return strtok_r(NULL, " \t", save);
}

static void profile_line(struct maker *m, char *line)
{
	struct array calls = { 0 };
	struct seccomp_rule rule;
	char *save, *word = strtok_r(line, " \t", &save);
	bool rules = rule_begins(m, word, &rule);

	word = strtok_r(NULL, " \t", &save);
	if (word && !strcmp(word, "with"))
		word = capability(m, &save, &rule);
	for (; word && strcmp(word, "if"); word = strtok_r(NULL, " \t", &save)) {
		const struct known *k = call(m, word);

		if (k)
			*(uint32_t *)array_add(&calls, sizeof(uint32_t)) = (uint32_t)k->nr;
	}
	if (word)
		conditions(m, &save, &rule);
	if (rules && calls.n) {
		size_t at = seccomp_rule_add(&m->policy, &rule);

		for (size_t i = 0; i < calls.n; i++)
			seccomp_call_add(&m->policy, ((uint32_t *)calls.v)[i], at);
	}
	free(calls.v);
}

/* A line that begins with a blank belongs to the one before. */
static void read_profile(struct maker *m, const char *path)
{
	struct strs lines = { 0 };
	struct buf whole = { 0 };

	read_lines(path, &lines);
	for (size_t i = 0; i < lines.n; i++) {
		if (*lines.v[i] == '#' || !*lines.v[i])
			continue;
		m->line = (unsigned)i + 1;
		whole.len = 0;
		buf_str(&whole, lines.v[i]);
		for (; i + 1 < lines.n && strchr(" \t", *lines.v[i + 1]) && *lines.v[i + 1]; i++)
			buf_str(&whole, lines.v[i + 1]);
		profile_line(m, whole.p);
	}
	buf_free(&whole);
	strs_free(&lines);
}

static int by_number(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return x->nr != y->nr ? (x->nr < y->nr ? -1 : 1) : strcmp(x->name, y->name);
}

/* A name behind its length, as a letter: a is 1. */
static void print_name(const char *name)
{
	if (strlen(name) > '~' - '`')
		die(1, "%s: too long a name", name);
	printf("\n\t\"%c%s\"", (int)('`' + strlen(name)), name);
}

/* Names in the order of their numbers, which count from 0; where they don't, a ` and the number is there first. */
static void print_names(const struct maker *m)
{
	const struct known *k = m->known.v;
	unsigned long next = 0;

	printf("static const char here[] =");
	for (size_t i = 0; i < m->known.n; next = k[i++].nr + 1) {
		if (k[i].nr != next)
			printf("\n\t\"`%lu\"", k[i].nr);
		print_name(k[i].name);
	}
	printf(";\n\nstatic const char elsewhere[] =\n\t\"\"");
	for (size_t i = 0; i < m->elsewhere.n; i++)
		print_name(m->elsewhere.v[i]);
	printf(";\n\n");
}

static void print_program(const struct seccomp_program *p)
{
	printf("static const struct sock_filter code[] = {\n");
	for (size_t i = 0; i < p->n; i++)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", p->code[i].code, p->code[i].jt, p->code[i].jf, p->code[i].k);
	printf("};\n\nstatic const struct seccomp_guard guards[] = {\n");
	for (size_t i = 0; i < p->nguards; i++)
		printf("\t{ %u, %u },\n", p->guards[i].at, p->guards[i].cap);
	printf("};\n");
}

int main(int argc, char **argv)
{
	struct maker m = { .policy = { .foreign = SECCOMP_RET_KILL_PROCESS,
				       .fallback = SECCOMP_RET_ERRNO | EPERM,
				       .unknown = SECCOMP_RET_ERRNO | ENOSYS } };
	struct seccomp_program program;
	struct err err = { 0 };
	struct known *k;

	say_init("seccomp");
	if (argc != 3)
		die(2, "usage: seccomp PROFILE SYSCALLS");
	read_syscalls(&m, argv[2]);
	read_profile(&m, argv[1]);
	if (seccomp_compile(&m.policy, &program, &err) < 0)
		die_err(1, argv[1], &err);
	qsort(m.known.v, m.known.n, sizeof *k, by_number);
	k = m.known.v;
	for (size_t i = 0; i < m.known.n; i++)
		if (!k[i].named)
			printf("/* not named by the profile: %s %lu */\n", k[i].name, k[i].nr);
	print_names(&m);
	print_program(&program);
	return fflush(stdout) ? 1 : 0;
}

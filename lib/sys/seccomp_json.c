/* Profiles in docker's format. libseccomp's meaning of it: about one call, a rule without conditions beats those with some, and else the first
 * that holds counts; conditions of one rule must all hold, unless two look at the same argument: then each stands for itself. */
#include "base/file.h"
#include "base/json.h"
#include "base/num.h"
#include "sys/caps.h"
#include "sys/seccomp.h"
#include "sys/seccomp_arch.h"
#include "sys/seccomp_compile.h"
#include "sys/seccomp_text.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define PROFILE_MAX (1 << 20)

struct reading {
	struct seccomp_policy policy;
	uint64_t caps;
};

/* OBJECT is one, and has no members but those in KEYS, each of which ends with a blank: what isn't understood might have been a restriction. */
static int check_keys(const struct json *object, const char *what, const char *keys, struct err *err)
{
	if (object->type != JSON_OBJECT)
		return err_msg(err, -EINVAL, "%s: isn't an object", what);
	for (const struct json *m = object->child; m; m = m->next) {
		const char *p = keys;
		size_t len;

		for (; *p; p += len + 1) {
			len = strcspn(p, " ");
			if (len == strlen(m->key) && !memcmp(p, m->key, len))
				break;
		}
		if (!*p)
			return err_msg(err, -EINVAL, "%s: \"%s\" isn't known", what, m->key);
	}
	return 0;
}

/* A member of a type, NULL if it isn't there or null. */
static int member(const struct json *object, const char *key, enum json_type type, const struct json **out, struct err *err)
{
	const struct json *j = json_get(object, key);

	*out = j && j->type != JSON_NULL ? j : NULL;
	return *out && j->type != type ? err_msg(err, -EINVAL, "\"%s\" isn't of its type", key) : 0;
}

/* Left as it is if it isn't there. */
static int number(const struct json *object, const char *key, uint64_t max, uint64_t *out, struct err *err)
{
	const struct json *j;
	uint64_t n;
	int r = member(object, key, JSON_NUMBER, &j, err);

	if (r < 0 || !j)
		return r;
	if (num_u64(j->text, &n) < 0 || n > max)
		return err_msg(err, -EINVAL, "\"%s\": %s isn't between 0 and %llu", key, j->text, (unsigned long long)max);
	*out = n;
	return 0;
}

/* The action named by KEY, with the errno in ERRNO_KEY (or EPERM). */
static int action(const struct json *object, const char *key, const char *errno_key, uint32_t *out, struct err *err)
{
	static const struct {
		const char *name;
		uint32_t value;
	} actions[] = {
		{ "ALLOW", SECCOMP_RET_ALLOW },          { "ERRNO", SECCOMP_RET_ERRNO },   { "KILL", SECCOMP_RET_KILL_THREAD },
		{ "KILL_THREAD", SECCOMP_RET_KILL_THREAD }, { "KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
		{ "TRAP", SECCOMP_RET_TRAP },            { "LOG", SECCOMP_RET_LOG },       { "TRACE", SECCOMP_RET_TRACE },
	};
	const char *name = json_str(object, key);
	uint64_t data = EPERM;
	int r = number(object, errno_key, UINT16_MAX, &data, err);

	if (r < 0)
		return r;
	if (!name)
		return err_msg(err, -EINVAL, "\"%s\" is missing", key);
	for (size_t i = 0; starts_with(name, "SCMP_ACT_") && i < sizeof actions / sizeof *actions; i++) {
		if (strcmp(name + strlen("SCMP_ACT_"), actions[i].name) != 0)
			continue;
		*out = actions[i].value;
		if (*out == SECCOMP_RET_ERRNO || *out == SECCOMP_RET_TRACE)
			*out |= (uint32_t)data;
		return 0;
	}
	return err_msg(err, -EINVAL, "\"%s\": %s isn't known", key, name);
}

/* "4.8": whether this kernel is that or newer. */
static int kernel_is(const char *version, bool *out, struct err *err)
{
	unsigned long wanted[2], has[2];
	struct utsname u;
	char *end;

	wanted[0] = strtoul(version, &end, 10);
	wanted[1] = *end == '.' ? strtoul(end + 1, &end, 10) : 0;
	if (end == version || *end)
		return err_msg(err, -EINVAL, "\"minKernel\": %s isn't a version", version);
	uname(&u);
	has[0] = strtoul(u.release, &end, 10);
	has[1] = *end ? strtoul(end + 1, NULL, 10) : 0;
	*out = has[0] != wanted[0] ? has[0] > wanted[0] : has[1] >= wanted[1];
	return 0;
}

/* What an "includes" or "excludes" says of here and now: how many of its parts hold, and how many don't. */
struct verdict {
	int yes, no;
};

static int judge_caps(const struct json *caps, uint64_t held, struct verdict *v, struct err *err)
{
	for (const struct json *c = caps ? caps->child : NULL; c; c = c->next) {
		uint64_t mask;

		if (c->type != JSON_STRING || caps_parse(c->text, &mask, err) < 0)
			return c->type != JSON_STRING ? err_msg(err, -EINVAL, "\"caps\": not names") : -EINVAL;
		(held & mask) == mask ? v->yes++ : v->no++;
	}
	return 0;
}

static int judge(const struct json *rule, const char *key, uint64_t held, struct verdict *v, struct err *err)
{
	const struct json *when, *arches, *caps, *kernel;
	bool here = false;
	int r = member(rule, key, JSON_OBJECT, &when, err);

	if (r < 0 || !when)
		return r;
	r = check_keys(when, key, "arches caps minKernel ", err);
	if (r < 0 || (r = member(when, "arches", JSON_ARRAY, &arches, err)) < 0 || (r = member(when, "caps", JSON_ARRAY, &caps, err)) < 0 ||
	    (r = member(when, "minKernel", JSON_STRING, &kernel, err)) < 0)
		return r;
	for (const struct json *a = arches ? arches->child : NULL; a; a = a->next)
		here |= a->type == JSON_STRING && !strcmp(a->text, SECCOMP_ARCH_GO);
	if (arches && arches->child)
		here ? v->yes++ : v->no++;
	if (kernel && *kernel->text) {
		r = kernel_is(kernel->text, &here, err);
		if (r < 0)
			return r;
		here ? v->yes++ : v->no++;
	}
	return judge_caps(caps, held, v, err);
}

/* Whether the rule is for us: all of "includes", nothing of "excludes". */
static int applies(const struct reading *g, const struct json *rule, bool *out, struct err *err)
{
	struct verdict in = { 0, 0 }, ex = { 0, 0 };
	int r = judge(rule, "includes", g->caps, &in, err);

	if (!r)
		r = judge(rule, "excludes", g->caps, &ex, err);
	if (!r)
		*out = !in.no && !ex.yes;
	return r;
}

static int operation(const char *name, enum seccomp_op *out, struct err *err)
{
	static const char *const ops[] = { "EQ", "NE", "GT", "LE", "GE", "LT" }; /* as in enum seccomp_op */

	for (unsigned i = 0; name && starts_with(name, "SCMP_CMP_") && i < 6; i++)
		if (!strcmp(name + strlen("SCMP_CMP_"), ops[i])) {
			*out = (enum seccomp_op)i;
			return 0;
		}
	return err_msg(err, -EINVAL, "\"op\": %s isn't known", name ? name : "nothing");
}

static int read_test(const struct json *arg, struct seccomp_test *t, struct err *err)
{
	const char *op;
	uint64_t index = SECCOMP_TESTS, value = 0, second = 0;
	int r = check_keys(arg, "args", "index value valueTwo op ", err);

	if (r < 0 || (r = number(arg, "index", SECCOMP_TESTS - 1, &index, err)) < 0 || (r = number(arg, "value", UINT64_MAX, &value, err)) < 0 ||
	    (r = number(arg, "valueTwo", UINT64_MAX, &second, err)) < 0)
		return r;
	if (index == SECCOMP_TESTS)
		return err_msg(err, -EINVAL, "args: \"index\" is missing");
	op = json_str(arg, "op");
	t->index = (int)index;
	t->value = value;
	t->mask = UINT64_MAX;
	t->op = SECCOMP_EQ;
	if (!op || strcmp(op, "SCMP_CMP_MASKED_EQ") != 0)
		return operation(op, &t->op, err);
	t->mask = value;
	t->value = second;
	return 0;
}

/* The rules that one of the profile comes to: one, or one for each condition. */
struct tests {
	struct seccomp_test t[SECCOMP_TESTS * SECCOMP_TESTS];
	int n;
	bool apart;              /* two look at the same argument */
};

static int read_tests(const struct json *rule, struct tests *out, struct err *err)
{
	const struct json *args;
	unsigned seen = 0;
	int r = member(rule, "args", JSON_ARRAY, &args, err);

	memset(out, 0, sizeof *out);
	for (const struct json *a = args ? args->child : NULL; a && !r; a = a->next) {
		struct seccomp_test *t = &out->t[out->n];

		if (out->n == SECCOMP_TESTS * SECCOMP_TESTS)
			return err_msg(err, -E2BIG, "more than %d \"args\"", out->n);
		r = read_test(a, t, err);
		out->apart |= seen >> t->index & 1;
		seen |= 1U << t->index;
		out->n++;
	}
	return r;
}

static int add_name(struct reading *g, const char *name, size_t rule, struct err *err)
{
	long nr = seccomp_number(name);

	if (nr == -EINVAL)
		return err_msg(err, -EINVAL, "no system call is called \"%.60s\"", name);
	if (nr >= 0)
		seccomp_call_add(&g->policy, (uint32_t)nr, rule);
	return 0;
}

/* What ROW says is to be done if the tests from T hold. */
static int add_rule(struct reading *g, const struct json *row, uint32_t action, const struct seccomp_test *t, int n, struct err *err)
{
	const struct json *names = json_get(row, "names");
	const char *name = json_str(row, "name");
	struct seccomp_rule rule = { .action = action, .cap = -1, .n = n };
	size_t at;
	int r = 0;

	memcpy(rule.tests, t, (size_t)n * sizeof *t);
	at = seccomp_rule_add(&g->policy, &rule);
	if (name)
		r = add_name(g, name, at, err);
	for (const struct json *j = names ? names->child : NULL; j && !r; j = j->next)
		r = j->type == JSON_STRING ? add_name(g, j->text, at, err) : err_msg(err, -EINVAL, "\"names\": not names");
	return r;
}

/* An element of "syscalls", if it is for us and has conditions or not, as WANTED. */
static int read_rule(struct reading *g, const struct json *row, bool wanted, struct err *err)
{
	struct tests tests;
	uint32_t act = 0;
	bool ours = false;
	int r = check_keys(row, "syscalls", "names name action errnoRet errno args comment includes excludes ", err);

	if (r < 0 || (r = action(row, "action", "errnoRet", &act, err)) < 0 || (r = read_tests(row, &tests, err)) < 0 ||
	    (r = applies(g, row, &ours, err)) < 0)
		return r;
	if (!json_get(row, "names") && !json_get(row, "name"))
		return err_msg(err, -EINVAL, "syscalls: \"names\" is missing");
	if (!ours || (tests.n > 0) != wanted || act == g->policy.fallback)
		return 0;
	if (!tests.apart && tests.n <= SECCOMP_TESTS)
		return add_rule(g, row, act, tests.t, tests.n, err);
	for (int i = 0; i < tests.n && !r; i++)
		r = add_rule(g, row, act, &tests.t[i], 1, err);
	return r;
}

/* Whether a list of architectures, as names or as objects with one, has ours; none at all is as good. */
static int check_arches(const struct json *root, const char *key, struct err *err)
{
	const struct json *list;
	int r = member(root, key, JSON_ARRAY, &list, err);

	if (r < 0 || !list || !list->child)
		return r;
	for (const struct json *a = list->child; a; a = a->next) {
		const char *name = a->type == JSON_STRING ? a->text : json_str(a, "architecture");

		if (name && !strcmp(name, SECCOMP_ARCH_NAME))
			return 0;
	}
	return err_msg(err, -EINVAL, "\"%s\": has no %s, which is ours", key, SECCOMP_ARCH_NAME);
}

static int read_profile(struct reading *g, const struct json *root, struct err *err)
{
	const struct json *rows;
	int r = check_keys(root, "the profile", "defaultAction defaultErrnoRet defaultErrno architectures archMap syscalls comment ", err);

	if (!r)
		r = action(root, "defaultAction", "defaultErrnoRet", &g->policy.fallback, err);
	if (!r)
		r = check_arches(root, "architectures", err);
	if (!r)
		r = check_arches(root, "archMap", err);
	if (!r)
		r = member(root, "syscalls", JSON_ARRAY, &rows, err);
	g->policy.unknown = g->policy.fallback;
	for (int conditional = 0; conditional < 2 && !r; conditional++)
		for (const struct json *row = rows ? rows->child : NULL; row && !r; row = row->next)
			r = read_rule(g, row, conditional, err);
	return r;
}

int seccomp_profile(const char *path, uint64_t caps, char **filter, struct err *err)
{
	struct reading g = { .policy = { .arch = SECCOMP_ARCH, .foreign = SECCOMP_RET_KILL_PROCESS }, .caps = caps };
	struct seccomp_program program = { 0 };
	struct buf b = { 0 };
	struct json *root = NULL;
	int r = file_read(AT_FDCWD, path, &b, PROFILE_MAX);

	*filter = NULL;
	if (r < 0) {
		err_sys(err, r, "read it");
	} else {
		root = json_parse(b.p ? b.p : "", b.len, err);
		r = root ? read_profile(&g, root, err) : -EINVAL;
	}
	if (!r)
		r = seccomp_compile(&g.policy, &program, err);
	if (!r)
		*filter = seccomp_to_text(program.code, program.n);
	free(program.code);
	free(program.guards);
	seccomp_policy_free(&g.policy);
	json_free(root);
	buf_free(&b);
	return r;
}

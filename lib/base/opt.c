#include "base/opt.h"
#include "base/num.h"
#include "base/say.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct parse {
	const struct usage *u;
	void *into;
	char **next; /* what follows the argument at hand */
};

static void *target(const struct parse *p, const struct opt *o)
{
	return (char *)p->into + o->offset;
}

static void bad_value(const struct parse *p, const char *shown, const char *value, const char *what)
{
	die_usage(p->u->bad, "%s: %s is not %s", shown, *value ? value : "\"\"", what);
}

static void set_flag(const struct parse *p, const struct opt *o, const char *shown, const char *value)
{
	bool on = !value || !strcmp(value, "true");

	if (!on && strcmp(value, "false"))
		bad_value(p, shown, value, "true or false");
	*(bool *)target(p, o) = on;
}

/* Stores VALUE where O says; SHOWN is the option as the user wrote it. */
static void set_value(const struct parse *p, const struct opt *o, const char *shown, const char *value)
{
	struct err e = { 0 };
	int64_t *n = target(p, o);

	switch (o->kind) {
	case OPT_FLAG:
		set_flag(p, o, shown, value);
		break;
	case OPT_STR:
		*(const char **)target(p, o) = value;
		break;
	case OPT_STRS:
		strs_add(target(p, o), value);
		break;
	case OPT_SIZE:
		if (strcmp(value, "-1") == 0)
			*n = -1;
		else if (num_size(value, n) < 0)
			bad_value(p, shown, value, "a size (bytes, or with k, m, g, t)");
		break;
	case OPT_TIME:
		if (num_time_ms(value, n) < 0)
			bad_value(p, shown, value, "a time (seconds, or 500ms 10s 5m 2h)");
		break;
	case OPT_INT:
		if (num_i64(value, n) < 0)
			bad_value(p, shown, value, "a whole number");
		break;
	case OPT_OPTIONAL:
		*(struct opt_optional *)target(p, o) = (struct opt_optional){ true, value };
		break;
	case OPT_CALL:
		if (o->set(p->into, value, &e) < 0)
			die_usage(p->u->bad, "%s %s: %s", shown, value ? value : "", e.text);
		break;
	}
}

static bool needs_value(const struct opt *o)
{
	return o->kind == OPT_CALL ? o->arg != NULL : o->kind != OPT_FLAG && o->kind != OPT_OPTIONAL;
}

static void help_row(struct buf *b, const struct opt *o)
{
	char left[80];
	int n = 0;

	if (!o->help)
		return;
	if (o->letter)
		n += snprintf(left + n, sizeof left - n, "-%c%s", o->letter, o->name ? ", " : "");
	else
		n += snprintf(left + n, sizeof left - n, "%s", o->name && o->name[0] != '-' ? "    " : "");
	if (o->name)
		n += snprintf(left + n, sizeof left - n, "%s%s", o->name[0] == '-' ? "" : "--", o->name);
	if (o->arg)
		snprintf(left + n, sizeof left - n, needs_value(o) ? " %s" : "[=%s]", o->arg);
	buf_fmt(b, strlen(left) > 28 ? "  %s\n  %-28s  %s\n" : "  %-28s%s  %s\n", left, "", o->help);
}

static void help(const struct usage *u)
{
	struct buf b = { 0 };

	buf_fmt(&b, "usage: %s%s%s\n%s\n", u->name, *u->synopsis ? " " : "", u->synopsis, u->about);
	if (u->opts && (u->opts->letter || u->opts->name)) {
		buf_str(&b, "\n");
		for (const struct opt *o = u->opts; o->letter || o->name; o++)
			help_row(&b, o);
	}
	if (u->more)
		buf_fmt(&b, "\n%s\n", u->more);
	out_write(b.p, b.len);
	buf_free(&b);
}

static const struct opt *by_letter(const struct usage *u, char c)
{
	for (const struct opt *o = u->opts; o && (o->letter || o->name); o++)
		if (o->letter == c)
			return o;
	return NULL;
}

/* NAME up to its '=' or end; single-dash words are in the table with their dash. */
static const struct opt *by_name(const struct usage *u, const char *name)
{
	size_t n = strcspn(name, "=");

	for (const struct opt *o = u->opts; o && (o->letter || o->name); o++)
		if (o->name && strlen(o->name) == n && !strncmp(o->name, name, n))
			return o;
	return NULL;
}

static const char *value_or_next(struct parse *p, const char *attached, const char *shown)
{
	if (attached)
		return attached;
	if (!*p->next)
		die_usage(p->u->bad, "%s: its value is missing", shown);
	return *p->next++;
}

/* One whole-word option, `name` without leading dashes (except the notes' words). */
static void long_option(struct parse *p, const struct opt *o, char *shown)
{
	char *eq = strchr(shown, '=');
	const char *value = eq ? eq + 1 : NULL;

	if (eq)
		*eq = 0;
	if (needs_value(o))
		value = value_or_next(p, value, shown);
	else if (value && o->kind != OPT_FLAG && o->kind != OPT_OPTIONAL)
		die_usage(p->u->bad, "%s: takes no value", shown);
	set_value(p, o, shown, value);
}

static void letters(struct parse *p, const char *cluster)
{
	for (const char *c = cluster; *c; c++) {
		char shown[3] = { '-', *c, 0 };
		const struct opt *o = by_letter(p->u, *c);

		if (!o)
			die_usage(p->u->bad, "unknown option %s", shown);
		if (needs_value(o)) {
			const char *rest = c[1] == '=' ? c + 2 : c + 1;

			set_value(p, o, shown, value_or_next(p, c[1] ? rest : NULL, shown));
			return;
		}
		set_value(p, o, shown, NULL);
	}
}

static void option(struct parse *p, char *arg)
{
	const struct opt *o = by_name(p->u, arg[1] == '-' ? arg + 2 : arg);

	if (!strcmp(arg, "--help") || (!strcmp(arg, "-h") && !by_letter(p->u, 'h'))) {
		help(p->u);
		exit(0);
	}
	if (!strcmp(arg, "--debug")) {
		say_debug_on();
		return;
	}
	if (o)
		long_option(p, o, arg);
	else if (arg[1] == '-')
		die_usage(p->u->bad, "unknown option %s", arg);
	else
		letters(p, arg + 1);
}

int opt_parse(const struct usage *u, void *into, int argc, char **argv)
{
	struct parse p = { u, into, argv + (argc ? 1 : 0) };
	bool ended = false;
	int n = 0;

	while (*p.next) {
		char *arg = *p.next++;

		if (!ended && !strcmp(arg, "--")) {
			ended = true;
		} else if (!ended && arg[0] == '-' && arg[1]) {
			option(&p, arg);
		} else {
			argv[n++] = arg;
			ended = ended || u->command;
		}
	}
	argv[n] = NULL;
	return n;
}

static void dispatch_help(const char *name, const char *about, const struct subcommand *table)
{
	struct buf b = { 0 };

	buf_fmt(&b, "usage: %s COMMAND ..\n%s\n\n", name, about);
	for (const struct subcommand *s = table; s->name; s++)
		buf_fmt(&b, "  %-12s %s\n", s->name, s->help);
	buf_fmt(&b, "\n\"%s COMMAND --help\" tells more.\n", name);
	out_write(b.p, b.len);
	buf_free(&b);
}

int opt_dispatch(const char *name, const char *about, const struct subcommand *table, int argc, char **argv)
{
	if (argc < 2)
		die_usage(2, "a command is missing");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		dispatch_help(name, about, table);
		return 0;
	}
	for (const struct subcommand *s = table; s->name; s++)
		if (!strcmp(argv[1], s->name) || (s->alias && !strcmp(argv[1], s->alias)))
			return s->main(argc - 1, argv + 1);
	die_usage(2, "%s: no such command", argv[1]);
}

static void targets_from_stdin(struct strs *out)
{
	struct buf b = { 0 };
	char *save;
	ssize_t n;

	do {
		buf_reserve(&b, 4096);
		n = read(STDIN_FILENO, b.p + b.len, 4096);
		b.len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	b.p[b.len] = 0;
	for (char *word = strtok_r(b.p, " \t\n", &save); word; word = strtok_r(NULL, " \t\n", &save))
		strs_add(out, word);
	buf_free(&b);
}

void opt_targets(int n, char **operands, struct strs *out)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(operands[i], "-"))
			targets_from_stdin(out);
		else
			strs_add(out, operands[i]);
}

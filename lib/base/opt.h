/* Options by one table an applet: parsed, and printed as --help.
 *
 * Letters cluster (-itd), a value may be attached or apart (-m64m, -m 64m, --memory=64m, --memory 64m), `--` ends
 * options. --help and --debug are known to every applet and aren't in the tables. */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_kind {
	OPT_FLAG,  /* bool; --name=false clears it */
	OPT_STR,   /* const char *: the last one wins */
	OPT_STRS,  /* struct strs: each one is added */
	OPT_SIZE,  /* int64_t bytes; -1 is taken as -1 (unlimited) */
	OPT_TIME,  /* int64_t milliseconds */
	OPT_INT,   /* int64_t */
	OPT_CALL,  /* set(into, value, err): returns 0 or -errno with ERR told; without `arg` VALUE is NULL */
	OPT_OPTIONAL, /* struct opt_optional: only --name=VALUE gives a value, not --name VALUE and not the letter */
};

struct opt_optional {
	bool given;
	const char *value;        /* NULL: none came with it */
};

struct opt {
	char letter;              /* 0: none */
	const char *name;         /* long name, or NULL; a leading '-' ("-net") makes it one of the notes' single-dash words */
	const char *arg;          /* what --help calls the value; NULL for a flag */
	enum opt_kind kind : 8;
	unsigned offset : 24;     /* in the struct that opt_parse fills */
	const char *help;         /* NULL: an alias that --help doesn't show */
	int (*set)(void *into, const char *value, struct err *err);
};
#define OPT_END { 0, NULL, NULL, OPT_FLAG, 0, NULL, NULL }

struct usage {
	const char *name;          /* "ctr-run" */
	const char *synopsis;      /* "[OPT].. IMAGE [CMD [ARG]..]" */
	const char *about;         /* a line or a few */
	const struct opt *opts;    /* ends with OPT_END; may be NULL */
	const char *more;          /* after the options; may be NULL */
	int bad;                   /* exit code of bad usage: 125 for those that run a command, else 2 */
	bool command;              /* options end at the first operand (a CMD follows) */
};

/* Parses argv[1..]; fills INTO. Operands are moved to argv[0..], NULL after the last, in their order. Returns how many.
 * --help prints and exits 0; bad usage is told and exits u->bad. */
int opt_parse(const struct usage *u, void *into, int argc, char **argv);

/* An applet of several subcommands ("ctr-image ls"). */
struct subcommand {
	const char *name;                          /* NULL ends the table */
	const char *alias;                         /* or NULL */
	int (*main)(int argc, char **argv);        /* argv[0] is the subcommand's word */
	const char *help;
};

/* Runs the subcommand that argv[1] names; without one, or with an unknown one, usage is told (exit 2). */
int opt_dispatch(const char *name, const char *about, const struct subcommand *table, int argc, char **argv);

/* OPERAND "-" stands for targets read from stdin, one a word: returns the whole list. */
void opt_targets(int n, char **operands, struct strs *out);

#endif

/* Listings: the same columns for people (aligned), for scripts (-r, -o, -q, -0) and for programs (-J). */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/buf.h"
#include "base/opt.h"
#include <stdbool.h>
#include <stdint.h>

struct column {
	const char *name;   /* lower case, stable for ever; NULL ends the table */
	bool shown;         /* without -o */
	bool right;         /* aligned right */
	bool number;        /* -J writes it bare when it is one */
};

/* What the user asked for; the member of an applet's options that LIST_OPTS fills. */
struct list_options {
	bool quiet, no_header, raw, json, zero;
	const char *columns;      /* -o */
	struct strs filters;      /* -f KEY=VALUE */
};

#define LIST_OPTS(S, M) \
	{ 'q', "quiet", NULL, OPT_FLAG, offsetof(S, M.quiet), "ids only", NULL }, \
	{ 'n', "noheadings", NULL, OPT_FLAG, offsetof(S, M.no_header), "no header", NULL }, \
	{ 'o', "output", "COL,..", OPT_STR, offsetof(S, M.columns), "these columns", NULL }, \
	{ 'r', "raw", NULL, OPT_FLAG, offsetof(S, M.raw), "tab-separated, - for an empty cell", NULL }, \
	{ 'J', "json", NULL, OPT_FLAG, offsetof(S, M.json), "one JSON object a line", NULL }, \
	{ '0', "null", NULL, OPT_FLAG, offsetof(S, M.zero), "with -q: ids end with a NUL", NULL }, \
	{ 'f', "filter", "KEY=VALUE", OPT_STRS, offsetof(S, M.filters), "only rows whose column KEY is VALUE", NULL }

struct table;

/* ID_COLUMN is what -q prints. An unknown column in -o or -f is a usage error (exit 2). */
struct table *table_begin(const struct column *columns, const char *id_column, const struct list_options *o);

/* The next cell of the current row; a row ends by itself after its last column. TEXT NULL or "" is empty. */
void table_cell(struct table *t, const char *text);
void table_int(struct table *t, long long n);

/* A cell whose -J form is other than its text: RAW is JSON ("1700000000", "[..]", "null"). */
void table_cell_raw(struct table *t, const char *text, const char *raw);

/* Bytes: rounded for people, exact for scripts and programs; negative: empty. */
void table_size(struct table *t, int64_t bytes);

/* Seconds since 1970 as local time, -J as they are; 0: unknown. */
void table_time(struct table *t, int64_t epoch_s);

/* Whether anybody will look at column NAME (shown or filtered), for values that are dear to get. */
bool table_wants(const struct table *t, const char *name);

/* For people, unless they chose columns: NAME's texts are cut where a line would take more than WIDTH columns of the screen. */
void table_cut(struct table *t, const char *name, int width);

/* Prints everything and frees the table. */
void table_end(struct table *t);

#endif

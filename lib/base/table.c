#include "base/table.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/say.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 32

struct cell {
	char *text, *raw;
};

struct table {
	const struct column *columns;
	const struct list_options *o;
	int n;                     /* columns there are */
	int order[COLUMNS_MAX];    /* those to print */
	int shown, id;
	int cut, cut_width;        /* by table_cut; cut -1: none */
	struct cell *cells;        /* rows x n */
	size_t count;
};

static int column_index(const struct table *t, const char *name, size_t len)
{
	for (int i = 0; i < t->n; i++)
		if (strlen(t->columns[i].name) == len && !strncmp(t->columns[i].name, name, len))
			return i;
	die_usage(2, "no column \"%.*s\"", (int)len, name);
}

static void choose(struct table *t)
{
	const char *s = t->o->columns;

	if (t->o->quiet) {
		t->order[t->shown++] = t->id;
		return;
	}
	for (int i = 0; !s && i < t->n; i++)
		if (t->columns[i].shown)
			t->order[t->shown++] = i;
	while (s && *s) {
		size_t len = strcspn(s, ",");

		if (t->shown == COLUMNS_MAX)
			die_usage(2, "-o: more than %d columns", COLUMNS_MAX);
		t->order[t->shown++] = column_index(t, s, len);
		s += len + (s[len] == ',');
	}
	if (!t->shown)
		die_usage(2, "-o: no column named");
}

struct table *table_begin(const struct column *columns, const char *id_column, const struct list_options *o)
{
	struct table *t = xcalloc(1, sizeof *t);

	t->columns = columns;
	t->o = o;
	while (columns[t->n].name)
		t->n++;
	t->id = column_index(t, id_column, strlen(id_column));
	t->cut = -1;
	choose(t);
	for (size_t i = 0; i < o->filters.n; i++) {
		const char *f = o->filters.v[i];

		if (!strchr(f, '='))
			die_usage(2, "-f %s: not KEY=VALUE", f);
		column_index(t, f, strcspn(f, "="));
	}
	return t;
}

void table_cut(struct table *t, const char *name, int width)
{
	t->cut = t->o->columns ? -1 : column_index(t, name, strlen(name));
	t->cut_width = width;
}

bool table_wants(const struct table *t, const char *name)
{
	int i = column_index(t, name, strlen(name));

	for (int k = 0; k < t->shown; k++)
		if (t->order[k] == i)
			return true;
	for (size_t k = 0; k < t->o->filters.n; k++)
		if (column_index(t, t->o->filters.v[k], strcspn(t->o->filters.v[k], "=")) == i)
			return true;
	return false;
}

static bool passes(const struct table *t, const struct cell *row)
{
	for (size_t i = 0; i < t->o->filters.n; i++) {
		const char *f = t->o->filters.v[i];
		size_t len = strcspn(f, "=");
		const char *text = row[column_index(t, f, len)].text;

		if (strcmp(text ? text : "", f + len + 1))
			return false;
	}
	return true;
}

static void drop_row(struct table *t)
{
	for (int i = 0; i < t->n; i++) {
		t->count--;
		free(t->cells[t->count].text);
		free(t->cells[t->count].raw);
	}
}

void table_cell_raw(struct table *t, const char *text, const char *raw)
{
	struct cell *c;

	if ((t->count & (t->count - 1)) == 0) /* doubled at each power of two */
		t->cells = xrealloc(t->cells, (t->count ? 2 * t->count : 1) * sizeof *t->cells);
	c = &t->cells[t->count++];
	c->text = xstrdup(text && *text ? text : NULL);
	c->raw = xstrdup(raw);
	if (t->count % (size_t)t->n == 0 && !passes(t, &t->cells[t->count - (size_t)t->n]))
		drop_row(t);
}

void table_cell(struct table *t, const char *text)
{
	table_cell_raw(t, text, NULL);
}

void table_int(struct table *t, long long n)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", n);
	table_cell(t, text);
}

void table_size(struct table *t, int64_t bytes)
{
	char human[16];

	if (bytes < 0) {
		table_cell_raw(t, NULL, "null");
	} else if (t->o->raw || t->o->json) {
		table_int(t, bytes);
	} else {
		num_human(bytes, human);
		table_cell(t, human);
	}
}

void table_time(struct table *t, int64_t epoch_s)
{
	char local[20] = "", raw[24] = "null";

	if (epoch_s) {
		clock_local(epoch_s, local);
		snprintf(raw, sizeof raw, "%lld", (long long)epoch_s);
	}
	table_cell_raw(t, local, raw);
}

/* Columns on the screen that S takes: bytes that don't continue a UTF-8 character. */
static int width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Control characters of a name or command must not reach a terminal or break a row. */
static void put_text(struct buf *b, const char *s)
{
	while (*s) {
		size_t n = 0;

		while ((unsigned char)s[n] >= ' ' && s[n] != 0x7f)
			n++;
		buf_add(b, s, n);
		s += n;
		if (*s) {
			buf_char(b, '?');
			s++;
		}
	}
}

static bool is_number(const char *s)
{
	s += *s == '-';
	if (!isdigit((unsigned char)*s))
		return false;
	s += strspn(s, "0123456789");
	return !*s || (*s == '.' && s[1] && !s[1 + strspn(s + 1, "0123456789")]);
}

static void json_rows(const struct table *t, struct buf *b)
{
	for (size_t row = 0; row < t->count; row += (size_t)t->n) {
		struct json_out o = { .b = b };

		json_begin(&o, NULL, '{');
		for (int k = 0; k < t->shown; k++) {
			const struct column *col = &t->columns[t->order[k]];
			const struct cell *c = &t->cells[row + (size_t)t->order[k]];

			if (c->raw)
				json_put_raw(&o, col->name, c->raw);
			else if (c->text && col->number && is_number(c->text))
				json_put_raw(&o, col->name, c->text);
			else
				json_put_str(&o, col->name, c->text);
		}
		json_end(&o, '}');
		buf_char(b, '\n');
	}
}

static void raw_rows(const struct table *t, struct buf *b)
{
	for (size_t row = 0; row < t->count; row += (size_t)t->n)
		for (int k = 0; k < t->shown; k++) {
			const char *text = t->cells[row + (size_t)t->order[k]].text;

			put_text(b, text ? text : "-");
			buf_char(b, k + 1 < t->shown ? '\t' : t->o->quiet && t->o->zero ? 0 : '\n');
		}
}

static int column_width(const struct table *t, int i)
{
	int w = t->o->no_header ? 0 : width(t->columns[i].name);

	for (size_t row = 0; row < t->count; row += (size_t)t->n) {
		const char *text = t->cells[row + (size_t)i].text;
		int n = text ? width(text) : 1;

		w = n > w ? n : w;
	}
	return w;
}

/* Makes the column of table_cut narrower, as far as its title allows, until all fit. */
static void cut_column(const struct table *t, int *w)
{
	int total = -2, at = -1, over;

	for (int k = 0; k < t->shown; k++) {
		total += w[k] + 2;
		if (t->order[k] == t->cut)
			at = k;
	}
	over = total - t->cut_width;
	for (int least = at < 0 ? 0 : width(t->columns[t->cut].name); at >= 0 && over > 0 && w[at] > least; over--)
		w[at]--;
}

/* What of S fills W columns of the screen. */
static size_t fitting(const char *s, int w)
{
	size_t i = 0;

	while (s[i]) {
		w -= ((unsigned char)s[i] & 0xc0) != 0x80;
		if (w < 0)
			break;
		i++;
	}
	return i;
}

static void put_aligned(struct buf *b, const char *whole, int w, bool right, bool last)
{
	char *short_ = width(whole) > w ? xasprintf("%.*s..", (int)fitting(whole, w - 2), whole) : NULL;
	const char *text = short_ ? short_ : whole;
	int pad = w - width(text);

	if (right)
		buf_fmt(b, "%*s", pad, "");
	put_text(b, text);
	free(short_);
	if (last)
		buf_char(b, '\n');
	else
		buf_fmt(b, "%*s", right ? 2 : pad + 2, "");
}

static void aligned_rows(const struct table *t, struct buf *b)
{
	int w[COLUMNS_MAX];

	for (int k = 0; k < t->shown; k++)
		w[k] = column_width(t, t->order[k]);
	cut_column(t, w);
	for (int k = 0; !t->o->no_header && k < t->shown; k++) {
		const struct column *c = &t->columns[t->order[k]];
		char title[32];
		size_t i;

		for (i = 0; i < sizeof title - 1 && c->name[i]; i++)
			title[i] = (char)toupper((unsigned char)c->name[i]);
		title[i] = 0;
		put_aligned(b, title, w[k], c->right, k + 1 == t->shown);
	}
	for (size_t row = 0; row < t->count; row += (size_t)t->n)
		for (int k = 0; k < t->shown; k++) {
			const char *text = t->cells[row + (size_t)t->order[k]].text;

			put_aligned(b, text ? text : "-", w[k], t->columns[t->order[k]].right, k + 1 == t->shown);
		}
}

void table_end(struct table *t)
{
	struct buf b = { 0 };

	if (t->o->json)
		json_rows(t, &b);
	else if (t->o->raw || t->o->quiet)
		raw_rows(t, &b);
	else
		aligned_rows(t, &b);
	out_write(b.p, b.len);
	buf_free(&b);
	while (t->count)
		drop_row(t);
	free(t->cells);
	free(t);
}

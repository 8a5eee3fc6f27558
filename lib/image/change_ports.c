#include "image/change.h"

#include "base/num.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char protocols[][5] = { "tcp", "udp", "sctp" };
#define PROTOCOLS (sizeof protocols / sizeof *protocols)

struct range {
	int64_t first, last;
	size_t protocol;
};

static int port(const char *s, size_t n, int64_t *out)
{
	char text[8] = "";

	memcpy(text, s, n < sizeof text ? n : 0);
	return num_range(text, 1, 65535, out);
}

static bool parse(const char *word, struct range *r)
{
	size_t n = strcspn(word, "/"), first = strcspn(word, "-/");
	const char *protocol = word[n] && word[n + 1] ? word + n + 1 : "tcp";

	for (r->protocol = 0; r->protocol < PROTOCOLS && strcasecmp(protocol, protocols[r->protocol]);)
		r->protocol++;
	if (r->protocol == PROTOCOLS || port(word, first, &r->first) < 0)
		return false;
	r->last = r->first;
	return first == n || (port(word + first + 1, n - first - 1, &r->last) == 0 && r->last >= r->first);
}

/* SEEN has a bit for each protocol of each port that is in the list. */
static void see(unsigned char *seen, const struct strs *list)
{
	struct range r;

	for (size_t i = 0; i < list->n; i++)
		if (parse(list->v[i], &r) && r.first == r.last)
			seen[r.first] |= (unsigned char)(1 << r.protocol);
}

static void add(struct strs *to, const struct range *r, unsigned char *seen)
{
	for (int64_t p = r->first; p <= r->last; p++) {
		if (!(seen[p] & 1 << r->protocol))
			strs_fmt(to, "%d/%s", (int)p, protocols[r->protocol]);
		seen[p] |= (unsigned char)(1 << r->protocol);
	}
}

int change_ports(struct image *img, const char *text, const struct words *how, struct err *err)
{
	struct strs words = { 0 };
	unsigned char *seen = xcalloc(65536, 1);
	struct range range;
	int r = words_split(text, how, &words, err);

	for (size_t i = 0; i < words.n && !r; i++)
		if (!parse(words.v[i], &range))
			r = err_msg(err, -EINVAL, "\"%.60s\" is no port", words.v[i]);
	see(seen, &img->exposed);
	for (size_t i = 0; i < words.n && !r; i++)
		if (parse(words.v[i], &range))
			add(&img->exposed, &range, seen);
	free(seen);
	strs_free(&words);
	return r;
}

#include "net/address.h"
#include "base/num.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int address_parse(const char *s, struct address *out)
{
	struct address a = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(a.family, s, a.b) != 1)
		return -EINVAL;
	*out = a;
	return 0;
}

struct address address_of(const char *s)
{
	struct address a = { 0 };

	if (s)
		address_parse(s, &a);
	return a;
}

char *address_text(const struct address *a, char out[ADDRESS_TEXT])
{
	if (!a->family || !inet_ntop(a->family, a->b, out, ADDRESS_TEXT))
		*out = 0;
	return out;
}

int address_length(const struct address *a)
{
	return a->family == AF_INET6 ? 16 : 4;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && !memcmp(a->b, b->b, (size_t)address_length(a));
}

/* Whether the first BITS of both are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, int bits)
{
	uint8_t mask = (uint8_t)(0xff00 >> (bits % 8));

	return !memcmp(a, b, (size_t)bits / 8) && (!mask || !((a[bits / 8] ^ b[bits / 8]) & mask));
}

static void clear_host_bits(struct address *a, int prefix)
{
	for (int i = prefix; i < 8 * address_length(a); i++)
		a->b[i / 8] &= (uint8_t)~(0x80 >> i % 8);
}

int subnet_parse(const char *s, struct subnet *out, struct err *err)
{
	char text[ADDRESS_TEXT];
	size_t n = strcspn(s, "/");
	struct subnet sub;
	int64_t prefix;

	if (n >= sizeof text || !s[n])
		return err_msg(err, -EINVAL, "subnet \"%s\": not ADDRESS/PREFIX", s);
	memcpy(text, s, n);
	text[n] = 0;
	if (address_parse(text, &sub.base) < 0 || num_range(s + n + 1, 1, 8 * address_length(&sub.base), &prefix) < 0)
		return err_msg(err, -EINVAL, "subnet \"%s\": not ADDRESS/PREFIX", s);
	sub.prefix = (int)prefix;
	clear_host_bits(&sub.base, sub.prefix);
	*out = sub;
	return 0;
}

char *subnet_text(const struct subnet *s, char out[ADDRESS_TEXT + 4])
{
	address_text(&s->base, out);
	if (*out)
		sprintf(out + strlen(out), "/%d", s->prefix);
	return out;
}

bool subnet_has(const struct subnet *s, const struct address *a)
{
	return s->base.family == a->family && same_bits(s->base.b, a->b, s->prefix);
}

bool subnet_overlap(const struct subnet *a, const struct subnet *b)
{
	return a->prefix < b->prefix ? subnet_has(a, &b->base) : subnet_has(b, &a->base);
}

bool subnet_is_host(const struct subnet *s, const struct address *a)
{
	int bits = 8 * address_length(a);
	bool zeros = true, ones = true;

	if (!subnet_has(s, a))
		return false;
	for (int i = s->prefix; i < bits; i++) {
		bool bit = a->b[i / 8] & (0x80 >> i % 8);

		zeros = zeros && !bit;
		ones = ones && bit;
	}
	if (bits - s->prefix < 2) /* a point-to-point /31 or /127 has no other (RFC 3021), a /32 only itself */
		return true;
	return !zeros && !(ones && a->family == AF_INET);
}

bool subnet_nth(const struct subnet *s, uint64_t n, struct address *out)
{
	*out = s->base;
	for (int i = address_length(out) - 1; i >= 0 && n; i--) {
		n += out->b[i];
		out->b[i] = (uint8_t)n;
		n >>= 8;
	}
	return !n && subnet_has(s, out);
}

uint64_t subnet_hosts(const struct subnet *s)
{
	int bits = 8 * address_length(&s->base) - s->prefix;
	uint64_t all = bits > 32 ? 1ULL << 32 : 1ULL << bits;

	return bits < 2 ? all : all - 2;
}

int mac_parse(const char *s, uint8_t mac[6])
{
	for (int i = 0; i < 6; i++) {
		char *end;
		unsigned long n = strtoul(s, &end, 16);

		if (!isxdigit((unsigned char)*s) || end - s > 2 || *end != (i < 5 ? ':' : 0))
			return -EINVAL;
		mac[i] = (uint8_t)n;
		s = end + 1;
	}
	return 0;
}

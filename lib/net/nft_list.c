#include "net/nft_list.h"
#include "net/nft_expr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <string.h>

struct listing {
	firewall_call *call;
	void *arg;
	bool six, addressed; /* what the map's keys are made of: pub6.., ..a */
};

static uint16_t port_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* A key is [address] protocol port, the data address port, each padded to four bytes. */
static void report(void *arg, const uint8_t *key, size_t key_len, const uint8_t *data, size_t data_len)
{
	const struct listing *l = arg;
	int family = l->six ? AF_INET6 : AF_INET;
	size_t n = l->six ? 16 : 4, skip = l->addressed ? n : 0;
	struct publication p = { .to = { .family = family } };

	if (key_len < skip + 8 || data_len < n + 4)
		return;
	if (l->addressed) {
		p.host.family = family;
		memcpy(p.host.b, key, n);
	}
	p.protocol = key[skip];
	p.host_port = port_at(key + skip + 4);
	memcpy(p.to.b, data, n);
	p.to_port = port_at(data + n);
	l->call(l->arg, &p);
}

static const void *value_of(const void *element, size_t n, uint16_t type, size_t *len)
{
	const void *p = netlink_attr(element, n, type, len);

	return p ? netlink_attr(p, *len, NFTA_DATA_VALUE, len) : NULL;
}

/* What is done with the elements of a set; DATA is NULL in one that maps to nothing. */
struct dump {
	void (*each)(void *arg, const uint8_t *key, size_t key_len, const uint8_t *data, size_t data_len);
	void *arg;
};

/* One message of the dump: as many elements as fit. */
static int take(void *arg, uint16_t type, const void *payload, size_t n)
{
	size_t skip = sizeof(struct nfgenmsg), len;
	const struct dump *d = arg;
	const char *p;

	(void)type;
	p = n < skip ? NULL : netlink_attr((const char *)payload + skip, n - skip, NFTA_SET_ELEM_LIST_ELEMENTS, &len);
	while (p && len >= sizeof(struct nlattr)) {
		size_t key_len = 0, data_len = 0, step;
		const void *key, *data;
		struct nlattr a;

		memcpy(&a, p, sizeof a);
		if (a.nla_len < sizeof a || a.nla_len > len)
			break;
		key = value_of(p + sizeof a, a.nla_len - sizeof a, NFTA_SET_ELEM_KEY, &key_len);
		data = value_of(p + sizeof a, a.nla_len - sizeof a, NFTA_SET_ELEM_DATA, &data_len);
		if (key)
			d->each(d->arg, key, key_len, data, data ? data_len : 0);
		step = NLA_ALIGN(a.nla_len);
		if (step >= len)
			break;
		p += step;
		len -= step;
	}
	return 0;
}

static int dump(struct firewall *f, uint8_t table, const char *set, struct dump *d, struct err *err)
{
	struct buf b = { 0 };
	size_t m = nft_begin(&b, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	int r;

	nft_set_family(&b, m, table);
	netlink_str(&b, NFTA_SET_ELEM_LIST_TABLE, f->table);
	netlink_str(&b, NFTA_SET_ELEM_LIST_SET, set);
	netlink_end(&b, m);
	r = netlink_talk(&f->nl, &b, "list published ports", take, d, err);
	buf_free(&b);
	return r == -ENOENT || r == -EPROTONOSUPPORT ? 0 : r;
}

int nft_list(struct firewall *f, uint8_t table, int family, firewall_call *call, void *arg, struct err *err)
{
	bool six = family == AF_INET6;
	int r = 0;

	for (int i = 0; i < 2 && !r; i++) {
		struct listing l = { call, arg, six, i };

		r = dump(f, table, six ? i ? "pub6a" : "pub6" : i ? "pub4a" : "pub4", &(struct dump){ report, &l }, err);
	}
	return r;
}

static void keep(void *out, const uint8_t *key, size_t key_len, const uint8_t *data, size_t data_len)
{
	(void)data;
	(void)data_len;
	if (key_len == IFNAMSIZ && !key[IFNAMSIZ - 1])
		strs_add(out, (const char *)key);
}

void nft_list_devices(struct firewall *f, uint8_t table, struct strs *out)
{
	dump(f, table, "br", &(struct dump){ keep, out }, NULL);
}

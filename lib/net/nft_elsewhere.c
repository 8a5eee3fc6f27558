#include "net/nft_elsewhere.h"
#include "net/nft_expr.h"
#include "net/nft_list.h"
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

static int keep_name(void *arg, uint16_t type, const void *payload, size_t n)
{
	size_t skip = sizeof(struct nfgenmsg);
	const char *name = n < skip ? NULL : netlink_attr_str((const char *)payload + skip, n - skip, NFTA_TABLE_NAME);

	(void)type;
	if (name && starts_with(name, "ctrbox_"))
		strs_add(arg, name);
	return 0;
}

struct search {
	const struct publication *p;
	bool found;
};

static void compare(void *arg, const struct publication *p)
{
	struct search *s = arg;

	s->found = s->found || publications_clash(p, s->p);
}

bool nft_elsewhere(struct firewall *f, uint8_t table, const struct publication *p)
{
	struct search s = { .p = p };
	struct strs names = { 0 };
	struct buf b = { 0 };
	size_t m = nft_begin(&b, NFT_MSG_GETTABLE, NLM_F_DUMP);
	struct firewall other = *f;

	nft_set_family(&b, m, table);
	netlink_end(&b, m);
	netlink_talk(&other.nl, &b, "list tables", keep_name, &names, NULL);
	for (size_t i = 0; i < names.n && !s.found; i++)
		if (strcmp(names.v[i], f->table)) {
			snprintf(other.table, sizeof other.table, "%s", names.v[i]);
			nft_list(&other, table, p->to.family, compare, &s, NULL);
		}
	f->nl = other.nl;
	buf_free(&b);
	strs_free(&names);
	return s.found;
}

#include "net/xt_others.h"
#include "net/xt_table.h"
#include <stdint.h>
#include <sys/socket.h>

#define PREFIX "CTRBOX-"

static bool is_about(struct xt_entry e, const void *device)
{
	return xt_names(e, device);
}

static bool is_any(struct xt_entry e, const void *unused)
{
	(void)e;
	(void)unused;
	return true;
}

static int admit(struct xt_table *t, void *device)
{
	struct xt_rule r;

	if (!xt_drops(t, "FORWARD") || (xt_leads(t, "FORWARD", "OURS") && xt_count(t, is_about, device) == 2))
		return 0;
	xt_remove(t, is_about, device);
	if (!xt_has_chains(t))
		xt_add_chain(t, "OURS");
	if (!xt_leads(t, "FORWARD", "OURS"))
		xt_add(t, "FORWARD", 0, xt_rule(&r, t->six), "OURS");
	xt_add(t, "OURS", -1, xt_verdict(xt_in(xt_rule(&r, t->six), device), NF_ACCEPT), NULL);
	xt_add(t, "OURS", -1, xt_verdict(xt_out(xt_rule(&r, t->six), device), NF_ACCEPT), NULL);
	return 1;
}

/* A chain ends with a rule that returns: where that is all, it goes. */
static int dismiss(struct xt_table *t, void *device)
{
	int n = xt_remove(t, is_about, device);

	return n && xt_count(t, is_any, NULL) == 1 ? xt_remove_chains(t) : n;
}

int xt_admit(const char *device, struct err *err)
{
	int r = 0;

	for (int i = 0; i < 2 && r >= 0; i++) {
		int family = i ? AF_INET6 : AF_INET;

		r = xt_in_use(family, "filter") ? xt_change(family, "filter", PREFIX, admit, (void *)(uintptr_t)device, err) : 0;
	}
	return r < 0 ? r : 0;
}

void xt_dismiss(const char *device)
{
	for (int i = 0; i < 2; i++) {
		int family = i ? AF_INET6 : AF_INET;

		if (*device && xt_in_use(family, "filter"))
			xt_change(family, "filter", PREFIX, dismiss, (void *)(uintptr_t)device, NULL);
	}
}

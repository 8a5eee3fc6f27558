/* A FORWARD policy of iptables-legacy's that drops wins over any accept of nf_tables, as iptables-nft's does (net/nft_others.h): in tables that are
 * in use already, a chain of our own at the head of FORWARD, CTRBOX-OURS, which all stores share, lets our devices through to our rules. */
#ifndef NET_XT_OTHERS_H
#define NET_XT_OTHERS_H

#include "base/err.h"

/* Lets DEVICE through where the policy drops and it isn't let through yet; no such table is fine. 0 or -errno, told. */
int xt_admit(const char *device, struct err *err);

/* Takes that back, with the last device the chain; nothing there is fine. */
void xt_dismiss(const char *device);

#endif

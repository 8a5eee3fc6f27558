/* The worlds that net.c measures in: network namespaces that nobody else sees and that end with the program.
 *
 *	client 192.0.2.2 --- up0 192.0.2.1  host  b0 10.2.0.1 --- 10.2.0.2 server */
#ifndef NET_WORLD_H
#define NET_WORLD_H

#include "base/err.h"
#include <stdbool.h>

#define FIRST 20000          /* the first published port; tcp and udp by turns */

struct world {
	const char *rules;   /* "none", "ours", or the tool that makes docker's: "iptables-nft", "iptables-legacy" */
	int ports;           /* published; the last two lead to the server */
	int host, client, server;
};

/* Makes namespaces, rules and servers: one sends every UDP packet to port 80 back, one swallows what comes by TCP and says so at its end. */
void make_world(struct world *w);

void enter(int netns);

/* On one processor alone, the first, or on any again: whether a packet wakes somebody on another one is luck. The
 * servers for UDP are there always. */
void pin(bool one);

/* Ends it all where R is negative: told in `failure`, or errno. */
void need(const char *what, long r);
extern struct err failure;

#endif

/* What a container's networks are while it runs: in state.json, so that whoever finds it can take everything back. */
#ifndef CTR_ATTACHMENT_H
#define CTR_ATTACHMENT_H

#include "base/fields.h"

/* One interface of a container. */
struct attachment {
	char *network, *driver;
	char *device;            /* bridge, or parent of a macvlan */
	char *host;              /* our end of the veth pair; "" for others */
	char *name;              /* inside: eth0, .. */
	char *mac;
	char *ip, *gateway;      /* as text; NULL: none */
	char *ip6, *gateway6;
	int64_t prefix, prefix6, mtu;
	bool internal;           /* its gateway leads nowhere else */
};

/* One published port. */
struct port {
	char *protocol;          /* tcp, udp */
	char *host_ip;           /* NULL: every address */
	int64_t host_port, port; /* host_port 0 in a spec: one is picked */
};

extern const struct field attachment_fields[], port_fields[];

#endif

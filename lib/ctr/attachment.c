#include "ctr/attachment.h"

#define A(m) offsetof(struct attachment, m)
const struct field attachment_fields[] = {
	{ "network", FIELD_STR, A(network), NULL, 0 },
	{ "driver", FIELD_STR, A(driver), NULL, 0 },
	{ "device", FIELD_STR, A(device), NULL, 0 },
	{ "host", FIELD_STR, A(host), NULL, 0 },
	{ "name", FIELD_STR, A(name), NULL, 0 },
	{ "mac", FIELD_STR, A(mac), NULL, 0 },
	{ "ip", FIELD_STR, A(ip), NULL, 0 },
	{ "gateway", FIELD_STR, A(gateway), NULL, 0 },
	{ "ip6", FIELD_STR, A(ip6), NULL, 0 },
	{ "gateway6", FIELD_STR, A(gateway6), NULL, 0 },
	{ "prefix", FIELD_I64, A(prefix), NULL, 0 },
	{ "prefix6", FIELD_I64, A(prefix6), NULL, 0 },
	{ "mtu", FIELD_I64, A(mtu), NULL, 0 },
	{ "internal", FIELD_BOOL, A(internal), NULL, 0 },
	{ 0 },
};

#define P(m) offsetof(struct port, m)
const struct field port_fields[] = {
	{ "protocol", FIELD_STR, P(protocol), NULL, 0 },
	{ "host_ip", FIELD_STR, P(host_ip), NULL, 0 },
	{ "host_port", FIELD_I64, P(host_port), NULL, 0 },
	{ "port", FIELD_I64, P(port), NULL, 0 },
	{ 0 },
};

/* Internet addresses of both families, and ranges of them. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
	int family;          /* AF_INET, AF_INET6; 0: none */
	uint8_t b[16];       /* network order; the first 4 of IPv4 */
};

struct subnet {
	struct address base; /* the network's own address: host bits 0 */
	int prefix;
};

#define ADDRESS_TEXT 46

int address_parse(const char *s, struct address *out);                      /* 0 or -EINVAL */
struct address address_of(const char *s);                                   /* family 0 if it is none, or NULL */
char *address_text(const struct address *a, char out[ADDRESS_TEXT]);
int subnet_parse(const char *s, struct subnet *out, struct err *err);       /* "10.1.0.0/24"; host bits are cleared. 0 or -EINVAL, told */
char *subnet_text(const struct subnet *s, char out[ADDRESS_TEXT + 4]);
int mac_parse(const char *s, uint8_t mac[6]);                                /* "02:42:00:00:00:01"; 0 or -EINVAL */
int address_length(const struct address *a);                                /* 4 or 16 */
bool address_equal(const struct address *a, const struct address *b);
bool subnet_has(const struct subnet *s, const struct address *a);
bool subnet_overlap(const struct subnet *a, const struct subnet *b);
/* Whether A is a host's: neither the network's own address nor (IPv4) its broadcast. */
bool subnet_is_host(const struct subnet *s, const struct address *a);
/* The base plus N; false beyond the subnet. */
bool subnet_nth(const struct subnet *s, uint64_t n, struct address *out);
uint64_t subnet_hosts(const struct subnet *s);                              /* host addresses, at most 2^32 */

#endif

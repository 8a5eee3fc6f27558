/* Published ports as users spell them, and getting them. */
#ifndef CTR_PORTS_H
#define CTR_PORTS_H

#include "ctr/attachment.h"
#include "net/firewall.h"

/* "[IP:][HOST:]CTR[/tcp|/udp]", ranges "8000-8010:80-90" too: appends one struct port each. 0 or -EINVAL, told. */
int ports_parse(const char *s, struct array *out, struct err *err);

/* Publishes PORTS towards the addresses TO4 and TO6 (family 0: none). A host port of 0 is picked and written into PORTS. -EADDRINUSE, told, if
 * one is taken, by a container or by a program of the host. */
int ports_publish(struct firewall *f, struct array *ports, const struct address *to4, const struct address *to6, struct err *err);
void ports_withdraw(struct firewall *f, const struct array *ports, const struct address *to4, const struct address *to6);

void ports_copy(const struct array *from, struct array *to);

/* For a program that will listen there itself: looks that the host's ports are free; one of 0 is picked. 0 or -errno, told. */
int ports_take(struct array *ports, struct err *err);

/* "0.0.0.0:8080->80/tcp" and so on, comma-separated; malloc'ed, NULL if there are none. */
char *ports_text(const struct array *ports);

#endif

/* What change.c has in files of their own: each sets in IMG what TEXT says. 0, or -EINVAL (told) and IMG as it was. */
#ifndef IMAGE_CHANGE_H
#define IMAGE_CHANGE_H

#include "image/image.h"
#include "image/words.h"

/* EXPOSE: "80", "80/udp", "8000-8010/sctp", which stands for eleven. */
int change_ports(struct image *img, const char *text, const struct words *how, struct err *err);

/* HEALTHCHECK: [--interval=T] [--timeout=T] [--start-period=T] [--start-interval=T] [--retries=N] CMD .., or NONE. Nothing in it is a variable. */
int change_health(struct image *img, const char *text, const struct words *how, struct err *err);

#endif

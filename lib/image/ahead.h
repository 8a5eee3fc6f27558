/* A source that reads another one ahead, on a thread of its own, so that two processors share the work on one archive: what is below it (reading,
 * decompression, digests) runs beside what is above. Only that thread touches what is below until ahead_free has returned.
 *
 * Short input, a machine with one processor (sched_getaffinity(2)) and one without room for a thread are read as if it weren't there. */
#ifndef IMAGE_AHEAD_H
#define IMAGE_AHEAD_H

#include "image/tar.h"

struct source *ahead_new(struct source *from);

/* Ends the thread. With KEEP, FROM is to be read on, wherever the thread came to: what it is at is waited for, unless a signal comes (interrupt.h).
 * Otherwise it breaks off even a read(2) that would wait for ever, and FROM may only be freed. */
void ahead_free(struct source *ahead, bool keep);

#endif

/* A line on a terminal's stderr about long work: how much, how fast, how far. Elsewhere it says nothing. */
#ifndef IMAGE_PROGRESS_H
#define IMAGE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what;      /* the name of what is worked on */
	int64_t total;         /* bytes; 0: not known */
	int64_t begun, shown;  /* milliseconds of clock_boot_ms */
	bool on;
};

/* QUIET, or stderr that is no terminal: nothing will be shown. */
void progress_begin(struct progress *p, const char *what, int64_t total, bool quiet);

/* How many there will be, once that is known: fits image_pull's sized. */
void progress_size(void *progress, int64_t total);

/* BYTES are done. Fits layer_import's progress; the line changes ten times a second. */
void progress_update(void *progress, int64_t bytes);

/* Takes the line away. */
void progress_end(struct progress *p);

#endif

/* The tars that applets read and write: a file, or stdin and stdout if FILE is NULL, but never a terminal. */
#ifndef CTR_ARCHIVE_H
#define CTR_ARCHIVE_H

#include <stdbool.h>

/* A descriptor to read from, or told why not and the end: 1, 2 for a terminal. */
int archive_input(const char *file);

/* What is being written. It becomes FILE when it is whole: whoever is killed before that leaves FILE as it was, and nothing beside it. A file
 * system without O_TMPFILE (vfat) keeps it as FILE.PID meanwhile, which only a SIGKILL leaves. What is no regular file (a pipe, a disk),
 * or lies where no new file may be made, is written directly. */
struct archive_output {
	const char *file;
	int fd;
	char *place, *temp;          /* FILE without links; the name on the way there. NULL: directly */
	bool named, replaces;        /* TEMP is there; PLACE was */
};

/* Begins it, or told why not and the end, as above. */
void archive_output(struct archive_output *o, const char *file);

/* All is written: it counts, or told why not and the end. */
void archive_keep(struct archive_output *o);

/* It won't be whole. */
void archive_drop(struct archive_output *o);

#endif

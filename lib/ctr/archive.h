/* The tars that applets read and write: a file, or stdin and stdout if FILE is NULL, but never a terminal. */
#ifndef CTR_ARCHIVE_H
#define CTR_ARCHIVE_H

/* A descriptor to read from, or told why not and the end: 1, 2 for a terminal. */
int archive_input(const char *file);

/* The same to write to. */
int archive_output(const char *file);

/* Ends in the middle of writing: removes FILE, because half a tar would look like a whole one. */
void archive_drop(const char *file, int fd);

#endif

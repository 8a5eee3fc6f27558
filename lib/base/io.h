/* read(2) and write(2) until all is done. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <sys/types.h>

int write_all(int fd, const void *data, size_t len); /* 0 or -errno */
ssize_t read_full(int fd, void *data, size_t len);   /* until LEN or end of file; count or -errno */

#endif

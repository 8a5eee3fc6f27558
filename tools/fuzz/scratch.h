/* Files for those who need some: in $TMPDIR, which tools/fuzz/one makes and removes. */
#ifndef FUZZ_SCRATCH_H
#define FUZZ_SCRATCH_H

#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* A new directory: its descriptor. */
static inline int scratch_dir(void)
{
	const char *in = getenv("TMPDIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/XXXXXX", in ? in : "/dev/shm");
	CHECK(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

#endif

#include "base/file.h"
#include "base/kernel.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t fd_info(int fd, const char *key)
{
	char text[512], *at = text;
	size_t len = strlen(key);
	ssize_t n;

	snprintf(text, sizeof text, "/proc/self/fdinfo/%d", fd);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	while (at && (strncmp(at, key, len) != 0 || at[len] != ':')) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	return at ? strtoll(at + len + 1, NULL, 10) : -ENODATA;
}

/* A container's log: $CTRBOX_ROOT/containers/<id>/log and, once that reached its size, log.1: never more than two files. A line is
 * "TIMESTAMP stdout|stderr F|P TEXT", P for a part without its newline: the format of Kubernetes' CRI. */
#ifndef CTR_LOG_H
#define CTR_LOG_H

#include "base/err.h"
#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

struct log {
	int dir;            /* the container's directory; not closed */
	int fd;             /* the file, or a socket to syslog; -1: none */
	bool syslog;
	int64_t size, max;  /* bytes */
	char *tag;          /* name of the container, for syslog */
};

/* DRIVER is file, syslog or none. 0 or -errno, told. */
int log_open(struct log *l, int dir, const char *driver, int64_t max, const char *name, struct err *err);
void log_close(struct log *l);

/* Writes what was read from stream "stdout" or "stderr". A full disk loses log lines, never the container. */
void log_write(struct log *l, const char *stream, const char *data, size_t n);

struct log_query {
	bool timestamps;
	int64_t since_ns;   /* 0: all */
	int64_t tail;       /* last lines (one written in parts is one); -1: all */
};

/* Prints what the query asks for of log.1 and log, stdout's lines on stdout and stderr's on stderr. With END (a pidfd; -1: none) goes on
 * with what comes, across rotations, until END ends. A closed reader is no error. 0 or -errno, told. */
int log_show(int dir, const struct log_query *q, int end, struct err *err);

#endif

/* Processes by pid *and* start time: a pid alone is anybody's. */
#ifndef SYS_PROC_H
#define SYS_PROC_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Field 22 of /proc/PID/stat: clock ticks since boot at which it started. 0 if there is no such process. */
uint64_t proc_start_time(pid_t pid);

/* A pidfd of PID if it still is the process that started then, else -ESRCH. */
int proc_open(pid_t pid, uint64_t start_time);

/* Whether it still is, and is no zombie. */
bool proc_alive(pid_t pid, uint64_t start_time);

/* Opens procfs's root at PATH ("/proc") and checks that it is procfs (fstatfs): a descriptor, or -errno (-ENOTSUP:
 * something else). */
int proc_fs_open(const char *path);

/* Opens the caller's own NAME ("attr/exec") in what is /proc here, for writing: procfs, and nothing mounted over it on the way, or what is written
 * could reach something else (CVE-2019-16884, CVE-2025-52881). A descriptor, or -errno (-EXDEV: something is mounted there). */
int proc_self_open(const char *name);

#endif

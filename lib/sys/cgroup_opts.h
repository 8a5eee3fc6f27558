/* The options of limits, for every applet that has some: rows of its option table that fill member M (a struct
 * cgroup_limits) of struct S. Call cgroup_limits_check afterwards. */
#ifndef SYS_CGROUP_OPTS_H
#define SYS_CGROUP_OPTS_H

#include "base/opt.h"
#include "sys/cgroup.h"

#define CGROUP_OPTS(S, M) \
	{ 'm', "memory", "SIZE", OPT_SIZE, offsetof(S, M.memory), "memory at most (swap as much again)", NULL }, \
	{ 0, "memory-swap", "SIZE", OPT_SIZE, offsetof(S, M.memory_swap), "memory and swap together; -1: any swap", NULL }, \
	{ 0, "memory-reservation", "SIZE", OPT_SIZE, offsetof(S, M.memory_reservation), "memory to leave it when memory is short", NULL }, \
	{ 0, "cpus", "N", OPT_STR, offsetof(S, M.arg_cpus), "processors at most: 0.5, 2", NULL }, \
	{ 'c', "cpu-shares", "N", OPT_INT, offsetof(S, M.cpu_shares), "share of a busy processor, 2-262144; others have 1024", NULL }, \
	{ 0, "cpu-period", "US", OPT_INT, offsetof(S, M.cpu_period), "period of --cpu-quota, 1000-1000000", NULL }, \
	{ 0, "cpu-quota", "US", OPT_INT, offsetof(S, M.cpu_quota), "processor time a period; -1: any", NULL }, \
	{ 0, "cpuset-cpus", "LIST", OPT_STR, offsetof(S, M.arg_cpuset_cpus), "processors to run on: 0-3,5", NULL }, \
	{ 0, "cpuset-mems", "LIST", OPT_STR, offsetof(S, M.arg_cpuset_mems), "memory nodes to use", NULL }, \
	{ 0, "pids-limit", "N", OPT_INT, offsetof(S, M.pids), "processes and threads at most; -1: any", NULL }, \
	{ 0, "blkio-weight", "N", OPT_INT, offsetof(S, M.blkio_weight), "share of a busy disk, 10-1000", NULL }, \
	{ 0, "device-read-bps", "DEV:SIZE", OPT_STRS, offsetof(S, M.read_bps), "bytes a second read from a disk", NULL }, \
	{ 0, "device-write-bps", "DEV:SIZE", OPT_STRS, offsetof(S, M.write_bps), "bytes a second written to it", NULL }, \
	{ 0, "device-read-iops", "DEV:N", OPT_STRS, offsetof(S, M.read_iops), "reads a second", NULL }, \
	{ 0, "device-write-iops", "DEV:N", OPT_STRS, offsetof(S, M.write_iops), "writes a second", NULL }

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of the options that limit a container: sizes, parts of processors, rates of devices, rlimits. Spelled as Docker
 * spells them; the functions have the shapes that ContainerOption asks for (option-values.h). */
#pragma once

#include <sys/resource.h>

#include "unit/unit-limits.h"

/* "512m", "1.5g", "10": bytes, with units of 1024. -EINVAL, -ERANGE. */
int parse_bytes(const char *text, uint64_t *ret);

int parse_memory(const char *value, void *member, char **ret_error); /* bytes into an int64_t */
int parse_memory_swap(const char *value, void *member, char **ret_error); /* the same, and -1: no limit */
int parse_cpus(const char *value, void *member, char **ret_error); /* "1.5": billionths of a processor */
int parse_number(const char *value, void *member, char **ret_error); /* an int64_t */

int validate_memory(const void *member, char **ret_error);
int validate_memory_swap(const void *member, char **ret_error);
int validate_memory_reservation(const void *member, char **ret_error);
int validate_shm_size(const void *member, char **ret_error);
int validate_cpu_shares(const void *member, char **ret_error);
int validate_cpu_period(const void *member, char **ret_error);
int validate_cpu_quota(const void *member, char **ret_error);
int validate_cpus(const void *member, char **ret_error);
int validate_cpuset_cpus(const void *member, char **ret_error);
int validate_cpuset_mems(const void *member, char **ret_error);
int validate_pids_limit(const void *member, char **ret_error);
int validate_blkio_weight(const void *member, char **ret_error);
int validate_blkio_weight_device(const void *member, char **ret_error);
int validate_device_bps(const void *member, char **ret_error);
int validate_device_iops(const void *member, char **ret_error);
int validate_oom_score_adj(const void *member, char **ret_error);
int validate_ulimits(const void *member, char **ret_error);
int validate_cgroup_parent(const void *member, char **ret_error);
int validate_cgroupns(const void *member, char **ret_error);

/* "/dev/sda:1mb", "/dev/sda:500": the device, and bytes (UNIT_IO_*_BPS) or a number. The path is borrowed up to the
 * colon: *ret_length of it. */
int device_value_parse(const char *text, UnitIoKind kind, size_t *ret_length, uint64_t *ret_value, char **ret_error);

/* "nofile=1024:2048": the number of the rlimit, see getrlimit(2), its name for an OCI configuration ("RLIMIT_NOFILE",
 * static), and its values. */
int ulimit_parse(const char *text, int *ret_resource, const char **ret_name, struct rlimit *ret, char **ret_error);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a unit may use, in systemd's words: systemd.resource-control(5). One struct, written two ways: as properties on the
 * bus (a transient unit, SetUnitProperties), and as lines of a drop-in. systemd writes the cgroup's files; nothing here does. */
#pragma once

#include <systemd/sd-bus.h>

#include "util/macro.h"

#define UNIT_LIMIT_NONE UINT64_MAX /* infinity */
#define UNIT_LIMIT_KEEP (UINT64_MAX - 1) /* not to be written at all */
#define UNIT_SET_SIZE 1024 /* processors, memory nodes */

/* Processors or memory nodes, one bit each. Empty: as the parent has them. */
typedef struct UnitSet {
        uint8_t bits[UNIT_SET_SIZE / 8];
        size_t size; /* bytes up to the last one that is not 0 */
} UnitSet;

typedef enum UnitIoKind {
        UNIT_IO_WEIGHT, /* 1 to 10000 */
        UNIT_IO_READ_BPS,
        UNIT_IO_WRITE_BPS,
        UNIT_IO_READ_IOPS,
        UNIT_IO_WRITE_IOPS,
        UNIT_IO_KINDS,
} UnitIoKind;

typedef struct UnitIoLimit {
        UnitIoKind kind;
        const char *device; /* path of a block device; borrowed */
        uint64_t value;
} UnitIoLimit;

typedef struct UnitLimits {
        uint64_t memory_max, memory_low, memory_swap_max; /* bytes */
        uint64_t tasks_max;
        uint64_t cpu_weight, io_weight;     /* 1 to 10000 */
        uint64_t cpu_quota_usec;            /* of each second, of all processors together */
        uint64_t cpu_period_usec;
        UnitSet cpus, memory_nodes;
        bool set_cpus, set_memory_nodes;    /* the two are to be written */
        const UnitIoLimit *io;
        size_t n_io;
} UnitLimits;

/* Nothing is to be written. */
extern const UnitLimits unit_limits_keep;

/* Appends (sv) after (sv), into an array that the caller has opened. */
int unit_limits_append(sd_bus_message *m, const UnitLimits *limits);
/* Lines for the section of a unit; "" if there are none. */
int unit_limits_format(const UnitLimits *limits, char **ret);
/* What is no limit is not to be written: whoever else has set one keeps it. */
void unit_limits_leave_unlimited(UnitLimits *limits);

/* cpuset(7)'s list format: "0-3,7". -EINVAL, -ERANGE (a number above what a set holds). The empty string is an empty
 * set. */
int unit_set_parse(const char *text, UnitSet *ret);
int unit_set_format(const UnitSet *set, char **ret);
/* Whether all of `set` is in `other`. */
bool unit_set_is_subset(const UnitSet *set, const UnitSet *other);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limits of a container: Docker's options in, systemd's out. Docker's words come from cgroup v1; they are turned into
 * those of v2 by the formulas that runc uses, so that a weight means the same here and there. */
#pragma once

#include "container/container-options.h"
#include "unit/unit-limits.h"

typedef struct ContainerLimits {
        UnitLimits unit; /* refers to the two below */
        UnitIoLimit *io;
        char **devices;
} ContainerLimits;

/* -EINVAL and a line: values that do not go together. A limit that was not asked for is "none" in the result, but for
 * weights and sets, which stay systemd's default. */
int container_limits_make(const ContainerSettings *s, ContainerLimits *ret, char **ret_error);
void container_limits_done(ContainerLimits *l);

/* The rlimits as an array: of objects in an OCI configuration's words ("type", "soft", "hard"), or of those in Docker's
 * inspect ("Name", "Soft", "Hard", and -1 for no limit). */
int ulimits_to_oci(char *const *ulimits, json_object **ret);
int ulimits_to_inspect(char *const *ulimits, json_object **ret);
/* One of the lists of devices as inspect shows it: "Path" and "Rate" (or "Weight"). */
int device_limits_to_inspect(char *const *devices, UnitIoKind kind, json_object **ret);

/* What this machine cannot give: more processors than it has, devices that are not there. For berthd, before anything
 * is made. */
int container_limits_check_host(const ContainerSettings *s, char **ret_error);

/* The cgroup of a slice: "a-b.slice" is /a.slice/a-b.slice. */
int slice_cgroup(const char *slice, char **ret);

/* Of /dev/shm, in bytes. */
int64_t container_shm_size(const ContainerSettings *s);

/* runc's: 2–262144 shares, and 10–1000, to 1–10000. 0 stays 0. */
uint64_t cpu_shares_to_weight(uint64_t shares);
uint64_t blkio_weight_to_io(uint64_t weight);

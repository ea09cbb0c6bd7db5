/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limits of a container: see container-limits.h, systemd.resource-control(5). */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "container/container-limits.h"
#include "container/limit-values.h"
#include "container/option-values.h"
#include "util/fs.h"
#include "util/strv.h"

#define MONITOR_TASKS 1 /* the monitor lives in the unit, too */
#define USEC_PER_SEC UINT64_C(1000000)
#define SHM_SIZE_DEFAULT (64 * 1024 * 1024)
#define PERIOD_DEFAULT 100000
/* systemd 252 keeps CPUQuota= in whole percents over a daemon-reload. */
#define QUOTA_STEP (USEC_PER_SEC / 100)

uint64_t cpu_shares_to_weight(uint64_t shares) {
        return shares == 0 ? 0 : 1 + (shares - 2) * 9999 / 262142;
}

uint64_t blkio_weight_to_io(uint64_t weight) {
        return weight == 0 ? 0 : 1 + (weight - 10) * 9999 / 990;
}

int slice_cgroup(const char *slice, char **ret) {
        _cleanup_free_ char *path = NULL;
        size_t size;

        FILE *f = open_memstream(&path, &size);
        if (!f)
                return -ENOMEM;
        for (const char *dash = strchr(slice, '-'); dash; dash = strchr(dash + 1, '-'))
                fprintf(f, "/%.*s.slice", (int) (dash - slice), slice);
        fprintf(f, "/%s", slice);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = TAKE(path);
        return 0;
}

int64_t container_shm_size(const ContainerSettings *s) {
        return s->shm_size > 0 ? s->shm_size : SHM_SIZE_DEFAULT;
}

/* --- Memory --- */

static int make_memory(const ContainerSettings *s, UnitLimits *l, char **ret_error) {
        if (s->memory_swap > 0 && s->memory == 0)
                return option_error(ret_error, "You should always set the Memory limit when using Memoryswap limit");
        if (s->memory_swap > 0 && s->memory_swap < s->memory)
                return option_error(ret_error, "Minimum memoryswap limit should be larger than memory limit");
        if (s->memory > 0 && s->memory_reservation > s->memory)
                return option_error(ret_error,
                                    "Minimum memory limit can not be less than memory reservation limit");
        l->memory_max = s->memory > 0 ? (uint64_t) s->memory : UNIT_LIMIT_NONE;
        if (s->memory_reservation > 0)
                l->memory_low = (uint64_t) s->memory_reservation;
        /* Docker's --memory-swap is of both together; not given, it is twice the memory. */
        l->memory_swap_max = s->memory == 0 || s->memory_swap < 0 ? UNIT_LIMIT_NONE
                             : s->memory_swap == 0                ? (uint64_t) s->memory
                                                                  : (uint64_t) (s->memory_swap - s->memory);
        return 0;
}

/* --- Processors --- */

static int make_cpu(const ContainerSettings *s, UnitLimits *l, char **ret_error) {
        uint64_t period = s->cpu_period > 0 ? (uint64_t) s->cpu_period : PERIOD_DEFAULT;

        if (s->nano_cpus > 0 && s->cpu_period > 0)
                return option_error(ret_error, "Conflicting options: Nano CPUs and CPU Period cannot both be set");
        if (s->nano_cpus > 0 && s->cpu_quota > 0)
                return option_error(ret_error, "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
        l->cpu_quota_usec = s->nano_cpus > 0   ? (uint64_t) s->nano_cpus / 1000
                            : s->cpu_quota > 0 ? (uint64_t) s->cpu_quota * USEC_PER_SEC / period
                                               : UNIT_LIMIT_NONE;
        if (l->cpu_quota_usec != UNIT_LIMIT_NONE)
                l->cpu_quota_usec = (l->cpu_quota_usec + QUOTA_STEP - 1) / QUOTA_STEP * QUOTA_STEP;
        if (s->cpu_period > 0)
                l->cpu_period_usec = period;
        if (s->cpu_shares > 0)
                l->cpu_weight = cpu_shares_to_weight((uint64_t) s->cpu_shares);
        if ((l->set_cpus = s->cpuset_cpus) && unit_set_parse(s->cpuset_cpus, &l->cpus) < 0)
                return option_error(ret_error, "Invalid value %.64s for cpuset cpus", s->cpuset_cpus);
        if ((l->set_memory_nodes = s->cpuset_mems) && unit_set_parse(s->cpuset_mems, &l->memory_nodes) < 0)
                return option_error(ret_error, "Invalid value %.64s for cpuset mems", s->cpuset_mems);
        return 0;
}

/* --- Devices --- */

static const struct {
        UnitIoKind kind;
        size_t offset;
} device_lists[] = {
        { UNIT_IO_WEIGHT,     offsetof(ContainerSettings, blkio_weight_device) },
        { UNIT_IO_READ_BPS,   offsetof(ContainerSettings, device_read_bps)     },
        { UNIT_IO_WRITE_BPS,  offsetof(ContainerSettings, device_write_bps)    },
        { UNIT_IO_READ_IOPS,  offsetof(ContainerSettings, device_read_iops)    },
        { UNIT_IO_WRITE_IOPS, offsetof(ContainerSettings, device_write_iops)   },
};

static char *const *device_list(const ContainerSettings *s, size_t i) {
        return *(char *const *const *) ((const char *) s + device_lists[i].offset);
}

static int make_device(const char *text, UnitIoKind kind, ContainerLimits *l, char **ret_error) {
        uint64_t value;
        size_t length;
        int r = device_value_parse(text, kind, &length, &value, ret_error);

        if (r < 0)
                return r;
        if (value == 0) /* no limit, as with Docker */
                return 0;
        r = strv_extendf(&l->devices, "%.*s", (int) length, text);
        if (r < 0)
                return r;
        l->io[l->unit.n_io++] = (UnitIoLimit) {
                .kind = kind,
                .device = l->devices[strv_length(l->devices) - 1],
                .value = kind == UNIT_IO_WEIGHT ? blkio_weight_to_io(value) : value,
        };
        return 0;
}

static int make_io(const ContainerSettings *s, ContainerLimits *l, char **ret_error) {
        size_t n = 0;
        int r = 0;

        if (s->blkio_weight > 0)
                l->unit.io_weight = blkio_weight_to_io((uint64_t) s->blkio_weight);
        for (size_t i = 0; i < N_ELEMENTS(device_lists); i++)
                n += strv_length(device_list(s, i));
        if (n == 0)
                return 0;
        l->io = calloc(n, sizeof(UnitIoLimit));
        if (!l->io)
                return -ENOMEM;
        l->unit.io = l->io;
        for (size_t i = 0; i < N_ELEMENTS(device_lists); i++)
                for (char *const *v = device_list(s, i); r >= 0 && v && *v; v++)
                        r = make_device(*v, device_lists[i].kind, l, ret_error);
        return r;
}

int container_limits_make(const ContainerSettings *s, ContainerLimits *ret, char **ret_error) {
        ContainerLimits l = { .unit = unit_limits_keep };
        int r;

        l.unit.tasks_max = s->pids_limit > 0 ? (uint64_t) s->pids_limit + MONITOR_TASKS : UNIT_LIMIT_NONE;
        if ((r = make_memory(s, &l.unit, ret_error)) < 0 || (r = make_cpu(s, &l.unit, ret_error)) < 0 ||
            (r = make_io(s, &l, ret_error)) < 0) {
                container_limits_done(&l);
                return r;
        }
        *ret = l;
        return 0;
}

void container_limits_done(ContainerLimits *l) {
        free(l->io);
        strv_free(l->devices);
        *l = (ContainerLimits) { .unit = unit_limits_keep };
}

/* --- What the machine has --- */

/* `path`: a file of sysfs in cpuset(7)'s list format. One that is not there limits nothing. */
static int check_set(const char *what, const char *wanted, const char *path, char **ret_error) {
        _cleanup_free_ char *text = NULL;
        UnitSet set, there;

        if (!wanted || fs_read_file(AT_FDCWD, path, 4096, &text, NULL) < 0)
                return 0;
        text[strcspn(text, "\n")] = '\0';
        if (unit_set_parse(wanted, &set) < 0 || unit_set_parse(text, &there) < 0 || unit_set_is_subset(&set, &there))
                return 0;
        return option_error(ret_error, "Requested %s are not available - requested %.64s, available: %.64s", what,
                            wanted, text);
}

static int check_device(const char *text, UnitIoKind kind, char **ret_error) {
        _cleanup_free_ char *path = NULL;
        struct stat st;
        uint64_t value;
        size_t length;
        int r = device_value_parse(text, kind, &length, &value, ret_error);

        if (r < 0)
                return r;
        path = strndup(text, length);
        if (!path)
                return -ENOMEM;
        if (stat(path, &st) < 0)
                return option_error(ret_error, "%.64s: %s", path, strerror(errno));
        return S_ISBLK(st.st_mode) ? 0 : option_error(ret_error, "%.64s is no block device", path);
}

int container_limits_check_host(const ContainerSettings *s, char **ret_error) {
        int n = get_nprocs(), r;

        if (s->nano_cpus > (int64_t) n * 1000000000)
                return option_error(ret_error,
                                    "Range of CPUs is from 0.01 to %d.00, as there are only %d CPUs available", n, n);
        if ((r = check_set("CPUs", s->cpuset_cpus, "/sys/devices/system/cpu/online", ret_error)) < 0 ||
            (r = check_set("memory nodes", s->cpuset_mems, "/sys/devices/system/node/online", ret_error)) < 0)
                return r;
        for (size_t i = 0; i < N_ELEMENTS(device_lists); i++)
                for (char *const *v = device_list(s, i); v && *v; v++) {
                        r = check_device(*v, device_lists[i].kind, ret_error);
                        if (r < 0)
                                return r;
                }
        return 0;
}

/* --- As JSON --- */

/* An array of what `add` makes of each entry. */
static int entries_to_json(char *const *v, int (*add)(json_object *entry, const char *text, int how), int how,
                           json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();

        if (!array)
                return -ENOMEM;
        for (; v && *v; v++) {
                json_object *entry = json_object_new_object();
                if (!entry || json_object_array_add(array, entry) < 0) {
                        json_object_put(entry);
                        return -ENOMEM;
                }
                int r = add(entry, *v, how);
                if (r < 0)
                        return r;
        }
        *ret = TAKE(array);
        return 0;
}

enum { ULIMIT_OCI, ULIMIT_INSPECT };

static int add_rlim(json_object *entry, const char *key, rlim_t value, int how) {
        json_object *number = how == ULIMIT_INSPECT && value == RLIM_INFINITY ? json_object_new_int64(-1)
                                                                              : json_object_new_uint64(value);
        return json_add_object(entry, key, number);
}

static int add_ulimit(json_object *entry, const char *text, int how) {
        static const char *const keys[][3] = {
                [ULIMIT_OCI] = { "type", "soft", "hard" },
                [ULIMIT_INSPECT] = { "Name", "Soft", "Hard" },
        };
        _cleanup_free_ char *why = NULL, *name = strndup(text, strcspn(text, "="));
        struct rlimit limit;
        const char *oci;
        int resource, r;

        if (!name)
                return -ENOMEM;
        if ((r = ulimit_parse(text, &resource, &oci, &limit, &why)) < 0 ||
            (r = json_add_string(entry, keys[how][0], how == ULIMIT_OCI ? oci : name)) < 0 ||
            (r = add_rlim(entry, keys[how][1], limit.rlim_cur, how)) < 0)
                return r;
        return add_rlim(entry, keys[how][2], limit.rlim_max, how);
}

int ulimits_to_oci(char *const *ulimits, json_object **ret) {
        return entries_to_json(ulimits, add_ulimit, ULIMIT_OCI, ret);
}

int ulimits_to_inspect(char *const *ulimits, json_object **ret) {
        return entries_to_json(ulimits, add_ulimit, ULIMIT_INSPECT, ret);
}

static int add_device(json_object *entry, const char *text, int kind) {
        _cleanup_free_ char *why = NULL, *path = NULL;
        uint64_t value;
        size_t length;
        int r = device_value_parse(text, (UnitIoKind) kind, &length, &value, &why);

        if (r < 0)
                return r;
        path = strndup(text, length);
        r = path ? json_add_string(entry, "Path", path) : -ENOMEM;
        return r < 0 ? r : json_add_i64(entry, kind == UNIT_IO_WEIGHT ? "Weight" : "Rate", (int64_t) value);
}

int device_limits_to_inspect(char *const *devices, UnitIoKind kind, json_object **ret) {
        return entries_to_json(devices, add_device, (int) kind, ret);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of options that limit: see limit-values.h. */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>

#include "container/container-options.h"
#include "container/limit-values.h"
#include "container/option-values.h"
#include "util/strv.h"

#define MEMORY_MIN (6 * 1024 * 1024) /* Docker's: less does not start */
#define NANO 1000000000
#define SLICE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\-"

/* --- Numbers --- */

/* Digits with an optional point, as whole billionths: exact, where a double would not be. */
static int parse_decimal(const char *text, size_t length, uint64_t *ret_whole, uint64_t *ret_nano) {
        uint64_t whole = 0, nano = 0, unit = NANO;
        bool point = false, digit = false;

        for (size_t i = 0; i < length; i++) {
                if (text[i] == '.' && !point) {
                        point = true;
                        continue;
                }
                if (!isdigit((unsigned char) text[i]))
                        return -EINVAL;
                digit = true;
                if (!point) {
                        if (__builtin_mul_overflow(whole, 10, &whole) ||
                            __builtin_add_overflow(whole, (uint64_t) (text[i] - '0'), &whole))
                                return -ERANGE;
                } else if (unit > 1) {
                        unit /= 10;
                        nano += (uint64_t) (text[i] - '0') * unit;
                } else if (text[i] != '0')
                        return -EDOM; /* finer than a billionth */
        }
        *ret_whole = whole;
        *ret_nano = nano;
        return digit ? 0 : -EINVAL;
}

/* The binary exponent of a suffix: "", b, k, kb, kib, m, …; -1: none of them. */
static int suffix_shift(const char *s) {
        static const char units[] = "kmgtp";
        int shift = 0;

        if (*s) {
                const char *unit = strchr(units, tolower((unsigned char) *s));
                if (unit) {
                        shift = (int) (unit - units + 1) * 10;
                        s++;
                        if (tolower((unsigned char) *s) == 'i')
                                s++;
                }
        }
        if (tolower((unsigned char) *s) == 'b')
                s++;
        return *s ? -1 : shift;
}

int parse_bytes(const char *text, uint64_t *ret) {
        size_t length = strspn(text, "0123456789.");
        const char *suffix = text + length + (text[length] == ' ');
        uint64_t whole, nano, bytes;
        int r = parse_decimal(text, length, &whole, &nano), shift = suffix_shift(suffix);

        if (r < 0 && r != -EDOM)
                return r;
        if (r == -EDOM || shift < 0)
                return -EINVAL;
        if (whole > (uint64_t) INT64_MAX >> shift)
                return -ERANGE;
        bytes = (whole << shift) + (uint64_t) ((unsigned __int128) nano * (UINT64_C(1) << shift) / NANO);
        if (bytes > INT64_MAX)
                return -ERANGE;
        *ret = bytes;
        return 0;
}

int parse_memory(const char *value, void *member, char **ret_error) {
        uint64_t bytes;
        int r = parse_bytes(value, &bytes);

        if (r == -ERANGE)
                return option_error(ret_error, "invalid size: '%.64s' is too much", value);
        if (r < 0)
                return option_error(ret_error, "invalid size: '%.64s'", value);
        *(int64_t *) member = (int64_t) bytes;
        return 0;
}

int parse_memory_swap(const char *value, void *member, char **ret_error) {
        if (!streq(value, "-1"))
                return parse_memory(value, member, ret_error);
        *(int64_t *) member = -1;
        return 0;
}

int parse_number(const char *value, void *member, char **ret_error) {
        const char *digits = value + (*value == '-');
        uint64_t number;

        if (parse_u64(digits, &number) < 0 || number > INT64_MAX)
                return option_error(ret_error, "\"%.64s\" is no whole number", value);
        *(int64_t *) member = *value == '-' ? -(int64_t) number : (int64_t) number;
        return 0;
}

int parse_cpus(const char *value, void *member, char **ret_error) {
        uint64_t whole, nano;
        int r = parse_decimal(value, strlen(value), &whole, &nano);

        if (r == -EDOM)
                return option_error(ret_error, "value is too precise: \"%.64s\"", value);
        if (r < 0 || whole > 1000000)
                return option_error(ret_error, "\"%.64s\" is no number of processors", value);
        *(int64_t *) member = (int64_t) (whole * NANO + nano);
        return 0;
}

/* --- What numbers may be. Zero is Docker's "not given", wherever it means that there. --- */

static int64_t number_of(const void *member) {
        return *(const int64_t *) member;
}

int validate_memory(const void *member, char **ret_error) {
        int64_t n = number_of(member);

        if (n != 0 && n < MEMORY_MIN)
                return option_error(ret_error, "Minimum memory limit allowed is 6MB");
        return 0;
}

int validate_memory_swap(const void *member, char **ret_error) {
        if (number_of(member) < -1)
                return option_error(ret_error, "invalid memory swap limit %" PRIi64 ": bytes, or -1 for no limit",
                                    number_of(member));
        return 0;
}

int validate_memory_reservation(const void *member, char **ret_error) {
        int64_t n = number_of(member);

        if (n != 0 && n < MEMORY_MIN)
                return option_error(ret_error, "Minimum memory reservation allowed is 6MB");
        return 0;
}

int validate_shm_size(const void *member, char **ret_error) {
        if (number_of(member) < 0)
                return option_error(ret_error, "SHM size can not be less than 0");
        return 0;
}

int validate_cpu_shares(const void *member, char **ret_error) {
        int64_t n = number_of(member);

        if (n != 0 && (n < 2 || n > 262144))
                return option_error(ret_error, "invalid CPU shares %" PRIi64 ": they are from 2 to 262144", n);
        return 0;
}

int validate_cpu_period(const void *member, char **ret_error) {
        int64_t n = number_of(member);

        if (n != 0 && (n < 1000 || n > 1000000))
                return option_error(ret_error, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s "
                                               "(i.e. 1000000)");
        return 0;
}

int validate_cpu_quota(const void *member, char **ret_error) {
        int64_t n = number_of(member);

        if (n > 0 && n < 1000)
                return option_error(ret_error, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
        if (n > INT64_C(1000000000000))
                return option_error(ret_error, "CPU cfs quota %" PRIi64 " is too much", n);
        return 0;
}

int validate_cpus(const void *member, char **ret_error) {
        int64_t n = number_of(member);

        if (n < 0 || (n > 0 && n < NANO / 100) || n > (int64_t) 1000000 * NANO)
                return option_error(ret_error, "the range of CPUs begins at 0.01");
        return 0;
}

int validate_pids_limit(const void *member, char **ret_error) {
        if (number_of(member) < -1 || number_of(member) > INT_MAX)
                return option_error(ret_error, "invalid limit of processes %" PRIi64 ": a number, or -1 for no limit",
                                    number_of(member));
        return 0;
}

static bool is_blkio_weight(int64_t n) {
        return n >= 10 && n <= 1000;
}

int validate_blkio_weight(const void *member, char **ret_error) {
        int64_t n = number_of(member);

        if (n != 0 && !is_blkio_weight(n))
                return option_error(ret_error, "Range of blkio weight is from 10 to 1000");
        return 0;
}

int validate_oom_score_adj(const void *member, char **ret_error) {
        int64_t n = number_of(member);

        if (n < -1000 || n > 1000)
                return option_error(ret_error, "Invalid value %" PRIi64 ", range for oom score adj is [-1000, 1000]", n);
        return 0;
}

/* --- Sets --- */

static int validate_set(const char *what, const char *text, char **ret_error) {
        UnitSet set;
        int r = unit_set_parse(text, &set);

        if (r == -ERANGE)
                return option_error(ret_error, "Invalid value %.64s for %s: numbers below %d are possible", text, what,
                                    UNIT_SET_SIZE);
        if (r < 0)
                return option_error(ret_error, "Invalid value %.64s for %s", text, what);
        return 0;
}

int validate_cpuset_cpus(const void *member, char **ret_error) {
        return validate_set("cpuset cpus", *(char *const *) member, ret_error);
}

int validate_cpuset_mems(const void *member, char **ret_error) {
        return validate_set("cpuset mems", *(char *const *) member, ret_error);
}

/* --- Devices --- */

int device_value_parse(const char *text, UnitIoKind kind, size_t *ret_length, uint64_t *ret_value, char **ret_error) {
        const char *colon = strrchr(text, ':');
        bool bytes = kind == UNIT_IO_READ_BPS || kind == UNIT_IO_WRITE_BPS;
        uint64_t value;

        if (!colon || colon == text || !colon[1])
                return option_error(ret_error, "bad format: %.64s (expected is <device-path>:<%s>)", text,
                                    kind == UNIT_IO_WEIGHT ? "weight" : bytes ? "number>[<unit>]" : "number");
        if (!startswith(text, "/dev/"))
                return option_error(ret_error, "bad format for device path: %.64s", text);
        int r = bytes ? parse_bytes(colon + 1, &value) : parse_u64(colon + 1, &value);
        if (kind == UNIT_IO_WEIGHT && (r < 0 || (value != 0 && !is_blkio_weight((int64_t) MIN_OF(value, 1001)))))
                return option_error(ret_error, "invalid weight for device: %.64s (from 10 to 1000)", text);
        if (r < 0 || value > INT64_MAX)
                return option_error(ret_error, "invalid rate for device: %.64s (a positive number%s is needed)", text,
                                    bytes ? ", also with kb, mb or gb behind it," : "");
        *ret_length = (size_t) (colon - text);
        *ret_value = value;
        return 0;
}

static int validate_devices(const void *member, UnitIoKind kind, char **ret_error) {
        for (char *const *v = *(char *const *const *) member; v && *v; v++) {
                size_t length;
                uint64_t value;
                int r = device_value_parse(*v, kind, &length, &value, ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int validate_blkio_weight_device(const void *member, char **ret_error) {
        return validate_devices(member, UNIT_IO_WEIGHT, ret_error);
}

int validate_device_bps(const void *member, char **ret_error) {
        return validate_devices(member, UNIT_IO_READ_BPS, ret_error);
}

int validate_device_iops(const void *member, char **ret_error) {
        return validate_devices(member, UNIT_IO_READ_IOPS, ret_error);
}

/* --- rlimits --- */

static const struct {
        const char *name; /* as on the command line */
        const char *oci;
        int resource;
} ulimits[] = {
        { "core",       "RLIMIT_CORE",       RLIMIT_CORE       },
        { "cpu",        "RLIMIT_CPU",        RLIMIT_CPU        },
        { "data",       "RLIMIT_DATA",       RLIMIT_DATA       },
        { "fsize",      "RLIMIT_FSIZE",      RLIMIT_FSIZE      },
        { "locks",      "RLIMIT_LOCKS",      RLIMIT_LOCKS      },
        { "memlock",    "RLIMIT_MEMLOCK",    RLIMIT_MEMLOCK    },
        { "msgqueue",   "RLIMIT_MSGQUEUE",   RLIMIT_MSGQUEUE   },
        { "nice",       "RLIMIT_NICE",       RLIMIT_NICE       },
        { "nofile",     "RLIMIT_NOFILE",     RLIMIT_NOFILE     },
        { "nproc",      "RLIMIT_NPROC",      RLIMIT_NPROC      },
        { "rss",        "RLIMIT_RSS",        RLIMIT_RSS        },
        { "rtprio",     "RLIMIT_RTPRIO",     RLIMIT_RTPRIO     },
        { "rttime",     "RLIMIT_RTTIME",     RLIMIT_RTTIME     },
        { "sigpending", "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
        { "stack",      "RLIMIT_STACK",      RLIMIT_STACK      },
};

/* -1: no limit. */
static int parse_rlimit(const char *text, rlim_t *ret) {
        uint64_t value;

        if (streq(text, "-1")) {
                *ret = RLIM_INFINITY;
                return 0;
        }
        int r = parse_u64(text, &value);
        if (r >= 0)
                *ret = value;
        return r;
}

int ulimit_parse(const char *text, int *ret_resource, const char **ret_name, struct rlimit *ret, char **ret_error) {
        const char *equals = strchr(text, '=');
        struct rlimit limit;
        size_t i = 0;

        if (!equals)
                return option_error(ret_error, "invalid ulimit argument: %.64s", text);
        while (i < N_ELEMENTS(ulimits) && (strlen(ulimits[i].name) != (size_t) (equals - text) ||
                                           strncmp(ulimits[i].name, text, (size_t) (equals - text)) != 0))
                i++;
        if (i == N_ELEMENTS(ulimits))
                return option_error(ret_error, "invalid ulimit type: %.*s", (int) MIN_OF(equals - text, 64), text);
        _cleanup_free_ char *soft = strdup(equals + 1);
        if (!soft)
                return -ENOMEM;
        char *hard = strchr(soft, ':');
        if (hard)
                *hard++ = '\0';
        if (parse_rlimit(soft, &limit.rlim_cur) < 0 || parse_rlimit(hard ? hard : soft, &limit.rlim_max) < 0)
                return option_error(ret_error, "invalid ulimit value: %.64s (%s=SOFT[:HARD] is needed)", text,
                                    ulimits[i].name);
        if (limit.rlim_cur > limit.rlim_max)
                return option_error(ret_error, "ulimit soft limit must be less than or equal to hard limit: %s > %s",
                                    soft, hard);
        *ret_resource = ulimits[i].resource;
        *ret_name = ulimits[i].oci;
        *ret = limit;
        return 0;
}

int validate_ulimits(const void *member, char **ret_error) {
        for (char *const *v = *(char *const *const *) member; v && *v; v++) {
                struct rlimit limit;
                const char *name;
                int resource, r = ulimit_parse(*v, &resource, &name, &limit, ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- Cgroups --- */

int validate_cgroup_parent(const void *member, char **ret_error) {
        const char *name = *(char *const *) member;
        size_t length = strlen(name), suffix = strlen(".slice");

        /* Names of slices are paths: a-b.slice is below a.slice. */
        if (length <= suffix || length > 200 || !streq(name + length - suffix, ".slice") || name[0] == '-' ||
            name[length - suffix - 1] == '-' || strstr(name, "--") || strspn(name, SLICE_CHARACTERS) != length)
                return option_error(ret_error, "cgroup-parent for systemd cgroup should be a valid slice named as "
                                               "\"xxx.slice\", not \"%.64s\"", name);
        return 0;
}

int validate_cgroupns(const void *member, char **ret_error) {
        const char *mode = *(char *const *) member;

        if (!streq(mode, "host") && !streq(mode, "private"))
                return option_error(ret_error, "invalid CGROUP mode: %.64s (host, private)", mode);
        return 0;
}

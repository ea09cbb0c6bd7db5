/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limits of a unit: see unit-limits.h, org.freedesktop.systemd1(5). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/unit-limits.h"
#include "util/strv.h"

#define USEC_PER_SEC UINT64_C(1000000)

const UnitLimits unit_limits_keep = {
        .memory_max = UNIT_LIMIT_KEEP,
        .memory_low = UNIT_LIMIT_KEEP,
        .memory_swap_max = UNIT_LIMIT_KEEP,
        .tasks_max = UNIT_LIMIT_KEEP,
        .cpu_weight = UNIT_LIMIT_KEEP,
        .io_weight = UNIT_LIMIT_KEEP,
        .cpu_quota_usec = UNIT_LIMIT_KEEP,
        .cpu_period_usec = UNIT_LIMIT_KEEP,
};

typedef enum LineForm {
        LINE_NUMBER,
        LINE_PERCENT, /* of a second */
        LINE_USEC,
} LineForm;

/* The numbers: on the bus all of them are a uint64. */
static const struct {
        const char *property;
        const char *setting;
        LineForm form;
        size_t offset;
} numbers[] = {
        { "MemoryMax",          "MemoryMax",         LINE_NUMBER,  offsetof(UnitLimits, memory_max)      },
        { "MemoryLow",          "MemoryLow",         LINE_NUMBER,  offsetof(UnitLimits, memory_low)      },
        { "MemorySwapMax",      "MemorySwapMax",     LINE_NUMBER,  offsetof(UnitLimits, memory_swap_max) },
        { "TasksMax",           "TasksMax",          LINE_NUMBER,  offsetof(UnitLimits, tasks_max)       },
        { "CPUWeight",          "CPUWeight",         LINE_NUMBER,  offsetof(UnitLimits, cpu_weight)      },
        { "IOWeight",           "IOWeight",          LINE_NUMBER,  offsetof(UnitLimits, io_weight)       },
        { "CPUQuotaPerSecUSec", "CPUQuota",          LINE_PERCENT, offsetof(UnitLimits, cpu_quota_usec)  },
        { "CPUQuotaPeriodUSec", "CPUQuotaPeriodSec", LINE_USEC,    offsetof(UnitLimits, cpu_period_usec) },
};

static const char *const io_settings[UNIT_IO_KINDS] = {
        [UNIT_IO_WEIGHT] = "IODeviceWeight",
        [UNIT_IO_READ_BPS] = "IOReadBandwidthMax",
        [UNIT_IO_WRITE_BPS] = "IOWriteBandwidthMax",
        [UNIT_IO_READ_IOPS] = "IOReadIOPSMax",
        [UNIT_IO_WRITE_IOPS] = "IOWriteIOPSMax",
};

static uint64_t number_of(const UnitLimits *limits, size_t i) {
        return *(const uint64_t *) ((const char *) limits + numbers[i].offset);
}

/* --- On the bus --- */

static int append_set(sd_bus_message *m, const char *property, const UnitSet *set) {
        int r;

        if ((r = sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
            (r = sd_bus_message_append(m, "s", property)) < 0 ||
            (r = sd_bus_message_open_container(m, 'v', "ay")) < 0 ||
            (r = sd_bus_message_append_array(m, 'y', set->bits, set->size)) < 0 ||
            (r = sd_bus_message_close_container(m)) < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_io(sd_bus_message *m, const UnitIoLimit *limit) {
        return sd_bus_message_append(m, "(sv)", io_settings[limit->kind], "a(st)", 1, limit->device, limit->value);
}

int unit_limits_append(sd_bus_message *m, const UnitLimits *limits) {
        int r = 0;

        for (size_t i = 0; i < N_ELEMENTS(numbers) && r >= 0; i++)
                if (number_of(limits, i) != UNIT_LIMIT_KEEP)
                        r = sd_bus_message_append(m, "(sv)", numbers[i].property, "t", number_of(limits, i));
        if (r >= 0 && limits->set_cpus)
                r = append_set(m, "AllowedCPUs", &limits->cpus);
        if (r >= 0 && limits->set_memory_nodes)
                r = append_set(m, "AllowedMemoryNodes", &limits->memory_nodes);
        for (size_t i = 0; i < limits->n_io && r >= 0; i++)
                r = append_io(m, &limits->io[i]);
        return r;
}

/* --- In a file --- */

/* Hundredths of a percent are the finest that CPUQuota= takes. */
static void print_percent(FILE *f, uint64_t usec) {
        uint64_t hundredths = usec / (USEC_PER_SEC / 10000);

        fprintf(f, "%" PRIu64 ".%02" PRIu64 "%%\n", hundredths / 100, hundredths % 100);
}

static void print_number(FILE *f, const char *setting, LineForm form, uint64_t value) {
        fprintf(f, "%s=", setting);
        if (value == UNIT_LIMIT_NONE)
                fprintf(f, "%s\n", form == LINE_NUMBER ? "infinity" : "");
        else if (form == LINE_PERCENT)
                print_percent(f, value);
        else
                fprintf(f, "%" PRIu64 "%s\n", value, form == LINE_USEC ? "us" : "");
}

static int print_set(FILE *f, const char *setting, const UnitSet *set) {
        _cleanup_free_ char *text = NULL;
        int r = unit_set_format(set, &text);

        if (r >= 0)
                fprintf(f, "%s=%s\n", setting, text);
        return r;
}

int unit_limits_format(const UnitLimits *limits, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = 0;

        FILE *f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < N_ELEMENTS(numbers); i++)
                if (number_of(limits, i) != UNIT_LIMIT_KEEP)
                        print_number(f, numbers[i].setting, numbers[i].form, number_of(limits, i));
        if (limits->set_cpus)
                r = print_set(f, "AllowedCPUs", &limits->cpus);
        if (r >= 0 && limits->set_memory_nodes)
                r = print_set(f, "AllowedMemoryNodes", &limits->memory_nodes);
        for (size_t i = 0; i < limits->n_io; i++)
                fprintf(f, "%s=%s %" PRIu64 "\n", io_settings[limits->io[i].kind], limits->io[i].device,
                        limits->io[i].value);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE(text);
        return 0;
}

void unit_limits_leave_unlimited(UnitLimits *limits) {
        for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
                uint64_t *number = (uint64_t *) ((char *) limits + numbers[i].offset);
                if (*number == UNIT_LIMIT_NONE)
                        *number = UNIT_LIMIT_KEEP;
        }
}

/* --- Sets --- */

static bool set_has(const UnitSet *set, unsigned i) {
        return i < UNIT_SET_SIZE && set->bits[i / 8] & 1u << i % 8;
}

static void set_add(UnitSet *set, unsigned i) {
        set->bits[i / 8] = (uint8_t) (set->bits[i / 8] | 1u << i % 8);
        if (set->size <= i / 8)
                set->size = i / 8 + 1;
}

/* A number at *p, which is moved behind it. */
static int read_number(const char **p, unsigned *ret) {
        unsigned value = 0;

        if (**p < '0' || **p > '9')
                return -EINVAL;
        for (; **p >= '0' && **p <= '9'; (*p)++) {
                value = value * 10 + (unsigned) (**p - '0');
                if (value >= UNIT_SET_SIZE)
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

int unit_set_parse(const char *text, UnitSet *ret) {
        UnitSet set = { 0 };
        const char *p = text;

        while (*p) {
                unsigned first, last;
                int r = read_number(&p, &first);
                if (r < 0)
                        return r;
                last = first;
                if (*p == '-') {
                        p++;
                        r = read_number(&p, &last);
                        if (r < 0)
                                return r;
                }
                if (last < first || (*p && (*p != ',' || !p[1])))
                        return -EINVAL;
                for (unsigned i = first; i <= last; i++)
                        set_add(&set, i);
                if (*p == ',')
                        p++;
        }
        *ret = set;
        return 0;
}

int unit_set_format(const UnitSet *set, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        FILE *f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        for (unsigned i = 0, last; i < UNIT_SET_SIZE; i = last + 1) {
                last = i;
                if (!set_has(set, i))
                        continue;
                while (set_has(set, last + 1))
                        last++;
                fprintf(f, ftello(f) > 0 ? ",%u" : "%u", i);
                if (last > i)
                        fprintf(f, "-%u", last);
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = TAKE(text);
        return 0;
}

bool unit_set_is_subset(const UnitSet *set, const UnitSet *other) {
        for (size_t i = 0; i < sizeof(set->bits); i++)
                if (set->bits[i] & ~other->bits[i])
                        return false;
        return true;
}

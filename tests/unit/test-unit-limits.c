/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits of units: the two spellings, and sets of processors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/unit-limits.h"
#include "util/strv.h"

static void test_sets(void **state) {
        static const struct { const char *text; int result; const char *again; size_t size; } cases[] = {
                { "",               0,       "",              0   },
                { "0",              0,       "0",             1   },
                { "0-3",            0,       "0-3",           1   },
                { "0,1,2,7",        0,       "0-2,7",         1   },
                { "7,0",            0,       "0,7",           1   },
                { "3-3",            0,       "3",             1   },
                { "8",              0,       "8",             2   },
                { "1023",           0,       "1023",          128 },
                { "0-1023",         0,       "0-1023",        128 },
                { "1024",           -ERANGE, NULL,            0   },
                { "0-1024",         -ERANGE, NULL,            0   },
                { "99999999999999", -ERANGE, NULL,            0   },
                { "3-1",            -EINVAL, NULL,            0   },
                { "-1",             -EINVAL, NULL,            0   },
                { "1-",             -EINVAL, NULL,            0   },
                { "1,",             -EINVAL, NULL,            0   },
                { ",1",             -EINVAL, NULL,            0   },
                { "1,,2",           -EINVAL, NULL,            0   },
                { "1 2",            -EINVAL, NULL,            0   },
                { "a",              -EINVAL, NULL,            0   },
                { "0-1-2",          -EINVAL, NULL,            0   },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *again = NULL;
                UnitSet set = { 0 };
                assert_int_equal(unit_set_parse(cases[i].text, &set), cases[i].result);
                if (cases[i].result < 0)
                        continue;
                assert_int_equal(set.size, cases[i].size);
                assert_int_equal(unit_set_format(&set, &again), 0);
                assert_string_equal(again, cases[i].again);
        }
}

static void test_subset(void **state) {
        static const struct { const char *one, *other; bool result; } cases[] = {
                { "0", "0-1", true }, { "2", "0-1", false }, { "", "0", true }, { "0-1", "0", false },
                { "900", "0-1023", true }, { "900", "0-899", false },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                UnitSet one, other;
                assert_int_equal(unit_set_parse(cases[i].one, &one), 0);
                assert_int_equal(unit_set_parse(cases[i].other, &other), 0);
                assert_int_equal(unit_set_is_subset(&one, &other), cases[i].result);
        }
}

static void test_format(void **state) {
        static const UnitIoLimit io[] = {
                { UNIT_IO_READ_BPS, "/dev/vda", 1048576 }, { UNIT_IO_WEIGHT, "/dev/vdb", 500 },
        };
        UnitLimits limits = unit_limits_keep;
        _cleanup_free_ char *nothing = NULL, *text = NULL;

        assert_int_equal(unit_limits_format(&limits, &nothing), 0);
        assert_string_equal(nothing, "");
        limits.memory_max = 1 << 20;
        limits.memory_swap_max = UNIT_LIMIT_NONE;
        limits.tasks_max = 11;
        limits.cpu_weight = 39;
        limits.cpu_quota_usec = 1505000;
        limits.cpu_period_usec = 50000;
        limits.set_cpus = limits.set_memory_nodes = true;
        assert_int_equal(unit_set_parse("0,2-3", &limits.cpus), 0);
        limits.io = io;
        limits.n_io = N_ELEMENTS(io);
        assert_int_equal(unit_limits_format(&limits, &text), 0);
        assert_string_equal(text, "MemoryMax=1048576\nMemorySwapMax=infinity\nTasksMax=11\nCPUWeight=39\n"
                                  "CPUQuota=150.50%\nCPUQuotaPeriodSec=50000us\nAllowedCPUs=0,2-3\n"
                                  "AllowedMemoryNodes=\nIOReadBandwidthMax=/dev/vda 1048576\n"
                                  "IODeviceWeight=/dev/vdb 500\n");
        limits = unit_limits_keep;
        limits.cpu_quota_usec = UNIT_LIMIT_NONE;
        free(text);
        assert_int_equal(unit_limits_format(&limits, &text), 0);
        assert_string_equal(text, "CPUQuota=\n");
}

/* The same on the bus, as names and types. */
static void test_append(void **state) {
        static const UnitIoLimit io[] = { { UNIT_IO_WRITE_IOPS, "/dev/vda", 7 } };
        static const char *const expected[] = { "MemoryMax:t", "CPUQuotaPerSecUSec:t", "AllowedCPUs:ay",
                                                "IOWriteIOPSMax:a(st)" };
        UnitLimits limits = unit_limits_keep;
        sd_bus_message *m = NULL;
        sd_bus *bus = NULL;
        size_t n = 0;
        int pair[2];

        limits.memory_max = UNIT_LIMIT_NONE;
        limits.cpu_quota_usec = 200000;
        limits.set_cpus = true;
        limits.io = io;
        limits.n_io = 1;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, pair[0], pair[0]) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        assert_true(sd_bus_message_new_method_call(bus, &m, NULL, "/", NULL, "M") >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "(sv)") >= 0);
        assert_true(unit_limits_append(m, &limits) >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_true(sd_bus_message_enter_container(m, 'a', "(sv)") > 0);
        while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
                const char *name, *type;
                char row[64];
                assert_true(sd_bus_message_read(m, "s", &name) > 0);
                assert_true(sd_bus_message_peek_type(m, NULL, &type) > 0);
                snprintf(row, sizeof(row), "%s:%s", name, type);
                assert_true(n < N_ELEMENTS(expected));
                assert_string_equal(row, expected[n++]);
                assert_true(sd_bus_message_skip(m, "v") >= 0);
                assert_true(sd_bus_message_exit_container(m) >= 0);
        }
        assert_int_equal(n, N_ELEMENTS(expected));
        sd_bus_message_unref(m);
        sd_bus_unref(bus);
        close(pair[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sets),
                cmocka_unit_test(test_subset),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_append),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Docker's limits in, systemd's out. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "container/container-limits.h"
#include "util/strv.h"

#define NONE UNIT_LIMIT_NONE
#define KEEP UNIT_LIMIT_KEEP
#define MIB (INT64_C(1) << 20)

static void test_weights(void **state) {
        /* runc's results for these. */
        static const struct { uint64_t shares, weight; } cpu[] = {
                { 0, 0 }, { 2, 1 }, { 1024, 39 }, { 262144, 10000 }, { 512, 20 },
        };
        static const struct { uint64_t blkio, io; } io[] = { { 0, 0 }, { 10, 1 }, { 500, 4950 }, { 1000, 10000 } };

        for (size_t i = 0; i < N_ELEMENTS(cpu); i++)
                assert_int_equal(cpu_shares_to_weight(cpu[i].shares), cpu[i].weight);
        for (size_t i = 0; i < N_ELEMENTS(io); i++)
                assert_int_equal(blkio_weight_to_io(io[i].blkio), io[i].io);
}

static void test_memory(void **state) {
        static const struct { int64_t memory, swap, reservation; int result; uint64_t max, swap_max, low; } cases[] = {
                { 0,        0,        0,        0,       NONE,     NONE,     KEEP    },
                { 10 * MIB, 0,        0,        0,       10 * MIB, 10 * MIB, KEEP    },
                { 10 * MIB, -1,       0,        0,       10 * MIB, NONE,     KEEP    },
                { 10 * MIB, 10 * MIB, 0,        0,       10 * MIB, 0,        KEEP    },
                { 10 * MIB, 15 * MIB, 7 * MIB,  0,       10 * MIB, 5 * MIB,  7 * MIB },
                { 0,        -1,       0,        0,       NONE,     NONE,     KEEP    },
                { 0,        0,        7 * MIB,  0,       NONE,     NONE,     7 * MIB },
                { 0,        10 * MIB, 0,        -EINVAL, 0,        0,        0       },
                { 10 * MIB, 9 * MIB,  0,        -EINVAL, 0,        0,        0       },
                { 10 * MIB, 0,        11 * MIB, -EINVAL, 0,        0,        0       },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                ContainerSettings s = { .memory = cases[i].memory, .memory_swap = cases[i].swap,
                                        .memory_reservation = cases[i].reservation };
                _cleanup_free_ char *why = NULL;
                ContainerLimits l = { 0 };
                assert_int_equal(container_limits_make(&s, &l, &why), cases[i].result);
                assert_int_equal(why != NULL, cases[i].result < 0);
                if (cases[i].result < 0)
                        continue;
                assert_true(l.unit.memory_max == cases[i].max && l.unit.memory_swap_max == cases[i].swap_max &&
                            l.unit.memory_low == cases[i].low);
                container_limits_done(&l);
        }
}

static void test_cpu(void **state) {
        static const struct { int64_t nano, period, quota; int result; uint64_t quota_usec, period_usec; } cases[] = {
                { 0,          0,      0,     0,       NONE,    KEEP   },
                { 200000000,  0,      0,     0,       200000,  KEEP   },
                { 1500000000, 0,      0,     0,       1500000, KEEP   },
                { 10000000,   0,      0,     0,       10000,   KEEP   },
                { 15000000,   0,      0,     0,       20000,   KEEP   }, /* whole percents, upwards */
                { 0,          0,      50000, 0,       500000,  KEEP   },
                { 0,          200000, 50000, 0,       250000,  200000 },
                { 0,          200000, 0,     0,       NONE,    200000 },
                { 0,          0,      -1,    0,       NONE,    KEEP   },
                { 1000000000, 100000, 0,     -EINVAL, 0,       0      },
                { 1000000000, 0,      50000, -EINVAL, 0,       0      },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                ContainerSettings s = { .nano_cpus = cases[i].nano, .cpu_period = cases[i].period,
                                        .cpu_quota = cases[i].quota };
                _cleanup_free_ char *why = NULL;
                ContainerLimits l = { 0 };
                assert_int_equal(container_limits_make(&s, &l, &why), cases[i].result);
                if (cases[i].result < 0)
                        continue;
                assert_true(l.unit.cpu_quota_usec == cases[i].quota_usec);
                assert_true(l.unit.cpu_period_usec == cases[i].period_usec);
                container_limits_done(&l);
        }
}

static void test_rest(void **state) {
        char *weights[] = { (char *) "/dev/sdb:1000", NULL }, *rates[] = { (char *) "/dev/sda:1mb", (char *) "/dev/sdc:0", NULL };
        ContainerSettings s = { .pids_limit = 10, .cpuset_cpus = (char *) "0", .blkio_weight = 10,
                                .blkio_weight_device = weights, .device_write_bps = rates };
        _cleanup_free_ char *why = NULL;
        ContainerLimits l = { 0 };

        assert_int_equal(container_limits_make(&s, &l, &why), 0);
        assert_int_equal(l.unit.tasks_max, 11); /* and the monitor */
        assert_true(l.unit.set_cpus && l.unit.cpus.bits[0] == 1 && !l.unit.set_memory_nodes);
        assert_int_equal(l.unit.io_weight, 1);
        assert_int_equal(l.unit.n_io, 2);
        assert_string_equal(l.unit.io[0].device, "/dev/sdb");
        assert_int_equal(l.unit.io[0].value, 10000);
        assert_string_equal(l.unit.io[1].device, "/dev/sda");
        assert_int_equal(l.unit.io[1].kind, UNIT_IO_WRITE_BPS);
        container_limits_done(&l);
        s = (ContainerSettings) { .pids_limit = -1 };
        assert_int_equal(container_limits_make(&s, &l, &why), 0);
        assert_true(l.unit.tasks_max == NONE);
        container_limits_done(&l);
}

static void test_slices(void **state) {
        static const struct { const char *slice, *path; } cases[] = {
                { "machine.slice", "/machine.slice" },
                { "a-b.slice", "/a.slice/a-b.slice" },
                { "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *path = NULL;
                assert_int_equal(slice_cgroup(cases[i].slice, &path), 0);
                assert_string_equal(path, cases[i].path);
        }
}

static void test_json(void **state) {
        char *ulimits[] = { (char *) "nofile=1:-1", NULL }, *rates[] = { (char *) "/dev/sda:1k", NULL };
        json_object *array;

        assert_int_equal(ulimits_to_oci(ulimits, &array), 0);
        assert_string_equal(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN),
                            "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":18446744073709551615}]");
        json_object_put(array);
        assert_int_equal(ulimits_to_inspect(ulimits, &array), 0);
        assert_string_equal(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN),
                            "[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":-1}]");
        json_object_put(array);
        assert_int_equal(device_limits_to_inspect(rates, UNIT_IO_READ_BPS, &array), 0);
        assert_string_equal(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                            "[{\"Path\":\"/dev/sda\",\"Rate\":1024}]");
        json_object_put(array);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_weights), cmocka_unit_test(test_memory), cmocka_unit_test(test_cpu),
                cmocka_unit_test(test_rest),    cmocka_unit_test(test_slices), cmocka_unit_test(test_json),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

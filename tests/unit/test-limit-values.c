/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of the options that limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "container/limit-values.h"
#include "util/strv.h"

static void test_bytes(void **state) {
        static const struct { const char *text; int result; uint64_t bytes; } cases[] = {
                { "0",                    0,       0                     },
                { "1",                    0,       1                     },
                { "42b",                  0,       42                    },
                { "42B",                  0,       42                    },
                { "1k",                   0,       1024                  },
                { "1K",                   0,       1024                  },
                { "1kb",                  0,       1024                  },
                { "1KiB",                 0,       1024                  },
                { "512m",                 0,       512 << 20             },
                { "1.5g",                 0,       UINT64_C(3) << 29     },
                { "0.5k",                 0,       512                   },
                { "1 m",                  0,       1 << 20               },
                { "2t",                   0,       UINT64_C(2) << 40     },
                { "8191p",                0,       UINT64_C(8191) << 50  },
                { "8192p",                -ERANGE, 0                     },
                { "9223372036854775807",  0,       INT64_MAX             },
                { "9223372036854775808",  -ERANGE, 0                     },
                { "99999999999999999999", -ERANGE, 0                     },
                { "",                     -EINVAL, 0                     },
                { ".",                    -EINVAL, 0                     },
                { "m",                    -EINVAL, 0                     },
                { "-1",                   -EINVAL, 0                     },
                { "+1",                   -EINVAL, 0                     },
                { "1.2.3",                -EINVAL, 0                     },
                { "1mm",                  -EINVAL, 0                     },
                { "1x",                   -EINVAL, 0                     },
                { "1 2",                  -EINVAL, 0                     },
                { "1i",                   -EINVAL, 0                     },
                { "0x10",                 -EINVAL, 0                     },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                uint64_t bytes = 0;
                assert_int_equal(parse_bytes(cases[i].text, &bytes), cases[i].result);
                assert_int_equal(bytes, cases[i].bytes);
        }
}

typedef int (*Parse)(const char *value, void *member, char **ret_error);
typedef int (*Validate)(const void *member, char **ret_error);

static void test_parsers(void **state) {
        static const struct { Parse parse; const char *text; int result; int64_t value; } cases[] = {
                { parse_cpus,        "1",           0,       1000000000 },
                { parse_cpus,        "1.5",         0,       1500000000 },
                { parse_cpus,        ".5",          0,       500000000  },
                { parse_cpus,        "0.000000001", 0,       1          },
                { parse_cpus,        "1.0000000000", 0,      1000000000 },
                { parse_cpus,        "0.0000000001", -EINVAL, 0         },
                { parse_cpus,        "1e3",         -EINVAL, 0          },
                { parse_cpus,        "nan",         -EINVAL, 0          },
                { parse_cpus,        "-1",          -EINVAL, 0          },
                { parse_cpus,        "",            -EINVAL, 0          },
                { parse_cpus,        "99999999999999999999", -EINVAL, 0 },
                { parse_memory_swap, "-1",          0,       -1         },
                { parse_memory_swap, "-2",          -EINVAL, 0          },
                { parse_memory_swap, "1g",          0,       1 << 30    },
                { parse_memory,      "-1",          -EINVAL, 0          },
                { parse_number,      "-1000",       0,       -1000      },
                { parse_number,      "17",          0,       17         },
                { parse_number,      "1.5",         -EINVAL, 0          },
                { parse_number,      "--1",         -EINVAL, 0          },
                { parse_number,      "9223372036854775808", -EINVAL, 0  },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *why = NULL;
                int64_t value = 0;
                assert_int_equal(cases[i].parse(cases[i].text, &value, &why), cases[i].result);
                assert_int_equal(value, cases[i].value);
                assert_int_equal(why != NULL, cases[i].result < 0);
        }
}

static void test_numbers(void **state) {
        static const struct { Validate validate; int64_t value; bool good; } cases[] = {
                { validate_memory,             0,          true  }, { validate_memory,             6 << 20,    true  },
                { validate_memory,             1 << 20,    false }, { validate_memory,             -1,         false },
                { validate_memory_swap,        -1,         true  }, { validate_memory_swap,        -2,         false },
                { validate_memory_reservation, 1,          false }, { validate_shm_size,           -1,         false },
                { validate_cpu_shares,         2,          true  }, { validate_cpu_shares,         1,          false },
                { validate_cpu_shares,         262144,     true  }, { validate_cpu_shares,         262145,     false },
                { validate_cpu_period,         1000,       true  }, { validate_cpu_period,         999,        false },
                { validate_cpu_period,         1000001,    false }, { validate_cpu_quota,          -1,         true  },
                { validate_cpu_quota,          999,        false }, { validate_cpu_quota,          1000,       true  },
                { validate_cpus,               10000000,   true  }, { validate_cpus,               9999999,    false },
                { validate_pids_limit,         -1,         true  }, { validate_pids_limit,         -2,         false },
                { validate_pids_limit,         1L << 40,   false }, { validate_blkio_weight,       9,          false },
                { validate_blkio_weight,       10,         true  }, { validate_blkio_weight,       1001,       false },
                { validate_oom_score_adj,      -1000,      true  }, { validate_oom_score_adj,      1001,       false },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *why = NULL;
                assert_int_equal(cases[i].validate(&cases[i].value, &why), cases[i].good ? 0 : -EINVAL);
                assert_int_equal(why == NULL, cases[i].good);
        }
}

static void test_lists(void **state) {
        static const struct { Validate validate; const char *text; bool good; } cases[] = {
                { validate_device_bps,          "/dev/sda:1mb",         true  },
                { validate_device_bps,          "/dev/sda:0",           true  },
                { validate_device_bps,          "/dev/disk/by-path/a:b:1k", true },
                { validate_device_bps,          "/dev/sda",             false },
                { validate_device_bps,          "/dev/sda:",            false },
                { validate_device_bps,          "/dev/sda:-1",          false },
                { validate_device_bps,          "sda:1",                false },
                { validate_device_bps,          ":1",                   false },
                { validate_device_iops,         "/dev/sda:1mb",         false },
                { validate_device_iops,         "/dev/sda:100",         true  },
                { validate_device_iops,         "/dev/sda:99999999999999999999", false },
                { validate_blkio_weight_device, "/dev/sda:10",          true  },
                { validate_blkio_weight_device, "/dev/sda:9",           false },
                { validate_blkio_weight_device, "/dev/sda:1001",        false },
                { validate_ulimits,             "nofile=1024",          true  },
                { validate_ulimits,             "nofile=1024:2048",     true  },
                { validate_ulimits,             "core=-1",              true  },
                { validate_ulimits,             "core=0:-1",            true  },
                { validate_ulimits,             "core=-1:0",            false },
                { validate_ulimits,             "nofile=2:1",           false },
                { validate_ulimits,             "nofile",               false },
                { validate_ulimits,             "nofile=",              false },
                { validate_ulimits,             "nofile=1:2:3",         false },
                { validate_ulimits,             "nofile=1k",            false },
                { validate_ulimits,             "=1",                   false },
                { validate_ulimits,             "nofilex=1",            false },
                { validate_ulimits,             "NOFILE=1",             false },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *why = NULL;
                char *list[] = { (char *) cases[i].text, NULL }, **member = list;
                assert_int_equal(cases[i].validate(&member, &why), cases[i].good ? 0 : -EINVAL);
                assert_int_equal(why == NULL, cases[i].good);
        }
}

static void test_strings(void **state) {
        static const struct { Validate validate; const char *text; bool good; } cases[] = {
                { validate_cpuset_cpus,   "0-1,3",        true  }, { validate_cpuset_cpus,   "a",       false },
                { validate_cpuset_mems,   "0",            true  }, { validate_cpuset_mems,   "9999",    false },
                { validate_cgroup_parent, "web.slice",    true  }, { validate_cgroup_parent, "a-b.slice", true },
                { validate_cgroup_parent, "web",          false }, { validate_cgroup_parent, ".slice",  false },
                { validate_cgroup_parent, "a/b.slice",    false }, { validate_cgroup_parent, "-a.slice", false },
                { validate_cgroup_parent, "a-.slice",     false }, { validate_cgroup_parent, "a--b.slice", false },
                { validate_cgroup_parent, "../x.slice",   false }, { validate_cgroup_parent, "a b.slice", false },
                { validate_cgroup_parent, "web.slice.d",  false }, { validate_cgroup_parent, "",        false },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *why = NULL;
                char *member = (char *) cases[i].text;
                assert_int_equal(cases[i].validate(&member, &why), cases[i].good ? 0 : -EINVAL);
        }
}

static void test_parts(void **state) {
        _cleanup_free_ char *why = NULL;
        struct rlimit limit;
        uint64_t value;
        const char *name;
        size_t length;
        int resource;

        assert_int_equal(ulimit_parse("nofile=5:-1", &resource, &name, &limit, &why), 0);
        assert_int_equal(resource, RLIMIT_NOFILE);
        assert_string_equal(name, "RLIMIT_NOFILE");
        assert_true(limit.rlim_cur == 5 && limit.rlim_max == RLIM_INFINITY);
        assert_int_equal(device_value_parse("/dev/a:b:2k", UNIT_IO_WRITE_BPS, &length, &value, &why), 0);
        assert_int_equal(length, strlen("/dev/a:b"));
        assert_int_equal(value, 2048);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bytes),   cmocka_unit_test(test_parsers), cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_lists),   cmocka_unit_test(test_strings), cmocka_unit_test(test_parts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

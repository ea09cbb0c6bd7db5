/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The seccomp profile as a table, and the names of cached filters. That the filters are Docker's: test-seccomp-equal.c. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "runtime/seccomp-build.h"
#include "runtime/seccomp-cache.h"
#include "seccomp-interpreter.h"
#include "util/io.h"
#include "util/strv.h"

static void test_parse_kernel(void **state) {
        static const struct { const char *release; int result; unsigned kernel; } cases[] = {
                { "6.18.44-fc-v769",  0,       KERNEL_VERSION_OF(6, 18) },
                { "6.1.0-18-amd64",   0,       KERNEL_VERSION_OF(6, 1)  },
                { "4.8",              0,       KERNEL_VERSION_OF(4, 8)  },
                { "3.10.0-1160.el7",  0,       KERNEL_VERSION_OF(3, 10) },
                { "6",                -EINVAL, 0                        },
                { "6.",               -EINVAL, 0                        },
                { "6.x",              -EINVAL, 0                        },
                { "99999.1",          -EINVAL, 0                        },
                { "6.99999",          -EINVAL, 0                        },
                { "",                 -EINVAL, 0                        },
                { "linux",            -EINVAL, 0                        },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                unsigned kernel = 0;
                assert_int_equal(seccomp_parse_kernel(cases[i].release, &kernel), cases[i].result);
                assert_int_equal(kernel, cases[i].kernel);
        }
        assert_true(KERNEL_VERSION_OF(4, 19) > KERNEL_VERSION_OF(4, 8)); /* no decimal fractions */
}

/* A rule without a name, with two blanks, or with two kinds of condition that exclude each other is a slip of the pen. */
static void test_table_is_well_formed(void **state) {
        for (size_t i = 0; i < n_seccomp_rules; i++) {
                const SeccompRule *rule = &seccomp_rules[i];
                size_t n = strlen(rule->names);

                assert_true(n > 0 && rule->names[0] != ' ' && rule->names[n - 1] != ' ');
                assert_null(strstr(rule->names, "  "));
                assert_int_equal(strspn(rule->names, "abcdefghijklmnopqrstuvwxyz0123456789_ "), n);
                assert_int_equal(rule->if_capable & rule->if_not_capable, 0);
                assert_int_equal(rule->if_machine & rule->if_not_machine, 0);
                assert_true(rule->argument < 6);
                assert_true(rule->compare != COMPARE_NOTHING || (rule->argument == 0 && rule->value == 0));
        }
}

static void test_cache_path(void **state) {
        _cleanup_free_ char *none = NULL, *irrelevant = NULL, *admin = NULL;
        const uint64_t chown = CAPABILITY(CAP_CHOWN);

        assert_int_equal(seccomp_profile_capabilities() & chown, 0);
        assert_int_equal(seccomp_cache_path(0, &none), 0);
        assert_int_equal(seccomp_cache_path(chown, &irrelevant), 0);
        assert_int_equal(seccomp_cache_path(CAPABILITY(CAP_SYS_ADMIN), &admin), 0);
        assert_string_equal(none, irrelevant); /* the same filter */
        assert_string_not_equal(none, admin);
        assert_ptr_equal(startswith(none, BERTH_CACHEDIR "/seccomp/"), none + strlen(BERTH_CACHEDIR "/seccomp/"));
        assert_string_equal(none + strlen(none) - 4, ".bpf");
        assert_null(strchr(none + strlen(BERTH_CACHEDIR "/seccomp/"), '/'));
        /* A kernel on the other side of a rule's condition has another filter, one on the same side has not. */
        assert_true(seccomp_profile_hash(KERNEL_VERSION_OF(4, 7)) != seccomp_profile_hash(KERNEL_VERSION_OF(4, 8)));
        assert_true(seccomp_profile_hash(KERNEL_VERSION_OF(6, 1)) == seccomp_profile_hash(KERNEL_VERSION_OF(6, 18)));
}

static void test_cache_has(void **state) {
        static const struct { long size; bool there; } cases[] = {
                { 0, false }, { 7, false }, { 8, true }, { 9736, true }, { 9737, false }, { 4096 * 8, true }, { 4097 * 8, false },
        };
        char dir[] = "/tmp/test-seccomp.XXXXXX", path[64], link[64];

        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/x.bpf", dir);
        snprintf(link, sizeof(link), "%s/link.bpf", dir);
        assert_false(seccomp_cache_has(path));
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                assert_true(fd >= 0);
                assert_int_equal(ftruncate(fd, cases[i].size), 0);
                assert_int_equal(seccomp_cache_has(path), cases[i].there);
        }
        assert_int_equal(truncate(path, 8), 0);
        assert_int_equal(symlink(path, link), 0);
        assert_false(seccomp_cache_has(link)); /* not what the worker makes */
        assert_false(seccomp_cache_has(dir));
        unlink(link);
        unlink(path);
        rmdir(dir);
}

/* Calls whose answer is known without any profile at hand, on this machine. */
static void test_filter_of_this_machine(void **state) {
#ifdef __x86_64__
        static const struct { uint64_t capabilities; int nr; uint64_t argument; uint32_t result; } cases[] = {
                { 0,                         0 /* read */,        0,          SECCOMP_RET_ALLOW          },
                { 0,                         165 /* mount */,     0,          SECCOMP_RET_ERRNO | EPERM  },
                { CAPABILITY(CAP_SYS_ADMIN), 165 /* mount */,     0,          SECCOMP_RET_ALLOW          },
                { 0,                         56 /* clone */,      0x11,       SECCOMP_RET_ALLOW          },
                { 0,                         56 /* clone */,      0x10000011, SECCOMP_RET_ERRNO | EPERM  }, /* CLONE_NEWUSER */
                { CAPABILITY(CAP_SYS_ADMIN), 56 /* clone */,      0x10000011, SECCOMP_RET_ALLOW          },
                { 0,                         435 /* clone3 */,    0,          SECCOMP_RET_ERRNO | ENOSYS },
                { 0,                         250 /* keyctl */,    0,          SECCOMP_RET_ERRNO | EPERM  },
                { 0,                         452 /* fchmodat2 */, 0,          SECCOMP_RET_ERRNO | ENOSYS },
                { 0,                         1023,                0,          SECCOMP_RET_ERRNO | ENOSYS },
                { UINT64_MAX,                1023,                0,          SECCOMP_RET_ERRNO | ENOSYS },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ struct sock_filter *filter = NULL;
                struct seccomp_data data = { .nr = cases[i].nr, .arch = 0xc000003e, .args = { cases[i].argument } };
                SeccompSituation situation;
                SeccompFamily family;
                const char *where;
                bool looked = false;
                size_t n;

                assert_int_equal(seccomp_situation_now(cases[i].capabilities, &situation), 0);
                family = seccomp_family_native(situation.machine);
                assert_int_equal(seccomp_build(&situation, &family, &filter, &n, &where), 0);
                assert_int_equal(filter_run(filter, n, &data, &looked), cases[i].result);
        }
#else
        print_message("the numbers are those of x86_64\n");
        skip();
#endif
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse_kernel),
                cmocka_unit_test(test_table_is_well_formed),
                cmocka_unit_test(test_cache_path),
                cmocka_unit_test(test_cache_has),
                cmocka_unit_test(test_filter_of_this_machine),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

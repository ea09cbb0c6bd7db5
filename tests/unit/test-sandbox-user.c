/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* USER[:GROUP] by an image's passwd and group, hostile ones included. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/container-user.h"
#include "util/strv.h"

#define PASSWD                                        \
        "root:x:0:0:root:/root:/bin/sh\n"             \
        "# a comment: with: colons: 1:2\n"            \
        "bad:x:minus:one::/bad:/bin/sh\n"             \
        "short:x:7\n"                                 \
        "web:x:33:33:Web,,,:/srv/web:/bin/sh\n"       \
        "web:x:34:34::/second:/bin/sh\n"              \
        "homeless:x:40:41\n"                          \
        "1000:x:50:50::/number:/bin/sh\n"             \
        "huge:x:4294967295:0::/:\n"                   \
        "huger:x:99999999999:0::/:\n"                 \
        "\n"                                          \
        "last:x:60:61::/last:"
#define GROUP                                         \
        "root:x:0:\n"                                 \
        "adm:x:4:root,web\n"                          \
        "broken:x:nine:web\n"                         \
        "www:x:33:\n"                                 \
        "twice:x:70:web,web\n"                        \
        "prefix:x:71:webmaster,web2\n"                \
        "logs:x:50:other,web"

static void test_resolve(void **state) {
        static const struct {
                const char *spec;
                int result;
                uint32_t uid, gid;
                const char *home;
                uint32_t groups[4];
                size_t n_groups;
        } cases[] = {
                { "", 0, 0, 0, "/root", { 4 }, 1 },
                { "root", 0, 0, 0, "/root", { 4 }, 1 },
                { "0", 0, 0, 0, "/root", { 4 }, 1 },
                { "web", 0, 33, 33, "/srv/web", { 4, 70, 50 }, 3 }, /* the first entry, each group once */
                { "33", 0, 33, 33, "/srv/web", { 4, 70, 50 }, 3 },
                { "web:", 0, 33, 33, "/srv/web", { 4, 70, 50 }, 3 },
                { "web:adm", 0, 33, 4, "/srv/web", { 0 }, 0 }, /* a group is all there is, then */
                { "web:12345", 0, 33, 12345, "/srv/web", { 0 }, 0 },
                { ":adm", 0, 0, 4, "/root", { 0 }, 0 },
                { ":33", 0, 0, 33, "/root", { 0 }, 0 },
                { "homeless", 0, 40, 41, "/", { 0 }, 0 },
                { "last", 0, 60, 61, "/last", { 0 }, 0 },
                { "1000", 0, 1000, 0, "/", { 0 }, 0 }, /* a number is an id, also where it is somebody's name */
                { "54321", 0, 54321, 0, "/", { 0 }, 0 },
                { "54321:1", 0, 54321, 1, "/", { 0 }, 0 },
                { "007", 0, 7, 0, "/", { 0 }, 0 },
                { "bad", -EINVAL }, /* a uid that is none is not root */
                { "short", -EINVAL },
                { "huge", -EINVAL },
                { "huger", -EINVAL },
                { "nobody", -EINVAL },
                { "# a comment", -EINVAL },
                { "web:nogroup", -EINVAL },
                { "web:broken", -EINVAL },
                { "-1", -EINVAL },
                { "+0", -EINVAL },
                { "4294967295", -EINVAL }, /* means "no change" to setresuid */
                { "4294967296", -EINVAL },
                { " root", -EINVAL },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(container_user_clear) ContainerUser u = { 0 };
                char why[256] = "";

                print_message("\"%s\"\n", cases[i].spec);
                assert_int_equal(container_user_resolve(PASSWD, GROUP, cases[i].spec, &u, why), cases[i].result);
                if (cases[i].result < 0) {
                        assert_non_null(startswith(why, "unable to find "));
                        assert_null(u.home);
                        continue;
                }
                assert_int_equal(u.uid, cases[i].uid);
                assert_int_equal(u.gid, cases[i].gid);
                assert_string_equal(u.home, cases[i].home);
                assert_int_equal(u.n_groups, cases[i].n_groups);
                assert_memory_equal(u.groups ? u.groups : cases[i].groups, cases[i].groups,
                        u.n_groups * sizeof(uint32_t));
        }
}

static void test_missing_files(void **state) {
        _cleanup_(container_user_clear) ContainerUser u = { 0 };
        char why[256];

        assert_int_equal(container_user_resolve(NULL, NULL, "5:6", &u, why), 0);
        assert_int_equal(u.uid, 5);
        assert_int_equal(u.gid, 6);
        container_user_clear(&u);
        assert_int_equal(container_user_resolve("", "", "", &u, why), 0);
        assert_int_equal(u.uid, 0);
        assert_string_equal(u.home, "/");
        assert_int_equal(container_user_resolve(NULL, NULL, "root", &u, why), -EINVAL);
}

/* A member of more groups than a process can have. */
static void test_too_many_groups(void **state) {
        _cleanup_(container_user_clear) ContainerUser u = { 0 };
        static const char line[] = "g:x:1:root\n";
        size_t n = 70000, size = strlen(line);
        _cleanup_free_ char *group = malloc(n * size + 1);
        char why[256];

        assert_non_null(group);
        for (size_t i = 0; i < n; i++)
                memcpy(group + i * size, line, size + 1);
        assert_int_equal(container_user_resolve(PASSWD, group, "root", &u, why), -E2BIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_resolve),
                cmocka_unit_test(test_missing_files),
                cmocka_unit_test(test_too_many_groups),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

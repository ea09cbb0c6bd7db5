/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line of the v2 hierarchy among others. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "util/cgroup.h"
#include "util/macro.h"

static void test_path_parse(void **state) {
        static const struct { const char *text; int result; const char *path; } cases[] = {
                { "0::/\n",                                       0,      "/"                             },
                { "0::/machine.slice/berth-web.scope\n",          0,      "/machine.slice/berth-web.scope" },
                { "0::/a",                                        0,      "/a"                            },
                { "12:cpu:/x\n0::/a/b\n",                         0,      "/a/b"                          },
                { "0::/a\n1:name=systemd:/b\n",                   0,      "/a"                            },
                { "1:name=0::/x:/y\n0::/z\n",                     0,      "/z"                            }, /* a v1 name may hold it */
                { "10::/x\n",                                     -ENXIO, NULL                            },
                { "1:cpu:/x\n",                                   -ENXIO, NULL                            },
                { "0::a\n",                                       -ENXIO, NULL                            },
                { "0:",                                           -ENXIO, NULL                            },
                { "",                                             -ENXIO, NULL                            },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *path = NULL;
                assert_int_equal(cgroup_path_parse(cases[i].text, &path), cases[i].result);
                if (cases[i].path)
                        assert_string_equal(path, cases[i].path);
                else
                        assert_null(path);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_path_parse) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Generated names and ids, and the names of units made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "container/container-id.h"
#include "container/container-names.h"
#include "container/option-values.h"

static void test_generated_names(void **state) {
        for (unsigned i = 0; i < 2000; i++) {
                _cleanup_free_ char *name = NULL, *why = NULL;

                assert_int_equal(container_name_generate(i % 5, &name), 0);
                assert_int_equal(validate_name(&name, &why), 0);
                assert_int_equal(validate_hostname(&name, &why), 0); /* no '_', for one */
                assert_non_null(strchr(name, '-'));
                assert_int_equal(strchr(strchr(name, '-') + 1, '-') != NULL, i % 5 >= 2);
        }
}

static void test_unit_names(void **state) {
        static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        char longest[201];
        static const struct { const char *name, *id, *unit; } cases[] = {
                { "web",     NULL, "berth-web.scope"                  },
                { "web",     id,   "berth-web-0123456789ab.scope"     },
                { "a.b_c-d", NULL, "berth-a.b_c-d.scope"              },
                { "9x",      id,   "berth-9x-0123456789ab.scope"      },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *unit = NULL;
                assert_int_equal(container_unit_name(cases[i].name, cases[i].id, &unit), 0);
                assert_string_equal(unit, cases[i].unit);
        }

        /* The longest name that is one still is a unit's: 255 characters are systemd's limit. */
        char *name = longest;
        _cleanup_free_ char *unit = NULL, *why = NULL;
        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        assert_int_equal(validate_name(&name, &why), 0);
        assert_int_equal(container_unit_name(longest, id, &unit), 0);
        assert_true(strlen(unit) <= 255);
}

static void test_ids(void **state) {
        static const struct { const char *text; bool prefix, whole; } cases[] = {
                { "",                                                                  false, false },
                { "a",                                                                 true,  false },
                { "A",                                                                 false, false },
                { "g",                                                                 false, false },
                { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",  true,  true  },
                { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0", false, false },
                { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",   true,  false },
                { "../../../../etc",                                                   false, false },
        };
        char id[CONTAINER_ID_LENGTH + 1], run[33];

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                assert_int_equal(container_id_is_prefix(cases[i].text), cases[i].prefix);
                assert_int_equal(container_id_is_valid(cases[i].text), cases[i].whole);
        }
        for (unsigned i = 0; i < 2000; i++) {
                assert_int_equal(container_id_new(id), 0);
                assert_true(container_id_is_valid(id));
                assert_true(strspn(id, "0123456789") < CONTAINER_SHORT_ID_LENGTH);
        }
        assert_int_equal(run_id_new(run), 0);
        assert_int_equal(strlen(run), 32);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_generated_names),
                cmocka_unit_test(test_unit_names),
                cmocka_unit_test(test_ids),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

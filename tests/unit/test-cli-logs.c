/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The filters of lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/filter.h"
#include "util/strv.h"

static void test_filter_parse(void **state) {
        static const struct { const char *text; int result; const char *kept; } cases[] = {
                { "name=web", 0, "name=web" }, { "NAME=Web", 0, "name=Web" }, { "label=a=b", 0, "label=a=b" },
                { "name=", 0, "name=" },
                { "name", -EINVAL, NULL }, { "", -EINVAL, NULL }, { "=x", -EINVAL, NULL },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_strv_ char **v = NULL;
                _cleanup_free_ char *error = NULL;
                assert_int_equal(filter_parse(cases[i].text, &v, &error), cases[i].result);
                if (cases[i].kept)
                        assert_string_equal(v[0], cases[i].kept);
                else
                        assert_non_null(error);
        }
}

static bool equals(const void *object, const char *value) {
        return streq(object, value);
}

static void test_filter_match(void **state) {
        static const char *const keys[] = { "label", "name", NULL };
        char *filters[] = { (char *) "name=a", (char *) "name=b", (char *) "label=x", (char *) "label=y=1", NULL };
        char *labels[] = { (char *) "x=anything", (char *) "y=1", NULL };
        char *fewer[] = { (char *) "x=1", (char *) "y=2", NULL };
        char *unknown[] = { (char *) "names=a", NULL };
        _cleanup_free_ char *error = NULL, *none = NULL;

        assert_true(filter_any(filters, "name", equals, "a"));
        assert_true(filter_any(filters, "name", equals, "b"));
        assert_false(filter_any(filters, "name", equals, "c"));
        assert_true(filter_any(filters, "id", equals, "c")); /* not asked for */
        assert_true(filter_any(NULL, "name", equals, "c"));
        assert_true(filter_has(filters, "name"));
        assert_false(filter_has(filters, "nam"));
        assert_true(filter_labels(filters, labels));
        assert_false(filter_labels(filters, fewer));
        assert_false(filter_labels(filters, NULL));
        assert_true(filter_labels(NULL, NULL));
        assert_int_equal(filter_check(filters, keys, &none), 0);
        assert_int_equal(filter_check(unknown, keys, &error), -EINVAL);
        assert_string_equal(error, "invalid filter 'names'; there are label, name");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_filter_parse), cmocka_unit_test(test_filter_match),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

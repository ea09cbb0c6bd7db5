/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of strings, numbers, booleans. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "util/strv.h"

static void test_split_join(void **state) {
        static const struct { const char *text; char separator; size_t n; const char *joined; } cases[] = {
                { "", ',', 1, "" }, { "a", ',', 1, "a" }, { "a,b", ',', 2, "a|b" }, { ",", ',', 2, "|" },
                { "a,,b,", ',', 4, "a||b|" },
                { "a b", ',', 1, "a b" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_strv_ char **v = NULL, **copy = NULL;
                assert_int_equal(strv_split(cases[i].text, cases[i].separator, &v), 0);
                assert_int_equal(strv_length(v), cases[i].n);
                assert_int_equal(strv_copy(v, &copy), 0);
                _cleanup_free_ char *joined = strv_join(copy, "|");
                assert_string_equal(joined, cases[i].joined);
        }
        _cleanup_free_ char *none = strv_join(NULL, ",");
        assert_string_equal(none, "");
        assert_int_equal(strv_length(NULL), 0);
        assert_false(strv_contains(NULL, "x"));
        assert_null(strv_free(NULL));
        _cleanup_strv_ char **empty = NULL;
        assert_int_equal(strv_copy(NULL, &empty), 0);
        assert_int_equal(strv_length(empty), 0);
}

static void test_extend(void **state) {
        _cleanup_strv_ char **v = NULL;

        assert_int_equal(strv_extend(&v, "a"), 0);
        assert_int_equal(strv_extendf(&v, "%s-%i", "b", 2), 0);
        assert_int_equal(strv_consume(&v, strdup("c")), 0);
        assert_int_equal(strv_consume(&v, NULL), -ENOMEM);
        _cleanup_free_ char *joined = strv_join(v, " ");
        assert_string_equal(joined, "a b-2 c");
        assert_true(strv_contains(v, "b-2"));
        assert_false(strv_contains(v, "b"));
}

static void test_env(void **state) {
        _cleanup_strv_ char **v = NULL;

        assert_int_equal(strv_env_set(&v, "A=1"), 0);
        assert_int_equal(strv_env_set(&v, "AB=2"), 0);
        assert_int_equal(strv_env_set(&v, "A=3=4"), 0);
        assert_int_equal(strv_env_set(&v, "E="), 0);
        assert_int_equal(strv_length(v), 3);
        assert_string_equal(strv_env_get(v, "A"), "3=4");
        assert_string_equal(strv_env_get(v, "AB"), "2");
        assert_string_equal(strv_env_get(v, "E"), "");
        assert_null(strv_env_get(v, "B"));
        assert_null(strv_env_get(v, ""));
        assert_null(strv_env_get(NULL, "A"));
}

static void test_strings(void **state) {
        _cleanup_free_ char *s = NULL;

        assert_int_equal(string_replace(&s, "x"), 0);
        assert_string_equal(s, "x");
        assert_int_equal(string_replace(&s, NULL), 0);
        assert_null(s);
        assert_string_equal(startswith("abc", "ab"), "c");
        assert_null(startswith("a", "ab"));
        assert_non_null(startswith("a", ""));
        assert_true(streq_null(NULL, NULL));
        assert_false(streq_null("a", NULL));
        assert_true(streq_null("a", "a"));
}

static void test_numbers(void **state) {
        static const struct { const char *text; int u32, u64, i32; } cases[] = {
                { "0", 0, 0, 0 },
                { "007", 0, 0, 0 },
                { "2147483647", 0, 0, 0 },
                { "2147483648", 0, 0, -ERANGE },
                { "-2147483648", -EINVAL, -EINVAL, 0 },
                { "-2147483649", -EINVAL, -EINVAL, -ERANGE },
                { "4294967295", 0, 0, -ERANGE },
                { "4294967296", -ERANGE, 0, -ERANGE },
                { "18446744073709551615", -ERANGE, 0, -ERANGE },
                { "18446744073709551616", -ERANGE, -ERANGE, -ERANGE },
                { "99999999999999999999999999", -ERANGE, -ERANGE, -ERANGE },
                { "", -EINVAL, -EINVAL, -EINVAL },
                { "-", -EINVAL, -EINVAL, -EINVAL },
                { "--1", -EINVAL, -EINVAL, -EINVAL },
                { "+1", -EINVAL, -EINVAL, -EINVAL },
                { " 1", -EINVAL, -EINVAL, -EINVAL },
                { "1 ", -EINVAL, -EINVAL, -EINVAL },
                { "1x", -EINVAL, -EINVAL, -EINVAL },
                { "0x10", -EINVAL, -EINVAL, -EINVAL },
                { "1.5", -EINVAL, -EINVAL, -EINVAL },
                { "1e3", -EINVAL, -EINVAL, -EINVAL },
                { NULL, -EINVAL, -EINVAL, -EINVAL },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                uint32_t u32 = 42;
                uint64_t u64 = 42;
                int32_t i32 = 42;
                assert_int_equal(parse_u32(cases[i].text, &u32), cases[i].u32);
                assert_int_equal(parse_u64(cases[i].text, &u64), cases[i].u64);
                assert_int_equal(parse_i32(cases[i].text, &i32), cases[i].i32);
                if (cases[i].u32 < 0) /* written on success only */
                        assert_int_equal(u32, 42);
                if (cases[i].u64 == 0)
                        assert_true(u64 == strtoull(cases[i].text, NULL, 10));
                if (cases[i].i32 == 0)
                        assert_true(i32 == strtol(cases[i].text, NULL, 10));
        }
}

static void test_bool(void **state) {
        static const struct { const char *text; int result; bool value; } cases[] = {
                { "true", 0, true }, { "True", 0, true }, { "1", 0, true }, { "t", 0, true }, { "yes", 0, true },
                { "on", 0, true },
                { "false", 0, false }, { "0", 0, false }, { "F", 0, false }, { "no", 0, false }, { "off", 0, false },
                { "", -EINVAL, false }, { "2", -EINVAL, false }, { "tru", -EINVAL, false },
                { " true", -EINVAL, false }, { NULL, -EINVAL, false },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                bool b = !cases[i].value;
                assert_int_equal(parse_bool(cases[i].text, &b), cases[i].result);
                assert_true(cases[i].result < 0 || b == cases[i].value);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_split_join), cmocka_unit_test(test_extend),  cmocka_unit_test(test_env),
                cmocka_unit_test(test_strings),    cmocka_unit_test(test_numbers), cmocka_unit_test(test_bool),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

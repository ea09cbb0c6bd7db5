/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes, spans of time and JSON for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "util/format.h"
#include "util/json.h"

static void test_size(void **state) {
        static const struct { uint64_t bytes; const char *text; } cases[] = {
                { 0, "0B" }, { 1, "1B" }, { 999, "999B" }, { 1000, "1kB" }, { 1234, "1.23kB" }, { 1235, "1.24kB" },
                { 12345, "12.3kB" },
                { 123456, "123kB" }, { 999499, "999kB" }, { 999999, "1MB" }, { 1234567, "1.23MB" },
                { 45000000000, "45GB" },
                { 1000000000000, "1TB" }, { UINT64_MAX, "18.4EB" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *s = format_size(cases[i].bytes);
                assert_string_equal(s, cases[i].text);
        }
}

static void test_duration(void **state) {
        enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
        static const struct { uint64_t seconds; const char *text; } cases[] = {
                { 0, "Less than a second" },
                { 1, "1 second" },
                { 2, "2 seconds" },
                { 59, "59 seconds" },
                { MINUTE, "About a minute" },
                { 2 * MINUTE - 1, "About a minute" },
                { 2 * MINUTE, "2 minutes" },
                { HOUR - 1, "59 minutes" },
                { HOUR, "About an hour" },
                { HOUR + 29 * MINUTE, "About an hour" },
                { HOUR + 30 * MINUTE, "2 hours" }, /* rounded, as there */
                { 47 * HOUR, "47 hours" },
                { 2 * DAY, "2 days" },
                { 13 * DAY, "13 days" },
                { 14 * DAY, "2 weeks" },
                { 59 * DAY, "8 weeks" },
                { 60 * DAY, "2 months" },
                { 364 * DAY, "12 months" },
                { 729 * DAY, "24 months" },
                { 730 * DAY, "2 years" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *s = format_duration(cases[i].seconds);
                assert_string_equal(s, cases[i].text);
        }
        _cleanup_free_ char *ages = format_duration(UINT64_MAX);
        assert_non_null(ages);
        _cleanup_free_ char *ago = format_ago(1000000, 6000000), *ahead = format_ago(6000000, 1000000);
        assert_string_equal(ago, "5 seconds ago");
        assert_string_equal(ahead, "Less than a second ago");
}

static void test_json(void **state) {
        static const struct { const char *text, *result; } cases[] = {
                { "[]", "[]" },
                { "{}", "{}" },
                { "null", "null" },
                { "\"a/b\\u0001\"", "\"a/b\\u0001\"" },
                { "[1,\"x\"]", "[\n    1,\n    \"x\"\n]" },
                { "[{\"a\":{},\"b\":[true,null],\"c\\\"\":1}]",
                  "[\n    {\n        \"a\": {},\n        \"b\": [\n"
                  "            true,\n            null\n        ],\n        \"c\\\"\": 1\n    }\n]" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ json_object *o = NULL;
                assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), &o), 0);
                _cleanup_free_ char *s = format_json(o, 0);
                assert_string_equal(s, cases[i].result);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_size), cmocka_unit_test(test_duration), cmocka_unit_test(test_json),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

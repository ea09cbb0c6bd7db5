/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that detach: their names, and finding them in what is typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cli/detach-keys.h"

static const struct { const char *text; int n; const char *codes; } names[] = {
        { NULL, 2, "\x10\x11" },
        { "", 2, "\x10\x11" },
        { "ctrl-p,ctrl-q", 2, "\x10\x11" },
        { "ctrl-a,b", 2, "\x01" "b" },
        { "x", 1, "x" },
        { "DEL", 1, "\x7f" },
        { "ctrl-@", 1, "\0" },
        { "ctrl-z,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", 6, "\x1a\x1b\x1c\x1d\x1e\x1f" },
        { "-,A,ctrl-a", 3, "-A\x01" },
        { "ctrl-A", -EINVAL, NULL },
        { "Ctrl-a", -EINVAL, NULL },
        { "del", -EINVAL, NULL },
        { "foo", -EINVAL, NULL },
        { "ctrl-", -EINVAL, NULL },
        { "ctrl-ab", -EINVAL, NULL },
        { "ctrl-,b", -EINVAL, NULL },
        { ",", -EINVAL, NULL },
        { "a,", -EINVAL, NULL },
        { ",a", -EINVAL, NULL },
        { "a,,b", -EINVAL, NULL },
        { "a b", -EINVAL, NULL },
        { "ü", -EINVAL, NULL },
};

static void test_names(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                DetachKeys d = { .n = 99 };
                int r = detach_keys_parse(names[i].text, &d);
                if (names[i].n < 0) {
                        assert_int_equal(r, names[i].n);
                        assert_int_equal(d.n, 99);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_int_equal(d.n, names[i].n);
                assert_memory_equal(d.keys, names[i].codes, d.n);
                assert_int_equal(d.n_held, 0);
        }
}

static void test_length(void **state) {
        char text[2 * DETACH_KEYS_MAX + 2];
        DetachKeys d;

        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = i % 2 ? ',' : 'a';
        text[2 * DETACH_KEYS_MAX - 1] = '\0';
        assert_int_equal(detach_keys_parse(text, &d), 0);
        text[2 * DETACH_KEYS_MAX - 1] = ',';
        text[2 * DETACH_KEYS_MAX + 1] = '\0';
        assert_int_equal(detach_keys_parse(text, &d), -EINVAL);
}

static const struct { const char *keys, *typed, *passed; bool detaches; } cases[] = {
        { "a,b", "",       "",     false },
        { "a,b", "xyz",    "xyz",  false },
        { "a,b", "ab",     "",     true  },
        { "a,b", "xaby",   "x",    true  },
        { "a,b", "xa",     "x",    false }, /* held */
        { "a,b", "xac",    "xac",  false },
        { "a,b", "aab",    "a",    true  },
        { "a,b", "acab",   "ac",   true  },
        { "a,a,b", "aaab", "a",    true  },
        { "a,b,a,c", "ababac", "ab", true },
        { "a,b,a,c", "ababx", "ababx", false },
        { "a", "a",        "",     true  },
        { "a,b,c", "abxabc", "abx", true },
};

/* Split in every possible way, and a byte at a time. */
static void test_filter(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                size_t length = strlen(cases[i].typed);

                for (size_t split = 0; split <= length + 1; split++) {
                        char passed[128];
                        size_t total = 0, step;
                        bool detached = false;
                        DetachKeys d;

                        assert_int_equal(detach_keys_parse(cases[i].keys, &d), 0);
                        for (size_t at = 0; at < length && !detached; at += step) {
                                char part[8 + DETACH_KEYS_MAX];
                                size_t n;
                                step = split > length ? 1 : at == 0 && split > 0 ? split : length - at;
                                detached = detach_keys_filter(&d, cases[i].typed + at, step, part, &n);
                                memcpy(passed + total, part, n);
                                total += n;
                        }
                        passed[total] = '\0';
                        assert_int_equal(detached, cases[i].detaches);
                        assert_string_equal(passed, cases[i].passed);
                }
        }
}

static void test_none(void **state) {
        DetachKeys d = { .n = 0 };
        char passed[8];
        size_t n;

        assert_false(detach_keys_filter(&d, "\x10\x11", 2, passed, &n));
        assert_int_equal(n, 2);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_length),
                cmocka_unit_test(test_filter),
                cmocka_unit_test(test_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of images: grammar, defaults, and the short form for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "oci/reference.h"
#include "util/strv.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A50   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
        const char *text;
        int result;
        const char *registry, *repository, *tag, *digest;
} cases[] = {
        { "alpine",                 0, "docker.io",      "library/alpine", "latest", NULL },
        { "alpine:3.19",            0, "docker.io",      "library/alpine", "3.19",   NULL },
        { "me/app",                 0, "docker.io",      "me/app",         "latest", NULL },
        { "docker.io/alpine",       0, "docker.io",      "library/alpine", "latest", NULL },
        { "index.docker.io/alpine", 0, "docker.io",      "library/alpine", "latest", NULL },
        { "docker.io/a/b/c",        0, "docker.io",      "a/b/c",          "latest", NULL },
        { "localhost/app",          0, "localhost",      "app",            "latest", NULL },
        { "localhost:5000/app",     0, "localhost:5000", "app",            "latest", NULL }, /* a port is not a tag */
        /* … without a slash it is one */
        { "localhost:5000",         0, "docker.io",      "library/localhost", "5000", NULL },
        { "h.example/app:1",        0, "h.example",      "app",            "1",      NULL },
        { "Host/app",               0, "Host",           "app",            "latest", NULL },
        { "[::1]:5000/app",         0, "[::1]:5000",     "app",            "latest", NULL },
        { "127.0.0.1:5000/a:b",     0, "127.0.0.1:5000", "a",              "b",      NULL },
        { "a_b/c__d/e---f.g",       0, "docker.io",      "a_b/c__d/e---f.g", "latest", NULL },
        { "a@sha256:" HEX64,        0, "docker.io",      "library/a",      NULL,     "sha256:" HEX64 },
        { "a:t@sha256:" HEX64,      0, "docker.io",      "library/a",      "t",      "sha256:" HEX64 },
        { "a:" "_x.Y-1",            0, "docker.io",      "library/a",      "_x.Y-1", NULL },
        { "a:" A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, "docker.io", "library/a",
          A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL }, /* 128 */

        { "", -EINVAL },
        { "a:", -EINVAL },
        { ":a", -EINVAL },
        { "a:b:c", -EINVAL },
        { "a:-b", -EINVAL },
        { "a:.b", -EINVAL },
        { "a:b c", -EINVAL },
        { "a:b\n", -EINVAL },
        { "a:" A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", -EINVAL }, /* 129 */
        { "Alpine", -EINVAL },
        { "a/B", -EINVAL },
        { "-a", -EINVAL },
        { "a-", -EINVAL },
        { "a..b", -EINVAL },
        { "a___b", -EINVAL },
        { "a._b", -EINVAL },
        { "a//b", -EINVAL },
        { "/a", -EINVAL },
        { "a/", -EINVAL },
        { "../a", -EINVAL },
        { "a/../b", -EINVAL },
        { "a/./b", -EINVAL },
        { "a b", -EINVAL },
        { "a\tb", -EINVAL },
        { "ä", -EINVAL },
        { HEX64, -EINVAL },
        { "-h.example/a", -EINVAL },
        { "h..example/a", -EINVAL },
        { "h.example:/a", -EINVAL },
        { "h.example:x/a", -EINVAL },
        { "[::1/a", -EINVAL },
        { "[]/a", -EINVAL },
        { "a@", -EINVAL },
        { "a@sha256", -EINVAL },
        { "a@sha256:", -EINVAL },
        { "a@sha256:0123", -EINVAL },
        { "a@sha256:" HEX64 "0", -EINVAL },
        { "a@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", -EINVAL },
        { "a@sha512:" HEX64 HEX64, -EOPNOTSUPP },
        { "a@sha256:" HEX64 "@sha256:" HEX64, -EINVAL },
        { "@sha256:" HEX64, -EINVAL },
        { A50 "/" A50 "/" A50 "/" A50 "/" A50, -ENAMETOOLONG },
        { A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50, -ENAMETOOLONG },
};

static void test_parse(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(oci_reference_freep) OciReference *r = NULL;
                int e = oci_reference_parse(cases[i].text, &r);

                if (e != cases[i].result)
                        print_error("case: %s\n", cases[i].text);
                assert_int_equal(e, cases[i].result);
                if (e < 0) {
                        assert_null(r);
                        assert_true(strlen(oci_reference_why(cases[i].text)) > 0);
                        continue;
                }
                assert_string_equal(r->registry, cases[i].registry);
                assert_string_equal(r->repository, cases[i].repository);
                assert_true(streq_null(r->tag, cases[i].tag));
                assert_true(streq_null(r->digest, cases[i].digest));
        }
}

static void test_forms(void **state) {
        static const struct {
                const char *text, *full, *familiar;
        } forms[] = {
                { "web",                    "docker.io/library/web:latest",      "web:latest"               },
                { "docker.io/library/web:1", "docker.io/library/web:1",          "web:1"                    },
                { "me/web",                 "docker.io/me/web:latest",           "me/web:latest"            },
                { "library/a/b", "docker.io/library/a/b:latest",      "library/a/b:latest" }, /* not official */
                { "h.example/library/web",  "h.example/library/web:latest",      "h.example/library/web:latest" },
                { "localhost:5000/x:y",     "localhost:5000/x:y",                "localhost:5000/x:y"       },
                { "a@sha256:" HEX64,        "docker.io/library/a@sha256:" HEX64, "a@sha256:" HEX64          },
        };

        for (size_t i = 0; i < N_ELEMENTS(forms); i++) {
                _cleanup_free_ char *full = NULL, *familiar = NULL, *again = NULL;
                assert_int_equal(oci_reference_normalize(forms[i].text, &full), 0);
                assert_string_equal(full, forms[i].full);
                assert_int_equal(oci_reference_shorten(full, &familiar), 0);
                assert_string_equal(familiar, forms[i].familiar);
                assert_int_equal(oci_reference_normalize(familiar, &again), 0); /* what is shown can be typed */
                assert_string_equal(again, forms[i].full);
        }
}

static void test_why(void **state) {
        assert_non_null(strstr(oci_reference_why("Web"), "lower case"));
        assert_non_null(strstr(oci_reference_why("web:?"), "tag"));
        assert_non_null(strstr(oci_reference_why(HEX64), "id"));
        assert_non_null(strstr(oci_reference_why("a@b"), "digest"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_why),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

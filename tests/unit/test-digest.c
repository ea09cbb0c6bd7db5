/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests: text, hashes against published values, chain ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oci/hash.h"
#include "util/json.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_parse(void **state) {
        static const struct {
                const char *text;
                int result;
        } cases[] = {
                { "sha256:" EMPTY, 0 },
                { "sha256:" EMPTY "0", -EINVAL },
                { "sha256:" EMPTY "\n", -EINVAL },
                { " sha256:" EMPTY, -EINVAL },
                { "sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", -EINVAL },
                { "sha256:../../../../etc/passwd", -EINVAL },
                { "sha256:", -EINVAL },
                { "sha256", -EINVAL },
                { EMPTY, -EINVAL },
                { "", -EINVAL },
                { ":" EMPTY, -EINVAL },
                { "sha512:" EMPTY EMPTY, -EOPNOTSUPP },
                { "sha512:xyz", -EINVAL },
                { "SHA256:" EMPTY, -EINVAL },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                OciDigest d;
                assert_int_equal(oci_digest_parse(cases[i].text, &d), cases[i].result);
                if (cases[i].result == 0)
                        assert_string_equal(d.text, cases[i].text);
        }
}

static void test_json(void **state) {
        OciDigest d = { 0 };
        json_object *o = json_object_new_string_len("sha256:" EMPTY "\0x", 73);

        assert_int_equal(json_to_digest(o, &d), -EINVAL); /* a NUL inside */
        json_object_put(o);
        o = json_object_new_int(5);
        assert_int_equal(json_to_digest(o, &d), -EINVAL);
        json_object_put(o);
        o = json_object_new_string("sha256:" EMPTY);
        assert_int_equal(json_to_digest(o, &d), 0);
        assert_string_equal(oci_digest_hex(&d), EMPTY);
        json_object_put(o);
        assert_int_equal(json_to_digest(NULL, &d), -EINVAL);
}

static void test_hash(void **state) {
        _cleanup_(oci_hash_freep) OciHash *h = NULL;
        OciDigest d;

        assert_int_equal(oci_hash_buffer("", 0, &d), 0);
        assert_string_equal(d.text, "sha256:" EMPTY);
        assert_int_equal(oci_hash_new(&h), 0);
        assert_int_equal(oci_hash_update(h, "a", 1), 0);
        assert_int_equal(oci_hash_update(h, "bc", 2), 0);
        assert_int_equal(oci_hash_finish(h, &d), 0);
        assert_string_equal(d.text, "sha256:" ABC);
        assert_int_equal(oci_hash_finish(h, &d), 0); /* it began anew */
        assert_string_equal(d.text, "sha256:" EMPTY);
}

static void test_chain(void **state) {
        OciDigest lower, upper, chain, expected;
        char text[2 * 71 + 2];

        assert_int_equal(oci_digest_parse("sha256:" EMPTY, &lower), 0);
        assert_int_equal(oci_digest_parse("sha256:" ABC, &upper), 0);
        assert_int_equal(oci_chain_id(NULL, &lower, &chain), 0);
        assert_true(oci_digest_equal(&chain, &lower));
        assert_int_equal(oci_chain_id(&lower, &upper, &chain), 0);
        snprintf(text, sizeof(text), "sha256:%s sha256:%s", EMPTY, ABC);
        assert_int_equal(oci_hash_buffer(text, strlen(text), &expected), 0);
        assert_true(oci_digest_equal(&chain, &expected));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_hash),
                cmocka_unit_test(test_chain),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

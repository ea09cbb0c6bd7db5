/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON from outside: whole texts, depth, fields of the wrong kind. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/fs.h"
#include "util/json.h"
#include "util/strv.h"

static void test_parse(void **state) {
        static const struct { const char *text; int result; } cases[] = {
                { "{}", 0 }, { "[]", 0 }, { "1", 0 }, { "-1", 0 }, { "\"x\"", 0 }, { "null", 0 }, { "true", 0 },
                { " { } \n\t", 0 },
                { "{\"a\":[1,2,{\"b\":null}]}", 0 },
                { "", -EINVAL }, { " ", -EINVAL }, { "{", -EINVAL }, { "}", -EINVAL }, { "{}x", -EINVAL },
                { "{}{}", -EINVAL }, { "1 2", -EINVAL },
                { "{\"a\"}", -EINVAL }, { "{\"a\":}", -EINVAL }, { "{a:1}", -EINVAL }, { "[1,]", -EINVAL },
                { "{\"a\":1,}", -EINVAL }, { "// c\n{}", -EINVAL },
                { "/* c */{}", -EINVAL }, { "nul", -EINVAL }, { "tru", -EINVAL },
                { "\"abc", -EINVAL }, { "\"\\x\"", -EINVAL }, { "\"\xff\"", -EINVAL }, { "\"\xc0\x80\"", -EINVAL },
                { "\"\xed\xa0\x80\"", -EINVAL },
                { "01", -EINVAL }, { "+1", -EINVAL }, { "0x1", -EINVAL }, { "\xef\xbb\xbf{}", -EINVAL },
                { "[1 2]", -EINVAL },
                /* what json-c takes although it is no JSON; nothing hangs on it */
                { "{'a':1}", 0 }, { "1.", 0 }, { "\"a\nb\"", 0 }, { "NaN", 0 },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ json_object *o = NULL;
                int r = json_parse(cases[i].text, strlen(cases[i].text), &o);
                if (r != cases[i].result)
                        fail_msg("%s: %i", cases[i].text, r);
        }
        _cleanup_json_ json_object *o = NULL;
        assert_int_equal(json_parse("{}\0{}", 5, &o), -EINVAL);
        assert_int_equal(json_parse("{}   x", 4, &o), 0); /* only as much as was said */
}

static void test_depth(void **state) {
        for (int depth = 1; depth < 100000; depth = depth * 3 / 2 + 1) {
                _cleanup_free_ char *text = malloc((size_t) depth * 2 + 1);
                _cleanup_json_ json_object *o = NULL;
                assert_non_null(text);
                memset(text, '[', (size_t) depth);
                memset(text + depth, ']', (size_t) depth);
                int r = json_parse(text, (size_t) depth * 2, &o);
                if (depth < JSON_DEPTH_MAX)
                        assert_int_equal(r, 0);
                else if (depth > JSON_DEPTH_MAX)
                        assert_int_equal(r, -E2BIG);
        }
}

typedef struct Sample {
        char *name;
        char **list, **map, **keys;
        bool on;
        uint32_t u32;
        uint64_t u64;
        int32_t i32;
        json_object *any;
} Sample;

static const JsonField fields[] = {
        JSON_FIELD(Sample, name, "name", json_to_string, JSON_REQUIRED),
        JSON_FIELD(Sample, list, "list", json_to_strv, 0),
        JSON_FIELD(Sample, map, "map", json_to_map, 0),
        JSON_FIELD(Sample, keys, "keys", json_to_keys, 0),
        JSON_FIELD(Sample, on, "on", json_to_bool, 0),
        JSON_FIELD(Sample, u32, "u32", json_to_u32, 0),
        JSON_FIELD(Sample, u64, "u64", json_to_u64, 0),
        JSON_FIELD(Sample, i32, "i32", json_to_i32, 0),
        JSON_FIELD(Sample, any, "any", json_to_object, 0),
};

static void sample_done(Sample *s) {
        free(s->name);
        strv_free(s->list);
        strv_free(s->map);
        strv_free(s->keys);
        json_object_put(s->any);
}

static int read_sample(const char *text, Sample *s, const char **ret_where) {
        _cleanup_json_ json_object *o = NULL;

        assert_int_equal(json_parse(text, strlen(text), &o), 0);
        return json_read_fields(o, fields, N_ELEMENTS(fields), s, ret_where);
}

static void test_fields(void **state) {
        static const struct { const char *text; int result; const char *where; } cases[] = {
                { "{\"name\":\"x\"}", 0, "" },
                { "{\"name\":\"x\",\"list\":null,\"on\":null,\"u32\":null}", 0, "" }, /* as if it were not there */
                { "{\"name\":\"x\",\"other\":[1]}", 0, "" },
                { "{}", -EINVAL, "name" },
                { "[]", -EINVAL, "" },
                { "null", -EINVAL, "" },
                { "{\"name\":null}", -EINVAL, "name" },
                { "{\"name\":1}", -EINVAL, "name" },
                { "{\"name\":\"a\\u0000b\"}", -EINVAL, "name" },
                { "{\"name\":\"x\",\"list\":\"y\"}", -EINVAL, "list" },
                { "{\"name\":\"x\",\"list\":[\"y\",1]}", -EINVAL, "list" },
                { "{\"name\":\"x\",\"list\":[\"y\",null]}", -EINVAL, "list" },
                { "{\"name\":\"x\",\"list\":[\"y\\u0000\"]}", -EINVAL, "list" },
                { "{\"name\":\"x\",\"list\":{}}", -EINVAL, "list" },
                { "{\"name\":\"x\",\"map\":{\"a\":1}}", -EINVAL, "map" },
                { "{\"name\":\"x\",\"map\":{\"a=b\":\"c\"}}", -EINVAL, "map" },
                { "{\"name\":\"x\",\"map\":[]}", -EINVAL, "map" },
                { "{\"name\":\"x\",\"on\":1}", -EINVAL, "on" },
                { "{\"name\":\"x\",\"on\":\"true\"}", -EINVAL, "on" },
                { "{\"name\":\"x\",\"u32\":-1}", -EINVAL, "u32" },
                { "{\"name\":\"x\",\"u32\":4294967296}", -ERANGE, "u32" },
                { "{\"name\":\"x\",\"u32\":1.5}", -EINVAL, "u32" },
                { "{\"name\":\"x\",\"u32\":\"1\"}", -EINVAL, "u32" },
                { "{\"name\":\"x\",\"u64\":-1}", -EINVAL, "u64" },
                { "{\"name\":\"x\",\"i32\":2147483648}", -ERANGE, "i32" },
                { "{\"name\":\"x\",\"i32\":99999999999999999999}", -ERANGE, "i32" },
                { "{\"name\":\"x\",\"u32\":NaN}", -EINVAL, "u32" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Sample s = {};
                const char *where = NULL;
                int r = read_sample(cases[i].text, &s, &where);
                if (r != cases[i].result || (r < 0 && !streq(where, cases[i].where)))
                        fail_msg("%s: %i %s", cases[i].text, r, where);
                sample_done(&s);
        }
}

static void test_values(void **state) {
        Sample s = { .u32 = 9 };

        assert_int_equal(read_sample("{\"name\":\"n\",\"list\":[\"a\",\"b\"],\"map\":{\"k\":\"v=w\",\"e\":\"\"},"
                                     "\"keys\":{\"80/tcp\":{},\"x\":1},\"on\":true,"
                                     "\"u64\":9223372036854775807,\"i32\":-5,\"any\":[1]}",
                                     &s, NULL), 0);
        assert_string_equal(s.name, "n");
        assert_int_equal(strv_length(s.list), 2);
        assert_string_equal(s.map[0], "k=v=w");
        assert_string_equal(s.map[1], "e=");
        assert_string_equal(s.keys[0], "80/tcp");
        assert_int_equal(strv_length(s.keys), 2);
        assert_true(s.on);
        assert_int_equal(s.u32, 9); /* what is missing stays */
        assert_int_equal(s.u64, INT64_MAX);
        assert_int_equal(s.i32, -5);
        assert_int_equal(json_object_array_length(s.any), 1);
        assert_int_equal(read_sample("{\"name\":\"m\",\"list\":[]}", &s, NULL), 0);
        assert_string_equal(s.name, "m");
        assert_int_equal(strv_length(s.list), 0);
        sample_done(&s);
}

static void test_build(void **state) {
        _cleanup_json_ json_object *o = json_object_new_object();
        char *list[] = { (char *) "a", (char *) "b", NULL }, *map[] = { (char *) "k=v", (char *) "alone", NULL };

        assert_int_equal(json_add_string(o, "s", "x/y"), 0);
        assert_int_equal(json_add_string(o, "none", NULL), 0);
        assert_int_equal(json_add_strv(o, "l", list), 0);
        assert_int_equal(json_add_strv(o, "l0", NULL), 0);
        assert_int_equal(json_add_map(o, "m", map), 0);
        assert_int_equal(json_add_bool(o, "b", true), 0);
        assert_int_equal(json_add_i64(o, "i", INT64_MIN), 0);
        assert_int_equal(json_add_object(o, "o", NULL), -ENOMEM);
        assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                            "{\"s\":\"x/y\",\"l\":[\"a\",\"b\"],\"l0\":[],\"m\":{\"k\":\"v\",\"alone\":\"\"},"
                            "\"b\":true,\"i\":-9223372036854775808}");
        assert_string_equal(json_get_string(o, "m.k"), "v");
        assert_null(json_get(o, "m.k.x"));
        assert_null(json_get(o, "nope.k"));
        assert_null(json_get_string(o, "b"));
        assert_null(json_get(NULL, "a"));
}

static void test_file(void **state) {
        char path[] = "/tmp/test-json.XXXXXX";
        _cleanup_json_ json_object *o = json_object_new_object(), *back = NULL;
        int fd;

        assert_non_null(mkdtemp(path));
        fd = fs_open_dir(AT_FDCWD, path);
        assert_true(fd >= 0);
        assert_int_equal(json_add_string(o, "a", "b"), 0);
        assert_int_equal(json_write_file(fd, "x.json", o, 0600, 0), 0);
        assert_int_equal(json_read_file(fd, "x.json", 1024, &back), 0);
        assert_string_equal(json_get_string(back, "a"), "b");
        assert_int_equal(json_read_file(fd, "x.json", 3, &back), -EFBIG);
        assert_int_equal(json_read_file(fd, "y.json", 3, &back), -ENOENT);
        fd_close(fd);
        assert_int_equal(fs_remove_tree(AT_FDCWD, path), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),  cmocka_unit_test(test_depth), cmocka_unit_test(test_fields),
                cmocka_unit_test(test_values), cmocka_unit_test(test_build), cmocka_unit_test(test_file),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

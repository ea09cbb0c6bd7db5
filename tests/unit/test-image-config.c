/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image configurations: what is read, what is dropped, what is refused; and the record that comes of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oci/image-record.h"
#include "util/strv.h"

#define EMPTY  "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" EMPTY "\"]}"

static const char full[] =
        "{\"created\":\"2020-01-02T03:04:05.5Z\",\"author\":\"me\",\"architecture\":\"amd64\",\"os\":\"linux\","
        "\"docker_version\":\"20\",\"container_config\":{\"Cmd\":[\"x\"]},"
        "\"config\":{\"Hostname\":\"h\",\"User\":\"u:g\",\"Env\":[\"A=1\",\"B=\"],\"Cmd\":[\"sh\"],\"Entrypoint\":null,"
        "\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/w\",\"Labels\":{\"k\":\"v=w\"},\"ExposedPorts\":{\"80/tcp\":{}},"
        "\"StopSignal\":\"SIGINT\",\"Shell\":[\"/bin/sh\",\"-c\"],\"OnBuild\":[\"RUN x\"],"
        "\"Healthcheck\":{\"Test\":[\"CMD\",\"t\"],\"Interval\":1000000000,\"Retries\":3}},"
        ROOTFS ",\"history\":[{\"created\":\"t\",\"created_by\":\"b\",\"empty_layer\":true},{\"comment\":\"c\"}]}";

static void test_full(void **state) {
        _cleanup_(oci_image_config_freep) OciImageConfig *c = NULL;
        const char *where;

        assert_int_equal(oci_image_config_parse(full, strlen(full), &c, &where), 0);
        assert_string_equal(c->config.user, "u:g");
        assert_int_equal(strv_length(c->config.env), 2);
        assert_null(c->config.entrypoint);
        assert_string_equal(c->config.labels[0], "k=v=w");
        assert_string_equal(c->config.exposed_ports[0], "80/tcp");
        assert_true(c->config.has_healthcheck);
        assert_int_equal(c->config.healthcheck.retries, 3);
        assert_int_equal(c->n_diff_ids, 1);
        assert_int_equal(c->n_history, 2);
        assert_true(c->history[0].empty_layer);
}

static void test_record(void **state) {
        _cleanup_(oci_image_config_freep) OciImageConfig *c = NULL;
        _cleanup_(oci_image_record_freep) OciImageRecord *record = NULL;
        _cleanup_json_ json_object *o = NULL;
        OciDescriptor layer = { .media_type = (char *) MEDIA_OCI_LAYER, .size = 7 },
                      d = { .media_type = (char *) MEDIA_OCI_MANIFEST, .size = 5 };
        OciManifest m = { .layers = { &layer, 1 } };

        assert_int_equal(oci_image_config_parse(full, strlen(full), &c, NULL), 0);
        oci_digest_parse(EMPTY, &layer.digest);
        oci_digest_parse(EMPTY, &d.digest);
        oci_digest_parse(EMPTY, &m.config.digest);
        o = oci_image_record_new(&d, &m, c, c->diff_ids);
        assert_non_null(o);
        assert_string_equal(json_get_string(o, "config.WorkingDir"), "/w");
        assert_null(json_get(o, "config.Hostname")); /* nobody asked for it */
        assert_null(json_get(o, "container_config"));
        assert_non_null(json_get(o, "config.Volumes./v"));
        assert_int_equal(json_object_array_length(json_get(o, "history")), 2);
        assert_int_equal(oci_image_record_read(o, &record, NULL), 0);
        assert_int_equal(record->n_layers, 1);
        assert_int_equal(record->layers[0].size, 7);
        assert_int_equal(record->manifest.size, 5);
        assert_string_equal(record->created, "2020-01-02T03:04:05.5Z");
}

static const struct {
        const char *text;
        int result;
        const char *where;
} cases[] = {
        { "{" ROOTFS "}", 0, NULL },
        { "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null}}", 0, NULL },
        { "{\"rootfs\":{}}", 0, NULL },
        { "{\"config\":null," ROOTFS "}", 0, NULL },
        { "{\"config\":{\"Cmd\":\"sh\"}," ROOTFS "}", 0, NULL }, /* as old builders wrote it */
        { "{}", -EINVAL, "rootfs" },
        { "[]", -EINVAL, "" },
        { "{\"rootfs\":[]}", -EINVAL, "rootfs" },
        { "{\"rootfs\":{\"type\":\"windows\"}}", -EINVAL, "rootfs" },
        { "{\"rootfs\":{\"diff_ids\":{}}}", -EINVAL, "rootfs" },
        { "{\"rootfs\":{\"diff_ids\":[\"x\"]}}", -EINVAL, "rootfs" },
        { "{\"rootfs\":{\"diff_ids\":[null]}}", -EINVAL, "rootfs" },
        { "{\"config\":5," ROOTFS "}", -EINVAL, "config" },
        { "{\"config\":{\"Env\":{}}," ROOTFS "}", -EINVAL, "Env" },
        { "{\"config\":{\"Env\":[1]}," ROOTFS "}", -EINVAL, "Env" },
        { "{\"config\":{\"Env\":[null]}," ROOTFS "}", -EINVAL, "Env" },
        { "{\"config\":{\"Env\":[\"A\\u0000B\"]}," ROOTFS "}", -EINVAL, "Env" },
        { "{\"config\":{\"User\":1000}," ROOTFS "}", -EINVAL, "User" },
        { "{\"config\":{\"Labels\":[\"a\"]}," ROOTFS "}", -EINVAL, "Labels" },
        { "{\"config\":{\"Labels\":{\"a\":1}}," ROOTFS "}", -EINVAL, "Labels" },
        { "{\"config\":{\"Healthcheck\":{\"Retries\":-1}}," ROOTFS "}", -EINVAL, "Healthcheck" },
        { "{\"history\":{}," ROOTFS "}", -EINVAL, "history" },
        { "{\"history\":[{\"empty_layer\":\"yes\"}]," ROOTFS "}", -EINVAL, "history" },
        { "{\"os\":[]," ROOTFS "}", -EINVAL, "os" },
};

static void test_cases(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(oci_image_config_freep) OciImageConfig *c = NULL;
                const char *where = NULL;
                int r = oci_image_config_parse(cases[i].text, strlen(cases[i].text), &c, &where);

                if (r != cases[i].result)
                        print_error("case: %s\n", cases[i].text);
                assert_int_equal(r, cases[i].result);
                if (r < 0)
                        assert_string_equal(where, cases[i].where);
        }
}

/* Refused by number or size, and before memory is spent on it. */
static int parse_many(size_t n, const char *before, const char *each, const char *after, const char **where) {
        _cleanup_(oci_image_config_freep) OciImageConfig *c = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        fputs(before, f);
        for (size_t i = 0; i < n; i++)
                fprintf(f, "%s%s", i > 0 ? "," : "", each);
        fprintf(f, "%s", after);
        fclose(f);
        return oci_image_config_parse(text, size, &c, where);
}

static void test_many(void **state) {
        const char *where;

        assert_int_equal(parse_many(OCI_STRINGS_MAX, "{\"config\":{\"Env\":[", "\"A=1\"", "]}," ROOTFS "}", &where), 0);
        assert_int_equal(parse_many(OCI_STRINGS_MAX + 1, "{\"config\":{\"Env\":[", "\"A=1\"", "]}," ROOTFS "}", &where),
                         -E2BIG);
        assert_string_equal(where, "Env");
        assert_int_equal(parse_many(1000000, "{\"config\":{\"Env\":[", "\"A=1\"", "]}," ROOTFS "}", &where), -EFBIG);
        assert_int_equal(parse_many(OCI_LAYERS_MAX + 1, "{\"rootfs\":{\"diff_ids\":[", "\"" EMPTY "\"", "]}}", &where),
                         -E2BIG);
        assert_int_equal(parse_many(OCI_HISTORY_MAX + 1, "{\"history\":[", "{}", "]," ROOTFS "}", &where), -E2BIG);
}

static void test_long_string(void **state) {
        _cleanup_free_ char *text = malloc(OCI_STRING_SIZE_MAX + 1000);
        _cleanup_(oci_image_config_freep) OciImageConfig *c = NULL;
        const char *where;

        char *p = stpcpy(text, "{\"config\":{\"User\":\"");
        memset(p, 'x', OCI_STRING_SIZE_MAX);
        strcpy(p + OCI_STRING_SIZE_MAX, "\"}," ROOTFS "}");
        assert_int_equal(oci_image_config_parse(text, strlen(text), &c, &where), -E2BIG);
        assert_string_equal(where, "User");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_full), cmocka_unit_test(test_record), cmocka_unit_test(test_cases),
                cmocka_unit_test(test_many), cmocka_unit_test(test_long_string),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

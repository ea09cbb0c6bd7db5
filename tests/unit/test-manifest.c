/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manifests and indexes: what is taken, what is refused and by which field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oci/manifest.h"
#include "util/strv.h"

#define D "\"digest\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""
#define CONFIG "\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG "\"," D ",\"size\":2}"
#define LAYER "{\"mediaType\":\"" MEDIA_OCI_LAYER "+gzip\"," D ",\"size\":9}"

static const struct {
        const char *text;
        int result;
        const char *where;
} manifests[] = {
        { "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER "]}", 0, NULL },
        { "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}", 0, NULL },
        { "{\"schemaVersion\":2," CONFIG ",\"layers\":null}", 0, NULL },
        { "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_DOCKER_MANIFEST "\"," CONFIG
          ",\"layers\":[" LAYER "," LAYER "]}", 0,
          NULL },
        { "", -EINVAL, "" },
        { "[]", -EINVAL, "" },
        { "null", -EINVAL, "" },
        { "{", -EINVAL, "" },
        { "{} {}", -EINVAL, "" },
        { "{}", -EINVAL, "schemaVersion" },
        { "{\"schemaVersion\":2}", -EINVAL, "config" },
        { "{\"schemaVersion\":\"2\"," CONFIG "}", -EINVAL, "schemaVersion" },
        { "{\"schemaVersion\":1," CONFIG ",\"layers\":[]}", -EOPNOTSUPP, "schemaVersion" },
        { "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\"," CONFIG "}", -EOPNOTSUPP, "mediaType" },
        { "{\"schemaVersion\":2,\"manifests\":[]," CONFIG "}", -EINVAL, "manifests" }, /* two documents in one */
        { "{\"schemaVersion\":2," CONFIG ",\"layers\":{}}", -EINVAL, "layers" },
        { "{\"schemaVersion\":2," CONFIG ",\"layers\":[5]}", -EINVAL, "layers" },
        { "{\"schemaVersion\":2," CONFIG ",\"layers\":[{" D ",\"size\":-1}]}", -EINVAL, "layers" },
        { "{\"schemaVersion\":2," CONFIG ",\"layers\":[{" D ",\"size\":1e3}]}", -EINVAL, "layers" },
        { "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"digest\":\"../../x\",\"size\":1}]}", -EINVAL, "layers" },
        { "{\"schemaVersion\":2,\"config\":{" D "}}", -EINVAL, "config" },
};

static void test_manifest(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(manifests); i++) {
                _cleanup_(oci_manifest_freep) OciManifest *m = NULL;
                const char *where = NULL;
                int r = oci_manifest_parse(manifests[i].text, strlen(manifests[i].text), &m, &where);

                if (r != manifests[i].result)
                        print_error("case: %s\n", manifests[i].text);
                assert_int_equal(r, manifests[i].result);
                if (r < 0)
                        assert_string_equal(where, manifests[i].where);
        }
}

static void test_many_layers(void **state) {
        for (size_t n = OCI_LAYERS_MAX; n <= OCI_LAYERS_MAX + 1; n++) {
                _cleanup_(oci_manifest_freep) OciManifest *m = NULL;
                _cleanup_free_ char *text = NULL;
                size_t size;
                FILE *f = open_memstream(&text, &size);

                fputs("{\"schemaVersion\":2," CONFIG ",\"layers\":[", f);
                for (size_t i = 0; i < n; i++)
                        fprintf(f, "%s" LAYER, i > 0 ? "," : "");
                fputs("]}", f);
                fclose(f);
                assert_int_equal(oci_manifest_parse(text, size, &m, NULL), n > OCI_LAYERS_MAX ? -E2BIG : 0);
                if (m)
                        assert_int_equal(m->layers.n, n);
        }
}

static void test_huge(void **state) {
        _cleanup_(oci_manifest_freep) OciManifest *m = NULL;
        size_t size = OCI_MANIFEST_SIZE_MAX + 1;
        _cleanup_free_ char *text = malloc(size);

        memset(text, ' ', size);
        assert_int_equal(oci_manifest_parse(text, size, &m, NULL), -EFBIG);
        memset(text, '[', 100000); /* deep: refused without using the stack */
        assert_int_equal(oci_manifest_parse(text, 100000, &m, NULL), -E2BIG);
}

static void test_index(void **state) {
        _cleanup_(oci_index_freep) OciIndex *i = NULL;
        const char *where, *text = "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\"," D
                                   ",\"size\":7,"
                                   "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"},"
                                   "\"annotations\":{\"" OCI_ANNOTATION_REF_NAME "\":\"a:b\"}}]}";

        assert_int_equal(oci_index_parse(text, strlen(text), &i, &where), 0);
        assert_int_equal(i->manifests.n, 1);
        assert_string_equal(i->manifests.items[0].platform.architecture, "arm64");
        assert_string_equal(strv_env_get(i->manifests.items[0].annotations, OCI_ANNOTATION_REF_NAME), "a:b");
        i = oci_index_free(i);
        text = "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}";
        assert_int_equal(oci_index_parse(text, strlen(text), &i, &where), -EINVAL);
        assert_string_equal(where, "layers");
}

static void test_platform(void **state) {
        OciPlatform host = { (char *) "linux", (char *) oci_host_architecture(), NULL }, none = { 0 },
                    windows = { (char *) "windows", (char *) oci_host_architecture(), NULL },
                    other = { (char *) "linux", (char *) "vax", NULL };

        assert_true(oci_platform_is_host(&host));
        assert_true(oci_platform_is_host(&none));
        assert_false(oci_platform_is_host(&windows));
        assert_false(oci_platform_is_host(&other));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_manifest), cmocka_unit_test(test_many_layers), cmocka_unit_test(test_huge),
                cmocka_unit_test(test_index),    cmocka_unit_test(test_platform),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives of images: of each kind a right one, and what is wrong with the others is said. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

#include "archive-maker.h"
#include "unpack-runner.h"
#include "util/strv.h"

static TestImage image;

#define MANIFEST_JSON "[{\"Config\":\"%s\",\"RepoTags\":[%s],\"Layers\":[%s]}]"

/* As `docker save` 20.10 writes it: ID/layer.tar, and the same layer again as a symlink. */
static void make_docker(Tar *t) {
        tar_add(t, &(TarEntry){ .name = "abc/", .type = '5' });
        tar_add_text(t, "abc/VERSION", "1.0");
        tar_add_bytes(t, "abc/layer.tar", image.layer.data, image.layer.size);
        tar_add(t, &(TarEntry){ .name = "def/layer.tar", .type = '2', .link = "../abc/layer.tar" });
        tar_add_bytes(t, "config.json", image.config.data, image.config.size);
        tar_add_text(t, "manifest.json",
                     "[{\"Config\":\"config.json\",\"RepoTags\":[\"web:1\",\"h.example/web:2\"],"
                     "\"Layers\":[\"def/layer.tar\"]}]");
}

static void make_oci(Tar *t) {
        test_image_add_oci(t, &image);
}

/* Docker 25: an OCI layout with a manifest.json, which has more names. */
static void make_both(Tar *t) {
        char text[1000];

        make_oci(t);
        snprintf(text, sizeof(text),
                 "[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[\"other:3\"],\"Layers\":[\"blobs/sha256/%s\"]}]",
                 oci_digest_hex(&image.config.digest), oci_digest_hex(&image.layer.digest));
        tar_add_text(t, "manifest.json", text);
}

static void make_dot_slash(Tar *t) {
        char name[120];

        snprintf(name, sizeof(name), "./blobs/sha256/%.64s", oci_digest_hex(&image.layer.digest));
        tar_add(t, &(TarEntry){ .name = "./", .type = '5' });
        tar_add_bytes(t, name, image.layer.data, image.layer.size);
        tar_add_blob(t, &image.config);
        tar_add_blob(t, &image.manifest);
        tar_add_bytes(t, "./index.json", image.index.data, image.index.size);
}

/* An index of one image per platform, with an attestation, below another one. */
static void add_nested(Tar *t, const char *architecture, unsigned depth) {
        Blob inner, outer;

        blob_printf(&inner,
                    "{\"schemaVersion\":2,\"manifests\":["
                    "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"sha256:%064d\",\"size\":5,"
                    "\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}},"
                    "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"sha256:%064d\",\"size\":5,"
                    "\"platform\":{\"os\":\"linux\",\"architecture\":\"vax\"}},"
                    "{\"mediaType\":\"" MEDIA_DOCKER_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu,"
                    "\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}}]}",
                    1, 2, image.manifest.digest.text, image.manifest.size, architecture);
        for (; depth > 1; depth--) {
                tar_add_blob(t, &inner);
                blob_printf(&outer,
                            "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_DOCKER_LIST
                            "\",\"digest\":\"%s\",\"size\":%zu}]}",
                            inner.digest.text, inner.size);
                free(inner.data);
                inner = outer;
        }
        tar_add_blob(t, &inner);
        blob_printf(&outer,
                    "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_INDEX
                    "\",\"digest\":\"%s\",\"size\":%zu,"
                    "\"annotations\":{\"" OCI_ANNOTATION_CONTAINERD_NAME "\":\"docker.io/me/multi:1\",\""
                    OCI_ANNOTATION_REF_NAME "\":\"1\"}}]}", inner.digest.text, inner.size);
        tar_add_blob(t, &image.layer);
        tar_add_blob(t, &image.config);
        tar_add_blob(t, &image.manifest);
        tar_add_bytes(t, "index.json", outer.data, outer.size);
        free(inner.data);
        free(outer.data);
}

static void make_nested(Tar *t) {
        add_nested(t, oci_host_architecture(), 1);
}

static void make_other_platform(Tar *t) {
        add_nested(t, "pdp11", 1);
}

static void make_deep_indexes(Tar *t) {
        add_nested(t, oci_host_architecture(), 10);
}

static void make_digest_mismatch(Tar *t) {
        char name[120];

        snprintf(name, sizeof(name), "blobs/sha256/%.64s", oci_digest_hex(&image.layer.digest));
        tar_add_text(t, name, "something else");
        make_oci(t);
}

/* The mismatching blob comes last and must not replace the right one before the check. */
static void make_late_digest_mismatch(Tar *t) {
        make_oci(t);
        make_digest_mismatch(t);
}

static void make_layer_missing(Tar *t) {
        tar_add_blob(t, &image.config);
        tar_add_blob(t, &image.manifest);
        tar_add_bytes(t, "index.json", image.index.data, image.index.size);
}

static void make_manifest_missing(Tar *t) {
        tar_add_bytes(t, "index.json", image.index.data, image.index.size);
}

static void add_docker(Tar *t, const char *config, const char *tags, const char *layers) {
        char text[8192];

        tar_add_bytes(t, "layer.tar", image.layer.data, image.layer.size);
        tar_add_bytes(t, "config.json", image.config.data, image.config.size);
        snprintf(text, sizeof(text), MANIFEST_JSON, config, tags, layers);
        tar_add_text(t, "manifest.json", text);
}

static void make_untagged(Tar *t) {
        add_docker(t, "config.json", "", "\"layer.tar\"");
}

static void make_layer_outside(Tar *t) {
        tar_add(t, &(TarEntry){ .name = "out.tar", .type = '2', .link = "../../canary" });
        add_docker(t, "config.json", "", "\"out.tar\"");
}

static void make_layer_absolute(Tar *t) {
        tar_add(t, &(TarEntry){ .name = "out.tar", .type = '2', .link = "/etc/passwd" });
        add_docker(t, "config.json", "", "\"out.tar\"");
}

static void make_layer_name_climbs(Tar *t) {
        add_docker(t, "config.json", "", "\"../../canary\"");
}

static void make_member_climbs(Tar *t) {
        tar_add_text(t, "../canary", "no");
        add_docker(t, "config.json", "", "\"layer.tar\"");
}

static void make_link_loop(Tar *t) {
        tar_add(t, &(TarEntry){ .name = "a", .type = '2', .link = "b" });
        tar_add(t, &(TarEntry){ .name = "b", .type = '2', .link = "a" });
        add_docker(t, "config.json", "", "\"a\"");
}

static void make_hard_link(Tar *t) {
        add_docker(t, "config.json", "", "\"x/same.tar\"");
        tar_add(t, &(TarEntry){ .name = "x/same.tar", .type = '1', .link = "layer.tar" });
}

static void make_two_layers(Tar *t) {
        add_docker(t, "config.json", "", "\"layer.tar\",\"layer.tar\"");
}

static void make_other_layer(Tar *t) {
        add_docker(t, "config.json", "", "\"config.json\"");
}

static void make_config_missing(Tar *t) {
        add_docker(t, "gone.json", "", "\"layer.tar\"");
}

static void make_bad_name(Tar *t) {
        add_docker(t, "config.json", "\"Web\\u001b[31m:1\"", "\"layer.tar\"");
}

static void make_twice(Tar *t) {
        char text[500];
        const char *one = "{\"Config\":\"config.json\",\"RepoTags\":[\"a:1\",\"a:1\"],\"Layers\":[\"layer.tar\"]}";

        make_untagged(t);
        snprintf(text, sizeof(text), "[%s,%s]", one, one);
        tar_add_text(t, "manifest.json", text); /* the last of one name counts */
}

static void make_no_list(Tar *t) {
        tar_add_text(t, "manifest.json", "{\"Config\":5}");
}

static void make_mistyped(Tar *t) {
        tar_add_text(t, "manifest.json", "[{\"Config\":5}]");
}

static void make_huge_json(Tar *t) {
        size_t size = (4 << 20) + 1;
        char *text = malloc(size);

        memset(text, ' ', size);
        tar_add_bytes(t, "manifest.json", text, size);
        free(text);
}

static void make_huge_config(Tar *t) {
        size_t size = 0;
        char *text;
        FILE *f = open_memstream(&text, &size);

        fputs("{\"config\":{\"Env\":[\"A=1\"", f);
        for (unsigned i = 0; i < 1000000; i++)
                fputs(",\"A=1\"", f);
        fputs("]}}", f);
        fclose(f);
        tar_add_bytes(t, "big.json", text, size);
        add_docker(t, "big.json", "", "\"layer.tar\"");
        free(text);
}

static void make_many_names(Tar *t) {
        size_t size = 0;
        char *text;
        FILE *f = open_memstream(&text, &size);

        fputs("[{\"Config\":\"config.json\",\"Layers\":[\"layer.tar\"],\"RepoTags\":[\"a:0\"", f);
        for (unsigned i = 1; i < 5000; i++)
                fprintf(f, ",\"a:%u\"", i);
        fputs("]}]", f);
        fclose(f);
        make_untagged(t);
        tar_add_bytes(t, "manifest.json", text, size);
        free(text);
}

static void make_many_members(Tar *t) {
        char name[20];

        for (unsigned i = 0; i < 70000; i++) {
                snprintf(name, sizeof(name), "%u", i);
                tar_add(t, &(TarEntry){ .name = name, .type = '2', .link = "x" });
        }
        make_untagged(t);
}

static void make_index_and_layers(Tar *t) {
        tar_add_text(t, "index.json", "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}");
}

static void make_empty_index(Tar *t) {
        tar_add_text(t, "index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
}

static void make_plain_files(Tar *t) {
        tar_add_text(t, "etc/passwd", "root:x:0:0::/:/bin/sh\n");
}

static const struct {
        const char *name;
        void (*make)(Tar *t);
        const char *error;      /* NULL: it is taken */
        const char *references; /* joined by blanks */
} cases[] = {
        { "docker save",         make_docker,    NULL, "docker.io/library/web:1 h.example/web:2" },
        { "oci",                 make_oci,       NULL, "docker.io/library/test:1" },
        { "both in one",         make_both,      NULL, "docker.io/library/test:1 docker.io/library/other:3" },
        { "names with ./",       make_dot_slash, NULL, "docker.io/library/test:1" },
        { "index of platforms",  make_nested,    NULL, "docker.io/me/multi:1" },
        { "without a name",      make_untagged,  NULL, "" },
        { "layer as hard link",  make_hard_link, NULL, "" },
        { "the same image twice", make_twice,    NULL, "docker.io/library/a:1" },

        { "no image for us",      make_other_platform,       "no image for linux/" },
        { "indexes without end",  make_deep_indexes,         "nested" },
        { "digest mismatch",      make_digest_mismatch,      "does not match" },
        { "late mismatch",        make_late_digest_mismatch, "does not match" },
        { "layer missing",        make_layer_missing,        "is missing" },
        { "manifest missing",     make_manifest_missing,     "is missing" },
        { "config missing",       make_config_missing,       "is missing" },
        { "layer links outside",  make_layer_outside,        "leads out" },
        { "layer absolute",       make_layer_absolute,       "is missing" },
        { "layer's name climbs",  make_layer_name_climbs,    "is missing" },
        { "member climbs",        make_member_climbs,        "leads out" },
        { "links in a circle",    make_link_loop,            "is missing" },
        { "a layer too many",     make_two_layers,           "its configuration names 1" },
        { "another layer",        make_other_layer,          "not the one that the configuration names" },
        { "bad name",             make_bad_name,             "lower case" },
        { "no list",              make_no_list,              "no list of images" },
        { "mistyped",             make_mistyped,             "field Config" },
        { "huge manifest.json",   make_huge_json,            "larger than" },
        { "huge configuration",   make_huge_config,          "larger than" },
        { "too many names",       make_many_names,           "more than 4096 names" },
        { "too many members",     make_many_members,         "too many files" },
        { "manifest and index",   make_index_and_layers,     "field layers" },
        { "no images",            make_empty_index,          "holds no image" },
        { "a file tree",          make_plain_files,          "import" },
};

static void check_blobs(const Runner *r, size_t i) {
        static const char *const paths[] = { "id", "manifest.digest", NULL };
        json_object *record = json_get(json_object_array_get_idx(json_get(r->report, "images"), 0), "record");
        struct stat st;
        char path[120];

        for (size_t k = 0; paths[k]; k++) {
                snprintf(path, sizeof(path), "blobs/%.64s", json_get_string(record, paths[k]) + 7);
                assert_int_equal(fstatat(r->stage_fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
                assert_true(S_ISREG(st.st_mode));
        }
        assert_string_equal(json_get_string(record, "id"), image.config.digest.text);
        json_object *layer = json_object_array_get_idx(json_get(record, "layers"), 0);
        assert_string_equal(json_get_string(layer, "digest"), image.layer.digest.text);
        assert_string_equal(json_get_string(layer, "chainId"), image.layer.digest.text);
}

static void test_cases(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Runner r;
                Tar t;

                tar_begin(&t);
                cases[i].make(&t);
                tar_end(&t);
                runner_begin(&r);
                runner_run(&r, "archive", t.data, t.size, i % 2);
                const char *error = runner_error(&r);
                if (!error != !cases[i].error || (error && !strstr(error, cases[i].error)))
                        print_error("%s: %s\n", cases[i].name, error ?: "it was taken");
                assert_int_equal(!error, !cases[i].error);
                if (error) {
                        assert_non_null(strstr(error, cases[i].error));
                        for (const char *p = error; *p; p++)
                                assert_true((unsigned char) *p >= ' '); /* it goes to a terminal */
                } else {
                        _cleanup_strv_ char **references = NULL;
                        json_object *images = json_get(r.report, "images");
                        assert_int_equal(json_object_array_length(images), 1);
                        assert_int_equal(
                                json_to_strv(json_get(json_object_array_get_idx(images, 0), "references"), &references),
                                0);
                        _cleanup_free_ char *joined = strv_join(references, " ");
                        assert_string_equal(joined, cases[i].references);
                        check_blobs(&r, i);
                }
                assert_true(runner_is_intact(&r));
                runner_end(&r);
                free(t.data);
        }
}

/* Cut off anywhere, an archive is refused or (behind its last member) whole; never half taken. */
static void test_cut_off(void **state) {
        Tar t;

        tar_begin(&t);
        make_oci(&t);
        tar_end(&t);
        for (size_t size = 0; size < t.size; size += 700) {
                Runner r;
                runner_begin(&r);
                runner_run(&r, "archive", t.data, size, size % 1400 == 0);
                if (!runner_error(&r))
                        assert_true(size >= t.size - 1024 - 511);
                runner_end(&r);
        }
        free(t.data);
}

static void test_usage(void **state) {
        Runner r;

        runner_begin(&r);
        runner_run(&r, "nonsense", "", 0, false);
        assert_non_null(strstr(runner_error(&r), "There is no command"));
        runner_end(&r);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_cut_off),
                cmocka_unit_test(test_usage),
        };

        test_image_make(&image, "etc/hello", "hello");
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        test_image_clear(&image);
        return r;
}

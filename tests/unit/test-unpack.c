/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers: what they make, and what they cannot make outside of their directory. Needs root: files get other owners. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <zstd.h>

#include <cmocka.h>
#include <isa-l/igzip_lib.h>

#include "image/layer-path.h"
#include "oci/hash.h"
#include "tar-maker.h"
#include "unpack-runner.h"
#include "util/strv.h"

#define A50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A40  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FILE_OF(n, d) { .name = n, .data = d }
#define DIR_OF(n)     { .name = n, .type = '5' }
#define LINK_OF(n, l) { .name = n, .type = '1', .link = l }
#define SYM_OF(n, l)  { .name = n, .type = '2', .link = l }

/* The state of one path below diff/ after the run: "file:CONTENT", "dir", "sym:TARGET", "whiteout", "fifo", "none". */
typedef struct Expected {
        const char *path, *what;
} Expected;

static const struct {
        const char *name;
        const char *error; /* part of the message; NULL: it is unpacked */
        TarEntry entries[6];
        Expected expected[6];
} cases[] = {
        { "plain", NULL,
          { DIR_OF("d/"), FILE_OF("d/f", "x"), SYM_OF("l", "d/f"), LINK_OF("h", "d/f") },
          { { "d", "dir" }, { "d/f", "file:x" }, { "l", "sym:d/f" }, { "h", "file:x" } } },
        { "names with ./ and //", NULL, { FILE_OF(".//a///b", "x") }, { { "a/b", "file:x" } } },
        { "empty file", NULL, { FILE_OF("e", "") }, { { "e", "file:" } } },
        { "missing parents", NULL, { FILE_OF("a/b/c", "x") }, { { "a/b", "dir" }, { "a/b/c", "file:x" } } },
        { "fifo", NULL, { { .name = "p", .type = '6' } }, { { "p", "fifo" } } },

        /* the way out */
        { "climbs", "climbs", { FILE_OF("../canary", "no") }, { { "canary", "none" } } },
        { "climbs in the middle", "climbs",
          { DIR_OF("a"), FILE_OF("a/../../canary", "no") }, { { "canary", "none" } } },
        { "climbs at the end", "climbs", { DIR_OF("a/..") }, { { 0 } } },
        { "absolute", NULL, { FILE_OF("/etc/x", "in") }, { { "etc/x", "file:in" } } },
        { "through a symlink to ../..", NULL,
          { SYM_OF("l", "../.."), FILE_OF("l/canary", "in") }, { { "canary", "file:in" } } },
        { "through a symlink to /", NULL, { SYM_OF("l", "/"), FILE_OF("l/tmp-x", "in") }, { { "tmp-x", "file:in" } } },
        { "through a chain of symlinks", NULL,
          { SYM_OF("a", "/../.."), SYM_OF("b", "a/../../a"), FILE_OF("b/canary", "in") }, { { "canary", "file:in" } } },
        { "replaces a symlink, not its target", NULL,
          { SYM_OF("l", "../../canary"), FILE_OF("l", "in") }, { { "l", "file:in" } } },
        { "a directory in a symlink's place", NULL,
          { SYM_OF("l", "../../canary.d"), DIR_OF("l"), FILE_OF("l/f", "in") },
          { { "l", "dir" }, { "l/f", "file:in" } } },
        { "makes a directory through a symlink", NULL,
          { SYM_OF("l", "../.."), DIR_OF("l/canary.d"), FILE_OF("l/canary.d/f", "in") },
          { { "canary.d/f", "file:in" } } },
        { "symlink to nowhere as a parent", "Cannot create",
          { SYM_OF("l", "gone"), FILE_OF("l/f", "no") }, { { "gone", "none" } } },
        { "symlink loop as a parent", "Cannot create", { SYM_OF("l", "l"), FILE_OF("l/f", "no") }, { { 0 } } },
        { "symlink to proc", "Cannot create",
          { SYM_OF("l", "/proc/self/root"), FILE_OF("l/f", "no") }, { { "f", "none" } } },
        { "file as a parent", "Cannot create", { FILE_OF("f", "x"), FILE_OF("f/g", "no") }, { { "f", "file:x" } } },
        { "hard link climbs", "climbs", { LINK_OF("h", "../../canary") }, { { "h", "none" } } },
        { "hard link to an absolute path", "Cannot link", { LINK_OF("h", "/etc/passwd") }, { { "h", "none" } } },
        { "hard link through a symlink", "Cannot",
          { SYM_OF("l", "../.."), LINK_OF("h", "l/canary") }, { { "h", "none" } } },
        { "hard link to a symlink", NULL,
          { SYM_OF("l", "../../canary"), LINK_OF("h", "l") }, { { "h", "sym:../../canary" } } },
        { "… and a file through that", NULL,
          { SYM_OF("l", "../../canary"), LINK_OF("h", "l"), FILE_OF("h", "in") }, { { "h", "file:in" } } },
        { "hard link to itself", NULL, { FILE_OF("f", "x"), LINK_OF("f", "f") }, { { "f", "file:x" } } },
        { "hard link to a directory", "Cannot link", { DIR_OF("d"), LINK_OF("h", "d") }, { { 0 } } },
        { "hard link to a whiteout", "refused", { FILE_OF("f", "x"), LINK_OF("h", ".wh.f") }, { { 0 } } },
        { "hard link over something", NULL,
          { FILE_OF("f", "x"), FILE_OF("g", "y"), LINK_OF("g", "f") }, { { "g", "file:x" } } },

        /* whiteouts */
        { "whiteout", NULL, { FILE_OF("d/.wh.f", "") }, { { "d/f", "whiteout" }, { "d/.wh.f", "none" } } },
        { "whiteout of ..", "whiteout of nothing", { FILE_OF("d/.wh...", "") }, { { 0 } } },
        { "whiteout of .", "whiteout of nothing", { FILE_OF(".wh..", "") }, { { 0 } } },
        { "whiteout of nothing", "whiteout of nothing", { FILE_OF(".wh.", "") }, { { 0 } } },
        { "whiteout as a directory", "whiteout", { FILE_OF(".wh.d/f", "no") }, { { "d", "none" } } },
        { "whiteout after the file", NULL, { FILE_OF("f", "x"), FILE_OF(".wh.f", "") }, { { "f", "file:x" } } },
        { "whiteout before the file", NULL, { FILE_OF(".wh.f", ""), FILE_OF("f", "x") }, { { "f", "file:x" } } },
        { "whiteout through a symlink", NULL,
          { SYM_OF("l", "../.."), FILE_OF("l/.wh.canary", "") }, { { "canary", "whiteout" } } },
        { "aufs's own", NULL, { DIR_OF(".wh..wh.plnk"), FILE_OF(".wh..wh.plnk/1.2", "x"), FILE_OF("f", "y") },
          { { ".wh..wh.plnk", "none" }, { "f", "file:y" } } },

        /* the same name again */
        { "twice", NULL, { FILE_OF("f", "1"), FILE_OF("f", "2") }, { { "f", "file:2" } } },
        { "file becomes directory", NULL,
          { FILE_OF("f", "1"), DIR_OF("f"), FILE_OF("f/g", "2") }, { { "f/g", "file:2" } } },
        { "directory becomes file", NULL,
          { DIR_OF("d"), FILE_OF("d/a/b", "1"), FILE_OF("d", "2") }, { { "d", "file:2" } } },
        { "directory becomes symlink", NULL,
          { DIR_OF("d"), FILE_OF("d/a", "1"), SYM_OF("d", ".."), FILE_OF("d/x", "2") },
          { { "d", "sym:.." }, { "x", "file:2" } } },
        { "directory twice keeps its content", NULL,
          { DIR_OF("d"), FILE_OF("d/a", "1"), DIR_OF("d") }, { { "d/a", "file:1" } } },
        { "a parent is replaced under the writer", NULL,
          { DIR_OF("e"), FILE_OF("d/a", "1"), SYM_OF("d", "e"), FILE_OF("d/b", "2") },
          { { "d", "sym:e" }, { "e/b", "file:2" }, { "e/a", "none" } } },

        /* the root */
        { "root as a file", "root is not a directory", { FILE_OF(".", "x") }, { { 0 } } },
        { "root as a symlink", "root is not a directory", { SYM_OF(".", "/etc") }, { { 0 } } },
        { "root as a hard link", "root is not a directory", { FILE_OF("f", "x"), LINK_OF("/", "f") }, { { 0 } } },

        /* numbers */
        { "negative size", "tar archive", { { .name = "f", .size = "-0000000001" } }, { { 0 } } },
        { "negative size in base 256", "",
          { { .name = "f", .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe" } }, { { 0 } } },
        { "endless size", "", { { .name = "f", .size = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff" } }, { { 0 } } },
        { "long name", NULL, { FILE_OF(A50 "/" A40, "x") }, { { A50 "/" A40, "file:x" } } },
};

static void check(const Runner *r, const char *name, const Expected *e) {
        char path[400], actual[200] = "none", *text = NULL;
        struct stat st;

        snprintf(path, sizeof(path), "diff/%s", e->path);
        if (fstatat(r->stage_fd, path, &st, AT_SYMLINK_NOFOLLOW) >= 0) {
                if (S_ISDIR(st.st_mode))
                        strcpy(actual, "dir");
                else if (S_ISFIFO(st.st_mode))
                        strcpy(actual, "fifo");
                else if (S_ISCHR(st.st_mode))
                        strcpy(actual, st.st_rdev == 0 ? "whiteout" : "device");
                else if (S_ISLNK(st.st_mode)) {
                        strcpy(actual, "sym:");
                        ssize_t n = readlinkat(r->stage_fd, path, actual + 4, sizeof(actual) - 5);
                        actual[4 + MAX_OF(n, 0)] = '\0';
                } else if (fs_read_file(r->stage_fd, path, 100, &text, NULL) >= 0)
                        snprintf(actual, sizeof(actual), "file:%s", text);
        }
        free(text);
        if (!streq(actual, e->what))
                print_error("%s: %s is %s, not %s\n", name, e->path, actual, e->what);
        assert_string_equal(actual, e->what);
}

static void test_cases(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Runner r;
                Tar t;

                tar_begin(&t);
                for (const TarEntry *e = cases[i].entries; e->name; e++)
                        tar_add(&t, e);
                tar_end(&t);
                runner_begin(&r);
                runner_run(&r, "layer", t.data, t.size, i % 2);
                const char *error = runner_error(&r);
                if (!error != !cases[i].error || (error && !strstr(error, cases[i].error)))
                        print_error("%s: %s\n", cases[i].name, error ?: "it was taken");
                assert_int_equal(!error, !cases[i].error);
                if (error)
                        assert_non_null(strstr(error, cases[i].error));
                for (const Expected *e = cases[i].expected; e->path; e++)
                        check(&r, cases[i].name, e);
                assert_true(runner_is_intact(&r));
                runner_end(&r);
                free(t.data);
        }
}

static bool list_has(json_object *report, const char *list, const char *path) {
        json_object *array = json_get(report, list);
        for (size_t i = 0; i < json_object_array_length(array); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(array, i)), path))
                        return true;
        return false;
}

/* Owners, modes, times, attributes, devices, and what is reported. */
static void test_attributes(void **state) {
        static const uint8_t capability[20] = { 1, 0, 0, 2, 0, 4 };
        Runner r;
        Tar t;
        struct stat st;
        char value[64];

        tar_begin(&t);
        tar_add(&t, &(TarEntry){ .name = "./", .type = '5', .mode = 0711, .uid = 7 });
        tar_add(&t, &(TarEntry){ .name = "suid", .data = "x", .mode = 04755, .uid = 1000, .gid = 70000 });
        tar_add(&t, &(TarEntry){ .name = "sgid/", .type = '5', .mode = 02770, .gid = 50 });
        tar_add(&t, &(TarEntry){ .name = "sgid/f", .data = "x", .mode = 0600 });
        tar_add(&t, &(TarEntry){ .name = "sgid/implied/f", .data = "x" });
        tar_add(&t, &(TarEntry){ .name = "link", .type = '2', .link = "x", .uid = 5 });
        tar_add(&t, &(TarEntry){ .name = "null", .type = '3', .major = 1, .minor = 3, .mode = 0666 });
        tar_pax(&t, "SCHILY.xattr.user.keep", "yes", 3);
        tar_add(&t, &(TarEntry){ .name = "x1", .data = "x" });
        tar_pax(&t, "SCHILY.xattr.trusted.overlay.opaque", "y", 1);
        tar_add(&t, &(TarEntry){ .name = "x2/", .type = '5' });
        tar_pax(&t, "SCHILY.xattr.user.overlay.opaque", "y", 1);
        tar_add(&t, &(TarEntry){ .name = "x3/", .type = '5' });
        tar_pax(&t, "SCHILY.xattr.security.capability", capability, sizeof(capability));
        tar_add(&t, &(TarEntry){ .name = "x4", .data = "x", .uid = 3 });
        tar_add(&t, &(TarEntry){ .name = "op/.wh..wh..opq" });
        tar_add(&t, &(TarEntry){ .name = ".wh.again" });
        tar_add(&t, &(TarEntry){ .name = "again/", .type = '5' });
        tar_pax(&t, "path", "caf\xc3\xa9/\xff\x01", 8); /* UTF-8, and then not */
        tar_add(&t, &(TarEntry){ .name = "short", .data = "x" });
        tar_pax(&t, "path", "nul\0byte", 8);
        tar_add(&t, &(TarEntry){ .name = "short", .data = "x" });
        tar_end(&t);
        runner_begin(&r);
        runner_run(&r, "layer", t.data, t.size, false);
        assert_runner_success(&r);

        assert_int_equal(fstatat(r.stage_fd, "diff", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0711);
        assert_int_equal(st.st_uid, 7);
        assert_int_equal(st.st_mtime, 1000000000);
        assert_int_equal(fstatat(r.stage_fd, "diff/suid", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 04755);
        assert_int_equal(st.st_gid, 70000);
        assert_int_equal(st.st_mtime, 1000000000);
        assert_int_equal(fstatat(r.stage_fd, "diff/sgid", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 02770);
        assert_int_equal(st.st_mtime, 1000000000); /* though files were made in it */
        assert_int_equal(fstatat(r.stage_fd, "diff/sgid/f", &st, 0), 0);
        assert_int_equal(st.st_gid, 0);
        assert_int_equal(fstatat(r.stage_fd, "diff/link", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_uid, 5);
        if (fstatat(r.stage_fd, "diff/null", &st, 0) >= 0)
                assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
        else
                assert_int_equal(json_object_get_int(json_get(r.report, "layer.skippedDevices")), 1);

        assert_int_equal(chdir(r.stage), 0);
        if (getxattr("diff/x1", "user.keep", value, sizeof(value)) != 3)
                assert_int_equal(setxattr("diff/x1", "user.try", "", 0, 0), -1); /* only where there are none */
        assert_int_equal(listxattr("diff/x2", value, sizeof(value)), 0);
        assert_int_equal(listxattr("diff/x3", value, sizeof(value)), 0);
        assert_int_equal(getxattr("diff/x4", "security.capability", value, sizeof(value)), 20);
        assert_int_equal(chdir("/"), 0);
        assert_int_equal(fstatat(r.stage_fd, "diff/caf\xc3\xa9/\xff\x01", &st, 0), 0);

        assert_int_equal(json_object_get_int(json_get(r.report, "layer.maxId")), 70000);
        assert_true(list_has(r.report, "layer.opaque", "op"));
        assert_true(list_has(r.report, "layer.opaque", "again"));
        assert_int_equal(json_object_array_length(json_get(r.report, "layer.opaque")), 2);
        assert_true(list_has(r.report, "layer.implicit", "sgid/implied"));
        assert_true(list_has(r.report, "layer.implicit", "op"));
        assert_true(list_has(r.report, "layer.implicit", "caf%C3%A9"));
        assert_false(list_has(r.report, "layer.implicit", "sgid"));
        assert_false(list_has(r.report, "layer.implicit", ""));
        assert_true(runner_is_intact(&r));
        runner_end(&r);
        free(t.data);
}

static char *gzip(const char *data, size_t size, size_t *ret_size) {
        struct isal_zstream z;
        char *out = malloc(size + size / 8 + 1000);

        isal_deflate_init(&z);
        z.end_of_stream = 1;
        z.flush = NO_FLUSH;
        z.gzip_flag = IGZIP_GZIP;
        z.next_in = (uint8_t *) data;
        z.avail_in = (uint32_t) size;
        z.next_out = (uint8_t *) out;
        z.avail_out = (uint32_t) (size + size / 8 + 1000);
        assert_int_equal(isal_deflate(&z), COMP_OK);
        *ret_size = z.total_out;
        return out;
}

/* A layer of pseudo-random text, so that it compresses, but not to nothing. */
static void make_big(Tar *t, size_t size) {
        char *data = malloc(size);
        uint32_t n = 1;

        for (size_t i = 0; i < size; i++)
                data[i] = "abcdefghijklmnop"[(n = n * 1664525 + 1013904223) >> 28];
        tar_begin(t);
        tar_add_bytes(t, "big", data, size);
        tar_end(t);
        free(data);
}

static void expect_big(const Tar *t, const char *input, size_t size, const char *error) {
        OciDigest digest, diff_id;
        Runner r;
        struct stat st;

        assert_int_equal(oci_hash_buffer(input, size, &digest), 0);
        assert_int_equal(oci_hash_buffer(t->data, t->size, &diff_id), 0);
        runner_begin(&r);
        runner_run(&r, "layer", input, size, true);
        if (error) {
                if (!runner_error(&r))
                        print_error("%zu bytes were taken, not refused as %s\n", size, error);
                assert_non_null(runner_error(&r));
                if (!strstr(runner_error(&r), error))
                        print_error("error: %s, not %s\n", runner_error(&r), error);
                assert_non_null(strstr(runner_error(&r), error));
        } else {
                assert_runner_success(&r);
                assert_string_equal(json_get_string(r.report, "digest"), digest.text);
                assert_string_equal(json_get_string(r.report, "diffId"), diff_id.text);
                assert_int_equal(json_object_get_int64(json_get(r.report, "size")), size);
                assert_int_equal(fstatat(r.stage_fd, "diff/big", &st, 0), 0);
                assert_int_equal(st.st_size, json_object_get_int64(json_get(r.report, "layer.size")));
        }
        runner_end(&r);
}

static void test_compression(void **state) {
        size_t gz_size, half_size, rest_size;
        Tar t;

        make_big(&t, 3 << 20);
        char *gz = gzip(t.data, t.size, &gz_size);
        char *zst = malloc(ZSTD_compressBound(t.size));
        ZSTD_CCtx *cctx = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1); /* without it only the digest tells */
        size_t zst_size = ZSTD_compress2(cctx, zst, ZSTD_compressBound(t.size), t.data, t.size);
        ZSTD_freeCCtx(cctx);
        expect_big(&t, t.data, t.size, NULL);
        expect_big(&t, gz, gz_size, NULL);
        expect_big(&t, zst, zst_size, NULL);
        expect_big(&t, gz, gz_size - 1, "cut off");
        expect_big(&t, gz, gz_size / 2, "cut off");
        expect_big(&t, gz, 3, "cut off");
        expect_big(&t, zst, zst_size - 1, "cut off");
        expect_big(&t, zst, zst_size / 2, "cut off");
        expect_big(&t, t.data, t.size / 2, "");

        /* two members, as parallel compressors write them; then zeros; then rubbish */
        char *two = gzip(t.data, t.size / 3, &half_size),
             *rest = gzip(t.data + t.size / 3, t.size - t.size / 3, &rest_size);
        char *joined = calloc(1, half_size + rest_size + 1024);
        memcpy(joined, two, half_size);
        memcpy(joined + half_size, rest, rest_size);
        expect_big(&t, joined, half_size + rest_size, NULL);
        expect_big(&t, joined, half_size + rest_size + 1024, NULL);
        memcpy(joined + half_size + rest_size, "rubbish", 7);
        expect_big(&t, joined, half_size + rest_size + 7, "follows the gzip data");

        gz[gz_size - 6] ^= 1; /* its checksum */
        expect_big(&t, gz, gz_size, "damaged");
        gz[gz_size - 6] ^= 1;
        gz[gz_size / 2] ^= 1;
        expect_big(&t, gz, gz_size, "damaged");
        zst[zst_size / 2] ^= 1;
        expect_big(&t, zst, zst_size, "damaged");
        expect_big(&t, "\xfd" "7zXZ\0 and so on", 12, "xz");
        expect_big(&t, "BZh91AY", 7, "bzip2");
        expect_big(&t, "rubbish", 7, "tar archive");
        free(joined);
        free(two);
        free(rest);
        free(gz);
        free(zst);
        free(t.data);
}

static void test_no_entries(void **state) {
        static const char zeros[1024];

        for (size_t size = 0; size <= sizeof(zeros); size += sizeof(zeros)) {
                Runner r;
                runner_begin(&r);
                runner_run(&r, "layer", zeros, size, false);
                assert_runner_success(&r);
                assert_int_equal(json_object_get_int(json_get(r.report, "layer.entries")), 0);
                assert_true(list_has(r.report, "layer.implicit", "")); /* the root is the lower layer's */
                runner_end(&r);
        }
}

/* Many and deep: bounded, and gone through in a time that grows with the archive only. */
static void test_many(void **state) {
        char name[4096];
        struct stat st;
        Runner r;
        Tar t;

        tar_begin(&t);
        for (unsigned i = 0; i < 100000; i++) {
                snprintf(name, sizeof(name), "d%u/f%u", i % 100, i);
                tar_add(&t, &(TarEntry){ .name = name });
        }
        tar_end(&t);
        runner_begin(&r);
        runner_run(&r, "layer", t.data, t.size, true);
        assert_runner_success(&r);
        assert_int_equal(json_object_get_int(json_get(r.report, "layer.entries")), 100000);
        assert_int_equal(json_object_array_length(json_get(r.report, "layer.implicit")), 101);
        assert_int_equal(fstatat(r.stage_fd, "diff/d99/f99999", &st, 0), 0);
        runner_end(&r);
        free(t.data);
}

static void test_deep(void **state) {
        static const struct {
                size_t size;
                const char *error;
        } rows[] = {
                { 4094, NULL },              /* 2047 directories */
                { 4100, "longer than 4095" },
                { 100000, "longer than 4095" },
        };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                char *path = malloc(rows[i].size);
                Runner r;
                Tar t;

                for (size_t k = 0; k < rows[i].size; k++)
                        path[k] = k % 2 ? '/' : 'a';
                path[rows[i].size - 1] = 'f';
                tar_begin(&t);
                tar_pax(&t, "path", path, rows[i].size);
                tar_add(&t, &(TarEntry){ .name = "f", .data = "x" });
                tar_end(&t);
                runner_begin(&r);
                runner_run(&r, "layer", t.data, t.size, false);
                if (rows[i].error) {
                        assert_non_null(runner_error(&r));
                        assert_non_null(strstr(runner_error(&r), rows[i].error));
                } else
                        assert_runner_success(&r);
                runner_end(&r); /* and it can be removed */
                free(t.data);
                free(path);
        }
}

/* GNU's sparse format 1.0: the map stands before the data. Holes stay holes, and no size is believed. */
static void test_sparse(void **state) {
        static const struct {
                const char *real_size, *map;
                const char *error;
        } rows[] = {
                { "1073741824",           "1\n1073741820\n4\n", NULL  },
                { "9223372036854775807",  "1\n0\n4\n",          ""    },
                { "17592186044417",       "1\n0\n4\n",          "claims a size" },
                { "100",                  "1\n200\n4\n",        "" },
        };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                char data[516] = { 0 };
                struct stat st;
                Runner r;
                Tar t;

                strcpy(data, rows[i].map);
                memcpy(data + 512, "tail", 4);
                char pax[512];
                int n = 0;
                const char *keys[][2] = { { "GNU.sparse.major", "1" }, { "GNU.sparse.minor", "0" },
                                          { "GNU.sparse.name", "sparse" },
                                          { "GNU.sparse.realsize", rows[i].real_size } };
                for (size_t k = 0; k < N_ELEMENTS(keys); k++) {
                        int size = (int) (strlen(keys[k][0]) + strlen(keys[k][1]) + 3) + 2;
                        n += sprintf(pax + n, "%i %s=%s\n", size, keys[k][0], keys[k][1]);
                }
                tar_begin(&t);
                tar_header(&t, &(TarEntry){ .name = "pax", .type = 'x' }, (size_t) n);
                tar_data(&t, pax, (size_t) n);
                tar_add_bytes(&t, "GNUSparseFile.0/sparse", data, sizeof(data));
                tar_end(&t);
                runner_begin(&r);
                runner_run(&r, "layer", t.data, t.size, false);
                if (rows[i].error) {
                        assert_non_null(runner_error(&r));
                        assert_non_null(strstr(runner_error(&r), rows[i].error));
                } else {
                        assert_runner_success(&r);
                        assert_int_equal(fstatat(r.stage_fd, "diff/sparse", &st, 0), 0);
                        assert_int_equal(st.st_size, 1073741824);
                        assert_true(st.st_blocks < 1000);
                }
                runner_end(&r);
                free(t.data);
        }
}

/* A full disk is said as such. */
static void test_no_space(void **state) {
        struct stat st;
        Runner r;
        Tar t;

        make_big(&t, 3 << 20);
        runner_begin(&r);
        char path[128];
        snprintf(path, sizeof(path), "%s/small", r.stage);
        if (mkdir(path, 0700) < 0 || system("true") != 0)
                fail();
        snprintf(path, sizeof(path), "mount -t tmpfs -o size=1M tmpfs %s 2>/dev/null", r.stage);
        if (system(path) != 0) {
                runner_end(&r);
                free(t.data);
                skip();
        }
        runner_run(&r, "layer", t.data, t.size, false);
        assert_non_null(strstr(runner_error(&r), "big: No space left on device"));
        assert_int_equal(json_object_get_int(json_get(r.report, "errno")), ENOSPC);
        snprintf(path, sizeof(path), "umount %s", r.stage);
        assert_int_equal(system(path), 0);
        assert_int_equal(fstatat(r.stage_fd, "small", &st, 0), 0);
        runner_end(&r);
        free(t.data);
}

static void test_escape(void **state) {
        static const char *const paths[] = { "", "usr/bin", "a b", "caf\xc3\xa9", "%41", "\x01\x7f\xff", "a\"b\\c" };

        for (size_t i = 0; i < N_ELEMENTS(paths); i++) {
                _cleanup_free_ char *text = NULL, *path = NULL;
                assert_int_equal(layer_path_escape(paths[i], &text), 0);
                for (const char *p = text; *p; p++)
                        assert_true(*p > ' ' && *p < 0x7f);
                assert_int_equal(layer_path_unescape(text, &path), 0);
                assert_string_equal(path, paths[i]);
        }
        char *path;
        assert_int_equal(layer_path_unescape("a%", &path), -EINVAL);
        assert_int_equal(layer_path_unescape("a%4", &path), -EINVAL);
        assert_int_equal(layer_path_unescape("a%zz", &path), -EINVAL);
        assert_int_equal(layer_path_unescape("a%00b", &path), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escape),   cmocka_unit_test(test_cases), cmocka_unit_test(test_attributes),
                cmocka_unit_test(test_compression), cmocka_unit_test(test_no_entries), cmocka_unit_test(test_many),
                cmocka_unit_test(test_deep),     cmocka_unit_test(test_sparse), cmocka_unit_test(test_no_space),
        };

        if (geteuid() != 0) {
                printf("not root: files cannot be given to others\n");
                return 77;
        }
        umask(022);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

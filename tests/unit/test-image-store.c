/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image store, with load and import on top of it. The workers are processes of this test instead of units: it
 * stands in for the unit manager. Needs root, for the owners of files and for trusted attributes. */
#include <dirent.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/xattr.h>

#include <cmocka.h>

#include "archive-maker.h"
#include "image/changes.h"
#include "image/image-load.h"
#include "unpack-runner.h"
#include "util/strv.h"

/* --- What stands in for src/unit --- */

struct UnitJob {
        UnitDone done;
        void *userdata;
        pid_t pid; /* 0: a stop */
        bool forgotten;
};

static UnitJob *jobs[64];
static size_t n_jobs, n_started, n_stopped;
static bool workers_die;

static UnitJob *add_job(UnitDone done, void *userdata, pid_t pid) {
        UnitJob *job = calloc(1, sizeof(UnitJob));

        assert_true(n_jobs < N_ELEMENTS(jobs));
        *job = (UnitJob){ .done = done, .userdata = userdata, .pid = pid };
        jobs[n_jobs++] = job;
        return job;
}

int unit_start(UnitManager *m, const TransientUnit *unit, uint64_t timeout_usec, UnitDone done, void *userdata,
               UnitJob **ret_job) {
        assert_string_equal(strrchr(unit->command[0], '/'), "/berth-unpack");
        assert_string_equal(unit->command[2], unit->write_paths[0]);
        assert_null(unit->write_paths[1]);
        n_started++;
        pid_t pid = fork();
        if (pid == 0) {
                if (workers_die)
                        _exit(9);
                dup2(unit->stdin_fd, STDIN_FILENO);
                dup2(unit->stdout_fd, STDOUT_FILENO);
                _exit(unpack_run((int) strv_length(unit->command), (char **) unit->command));
        }
        *ret_job = add_job(done, userdata, pid);
        return 0;
}

int unit_stop(UnitManager *m, const char *name, uint64_t timeout_usec, UnitDone done, void *userdata,
              UnitJob **ret_job) {
        n_stopped++;
        return 0;
}

void unit_job_forget(UnitJob *job) {
        job->forgotten = true;
}

/* The event loop: lets what was started end, and tells. */
static void run_jobs(void) {
        while (n_jobs > 0) {
                UnitJob *job = jobs[0];
                int status;

                memmove(jobs, jobs + 1, --n_jobs * sizeof(jobs[0]));
                assert_int_equal(waitpid(job->pid, &status, 0), job->pid);
                bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
                if (!job->forgotten)
                        job->done(good ? 0 : -EIO, good ? NULL : "exit status", job->userdata);
                free(job);
        }
}

/* --- The store under test --- */

static char top[64];
static ImageStore *store;
static char *events; /* "add ID4;tag NAME;…" */

static void on_change(ImageChange change, const Image *image, const char *reference, void *userdata) {
        static const char *const names[] = { "add", "tag", "untag", "delete" };
        char *more;

        assert_true(asprintf(&more, "%s%s %s;", events ?: "", names[change], reference ?: "") > 0);
        free(events);
        events = more;
}

static void expect_events(const char *expected) {
        assert_string_equal(events ?: "", expected);
        free(events);
        events = NULL;
}

static void open_store(void) {
        assert_int_equal(image_store_new(top, &store), 0);
        image_store_watch(store, on_change, NULL);
}

static void reopen_store(void) {
        image_store_free(store);
        open_store();
}

static int setup(void **state) {
        strcpy(top, "/var/tmp/berth-store.XXXXXX"); /* trusted.* attributes want a real file system */
        assert_non_null(mkdtemp(top));
        open_store();
        return 0;
}

static int teardown(void **state) {
        store = image_store_free(store);
        free(events);
        events = NULL;
        return fs_remove_tree(AT_FDCWD, top);
}

static size_t count(const char *directory) {
        char path[256];
        size_t n = 0;

        snprintf(path, sizeof(path), "%s/%s", top, directory);
        DIR *d = opendir(path);
        assert_non_null(d);
        for (struct dirent *e; (e = readdir(d));)
                n += e->d_name[0] != '.';
        closedir(d);
        return n;
}

static struct stat stat_in(const char *format, ...) _printf_(1, 2);
static struct stat stat_in(const char *format, ...) {
        char path[512];
        struct stat st = { 0 };
        va_list ap;

        int n = snprintf(path, sizeof(path), "%s/", top);
        va_start(ap, format);
        vsnprintf(path + n, sizeof(path) - (size_t) n, format, ap);
        va_end(ap);
        if (lstat(path, &st) < 0)
                st.st_nlink = 0;
        return st;
}

/* --- Jobs --- */

typedef struct Outcome {
        int calls, result;
        char text[512], names[512]; /* "NAME NAME" */
} Outcome;

static void on_done(int result, const char *text, const ImageLoaded *loaded, size_t n_loaded, void *userdata) {
        Outcome *o = userdata;

        o->calls++;
        o->result = result;
        snprintf(o->text, sizeof(o->text), "%s", text ?: "");
        o->names[0] = '\0';
        for (size_t i = 0; i < n_loaded; i++) {
                assert_int_equal(strlen(loaded[i].id), 64);
                snprintf(o->names + strlen(o->names), sizeof(o->names) - strlen(o->names), "%s%s", i > 0 ? " " : "",
                         loaded[i].reference[0] ? loaded[i].reference : "-");
        }
}

static int make_fd(const Tar *t) {
        int fd = memfd_create("archive", MFD_CLOEXEC);
        assert_int_equal(fd_write_all(fd, t->data, t->size), 0);
        lseek(fd, 0, SEEK_SET);
        return fd;
}

static Outcome load(Tar *t) {
        Outcome o = { 0 };
        ImageJob *job;
        int fd = make_fd(t);

        assert_int_equal(image_load_start(store, NULL, fd, on_done, &o, &job), 0);
        close(fd);
        run_jobs();
        assert_int_equal(o.calls, 1);
        image_job_free(job);
        assert_int_equal(count("staging"), 0); /* whatever happened */
        free(t->data);
        return o;
}

static Outcome import(Tar *t, const char *reference, char *const *changes) {
        Outcome o = { 0 };
        ImageJob *job = NULL;
        char *error;
        int fd = make_fd(t);

        int r = image_import_start(store, NULL, fd, reference, changes, "for a test", on_done, &o, &job, &error);
        close(fd);
        free(t->data);
        if (r < 0) {
                o.result = r;
                snprintf(o.text, sizeof(o.text), "%s", error ?: "");
                free(error);
        } else {
                run_jobs();
                assert_int_equal(o.calls, 1);
        }
        image_job_free(job);
        assert_int_equal(count("staging"), 0);
        return o;
}

static Outcome load_image(const TestImage *image) {
        Tar t;

        tar_begin(&t);
        test_image_add_oci(&t, image);
        tar_end(&t);
        return load(&t);
}

static const Image *find(const char *text) {
        const Image *image = NULL;
        int r = image_store_find(store, text, &image);

        assert_true(r == 0 || !image);
        return image;
}

static void test_load(void **state) {
        TestImage image;
        char path[256];

        test_image_make(&image, "etc/hello", "hello");
        n_started = 0;
        Outcome o = load_image(&image);
        assert_int_equal(o.result, 0);
        assert_string_equal(o.names, "docker.io/library/test:1");
        assert_int_equal(n_started, 2);
        expect_events("add ;tag docker.io/library/test:1;");

        const Image *i = find("test:1");
        assert_non_null(i);
        assert_string_equal(i->id, oci_digest_hex(&image.config.digest));
        assert_string_equal(i->manifest, image.manifest.digest.text);
        assert_int_equal(i->size, 5);
        assert_int_equal(i->created_usec, 1577836800000000);
        assert_string_equal(i->layers[0], oci_digest_hex(&image.layer.digest));
        assert_int_equal(stat_in("layers/%s/diff/etc/hello", i->layers[0]).st_size, 5);
        assert_int_equal(stat_in("layers/%s/diff/etc", i->layers[0]).st_gid, 8);
        assert_int_equal(stat_in("oci/blobs/sha256/%s", i->id).st_size, image.config.size);
        _cleanup_free_ char *paths = NULL;
        assert_int_equal(image_store_layer_paths(store, i, &paths), 0);
        snprintf(path, sizeof(path), "%s/layers/%s/diff:%s/base", top, i->layers[0], top);
        assert_string_equal(paths, path);
        assert_int_equal(stat_in("base/etc/hosts").st_mode, S_IFREG | 0644);
        assert_int_equal(stat_in("base/proc").st_mode, S_IFDIR | 0755);

        /* once more: one worker looks at it, and nothing is unpacked or added */
        o = load_image(&image);
        assert_int_equal(o.result, 0);
        assert_int_equal(n_started, 3);
        expect_events("");
        test_image_clear(&image);
}

static void test_reopen(void **state) {
        TestImage image;

        test_image_make(&image, "etc/hello", "hello");
        assert_int_equal(load_image(&image).result, 0);
        assert_int_equal(image_store_tag(store, find("test:1"), "other"), 0);
        reopen_store();
        const Image *i = find("other:latest");
        assert_non_null(i);
        assert_ptr_equal(i, find("test:1"));
        assert_int_equal(i->size, 5);
        assert_int_equal(strv_length(i->references), 2);
        assert_null(image_store_next(store, i));

        /* what a crash leaves: staged files, a blob and a layer without a record, a record half written */
        char path[1024];
        snprintf(path, sizeof(path),
                 "cd %s; mkdir -p staging/x/y layers/%064d/diff; "
                 "echo >oci/blobs/sha256/%064d; echo >images/a.json.1.2.new",
                 top, 1, 2);
        assert_int_equal(system(path), 0);
        reopen_store();
        assert_int_equal(count("staging"), 0);
        assert_int_equal(count("layers"), 1);
        assert_int_equal(count("oci/blobs/sha256"), 3);
        assert_int_equal(count("images"), 1);
        assert_non_null(find("test:1"));

        /* an index that cannot be read costs names, not images */
        snprintf(path, sizeof(path), "echo '{' >%s/oci/index.json", top);
        assert_int_equal(system(path), 0);
        reopen_store();
        assert_null(find("test:1"));
        assert_non_null(find(oci_digest_hex(&image.config.digest)));

        /* a record that cannot be read costs that image, and nothing of it is swept up */
        snprintf(path, sizeof(path), "echo '{' >%s/images/%s.json", top, oci_digest_hex(&image.config.digest));
        assert_int_equal(system(path), 0);
        reopen_store();
        assert_null(image_store_next(store, NULL));
        assert_int_equal(count("layers"), 1);
        assert_int_equal(count("oci/blobs/sha256"), 3);
        test_image_clear(&image);
}

static void test_find(void **state) {
        TestImage image;
        const Image *found;
        char text[200];

        test_image_make(&image, "etc/hello", "hello");
        assert_int_equal(load_image(&image).result, 0);
        const char *hex = oci_digest_hex(&image.config.digest);
        assert_non_null(find("docker.io/library/test:1"));
        assert_non_null(find(hex));
        assert_non_null(find(image.config.digest.text));
        snprintf(text, sizeof(text), "%.12s", hex);
        assert_non_null(find(text));
        snprintf(text, sizeof(text), "sha256:%.3s", hex);
        assert_non_null(find(text));
        stpcpy(stpcpy(text, "test@"), image.manifest.digest.text);
        assert_non_null(find(text));
        stpcpy(stpcpy(text, "other@"), image.manifest.digest.text);
        assert_int_equal(image_store_find(store, text, &found), -ENOENT);
        assert_int_equal(image_store_find(store, "test", &found), -ENOENT); /* that is test:latest */
        assert_int_equal(image_store_find(store, "nope", &found), -ENOENT);
        assert_int_equal(image_store_find(store, "No pe", &found), -EINVAL);
        assert_int_equal(image_store_find(store, "", &found), -EINVAL);
        assert_int_equal(image_store_find(store, "sha256:", &found), -EINVAL);
        assert_int_equal(image_store_find(store, "sha256:0000", &found), -ENOENT);

        /* a name that reads like an id wins over the id; a prefix of two ids is neither */
        snprintf(text, sizeof(text), "%.6s", hex);
        TestImage second;
        for (unsigned n = 0;; n++) { /* until their ids begin with the same digit */
                char content[20];
                snprintf(content, sizeof(content), "hello %u", n);
                test_image_make(&second, "etc/hello", content);
                if (oci_digest_hex(&second.config.digest)[0] == hex[0])
                        break;
                test_image_clear(&second);
        }
        assert_int_equal(load_image(&second).result, 0);
        snprintf(text, sizeof(text), "%.1s", hex);
        assert_int_equal(image_store_find(store, text, &found), -ENOTUNIQ);
        snprintf(text, sizeof(text), "%.12s", hex);
        assert_int_equal(image_store_tag(store, find("test:1"), text), 0);
        assert_string_equal(find(text)->id, oci_digest_hex(&second.config.digest));
        test_image_clear(&second);
        test_image_clear(&image);
}

static void test_tags(void **state) {
        TestImage one, two;

        test_image_make(&one, "etc/hello", "one");
        test_image_make(&two, "etc/hello", "two");
        assert_int_equal(load_image(&one).result, 0);
        const Image *first = find("test:1");
        assert_int_equal(load_image(&two).result, 0); /* takes the name over */
        expect_events(
                "add ;tag docker.io/library/test:1;add ;untag docker.io/library/test:1;tag docker.io/library/test:1;");
        assert_string_equal(find("test:1")->id, oci_digest_hex(&two.config.digest));
        assert_int_equal(strv_length(first->references), 0);
        assert_int_equal(image_store_tag(store, first, "A"), -EINVAL);
        assert_int_equal(image_store_tag(store, first, "a@" OCI_DIGEST_PREFIX "0"), -EINVAL);
        char *const moved[] = { (char *) "test:1", (char *) "A", NULL };
        assert_int_equal(image_store_tag_all(store, first, moved), -EINVAL);
        assert_string_equal(find("test:1")->id, oci_digest_hex(&two.config.digest)); /* all or none */
        assert_int_equal(image_store_untag(store, "gone"), -ENOENT);
        assert_int_equal(image_store_untag(store, "test:1"), 0);
        expect_events("untag docker.io/library/test:1;");
        reopen_store();
        assert_null(find("test:1"));
        assert_int_equal(count("images"), 2); /* without a name, and still there */
        test_image_clear(&one);
        test_image_clear(&two);
}

/* Two images on one layer: what is shared stays until the last one goes. */
static void test_delete(void **state) {
        TestImage image, derived;
        Blob upper;
        Tar t;

        test_image_make(&image, "etc/hello", "hello");
        assert_int_equal(load_image(&image).result, 0);

        /* its second layer has files below directories that it does not list, and removes things */
        tar_begin(&t);
        tar_add(&t, &(TarEntry){ .name = "etc/more", .data = "m" });
        tar_add(&t, &(TarEntry){ .name = "new/deep/f", .data = "f" });
        tar_add(&t, &(TarEntry){ .name = "opt/.wh..wh..opq" });
        tar_end(&t);
        blob_set(&upper, t.data, t.size);
        test_image_make(&derived, "etc/hello", "hello");
        free(derived.config.data);
        blob_printf(&derived.config, "{\"rootfs\":{\"diff_ids\":[\"%s\",\"%s\"]}}", image.layer.digest.text,
                    upper.digest.text);
        tar_begin(&t);
        tar_add_bytes(&t, "config.json", derived.config.data, derived.config.size);
        tar_add_bytes(&t, "1.tar", image.layer.data, image.layer.size);
        tar_add_bytes(&t, "2.tar", upper.data, upper.size);
        tar_add_text(&t, "manifest.json",
                     "[{\"Config\":\"config.json\",\"RepoTags\":[\"derived\"],\"Layers\":[\"1.tar\",\"2.tar\"]}]");
        tar_end(&t);
        n_started = 0;
        assert_int_equal(load(&t).result, 0);
        assert_int_equal(n_started, 2); /* one layer was there */
        const Image *i = find("derived");
        assert_int_equal(i->size, 7);
        assert_int_equal(count("layers"), 2);
        /* etc is the lower layer's directory, new is nobody's */
        assert_int_equal(stat_in("layers/%s/diff/etc", i->layers[1]).st_mode & 07777, 0750);
        assert_int_equal(stat_in("layers/%s/diff/etc", i->layers[1]).st_gid, 8);
        assert_int_equal(stat_in("layers/%s/diff/etc", i->layers[1]).st_mtime, 1000000000);
        assert_int_equal(stat_in("layers/%s/diff/new/deep", i->layers[1]).st_mode & 07777, 0755);
        char path[256], value[8];
        snprintf(path, sizeof(path), "%s/layers/%s/diff/opt", top, i->layers[1]);
        assert_int_equal(lgetxattr(path, "trusted.overlay.opaque", value, sizeof(value)), 1);

        assert_int_equal(image_store_delete(store, oci_digest_hex(&image.config.digest)), 0);
        assert_null(find("test:1"));
        assert_int_equal(count("layers"), 2); /* the other image stands on both */
        assert_int_equal(count("oci/blobs/sha256"), 4);
        i = find("derived");
        assert_int_equal(stat_in("layers/%s/diff/etc/hello", i->layers[0]).st_size, 5);
        reopen_store();
        i = find("derived");
        assert_int_equal(image_store_delete(store, i->id), 0);
        expect_events("add ;tag docker.io/library/test:1;add ;tag docker.io/library/derived:latest;"
                      "untag docker.io/library/test:1;delete ;untag docker.io/library/derived:latest;delete ;");
        assert_int_equal(count("layers"), 0);
        assert_int_equal(count("oci/blobs/sha256"), 0);
        assert_int_equal(count("images"), 0);
        assert_true(count("trash") >= 2);
        assert_int_equal(image_store_delete(store, oci_digest_hex(&image.config.digest)), -ENOENT);
        test_image_clear(&image);
        test_image_clear(&derived);
        free(upper.data);
}

static void test_import(void **state) {
        char *const changes[] = { (char *) "CMD echo $HOME", (char *) "env A=1 B=\"x y\"", NULL };
        Tar t;

        tar_begin(&t);
        tar_add(&t, &(TarEntry){ .name = "bin/sh", .data = "#!", .mode = 0755 });
        tar_end(&t);
        Outcome o = import(&t, "mine", changes);
        assert_int_equal(o.result, 0);
        assert_string_equal(o.names, "docker.io/library/mine:latest");
        const Image *i = find("mine");
        assert_string_equal(json_object_get_string(json_object_array_get_idx(json_get(i->record, "config.Cmd"), 2)),
                            "echo $HOME");
        assert_string_equal(json_object_get_string(json_object_array_get_idx(json_get(i->record, "config.Env"), 1)),
                            "B=x y");
        assert_string_equal(json_get_string(json_object_array_get_idx(json_get(i->record, "history"), 0), "comment"),
                            "for a test");
        assert_int_equal(stat_in("layers/%s/diff/bin/sh", i->layers[0]).st_mode & 07777, 0755);
        assert_true(i->created_usec > 1600000000000000);
        reopen_store();
        assert_non_null(find("mine"));

        tar_begin(&t);
        tar_end(&t);
        assert_int_equal(import(&t, NULL, NULL).result, 0); /* nothing in it, and no name */
        assert_int_equal(count("images"), 2);

        tar_begin(&t);
        tar_end(&t);
        o = import(&t, "Mine", NULL);
        assert_int_equal(o.result, -EINVAL);
        assert_non_null(strstr(o.text, "lower case"));
        tar_begin(&t);
        tar_end(&t);
        o = import(&t, "x", (char *const[]){ (char *) "RUN x", NULL });
        assert_int_equal(o.result, -EINVAL);
        assert_non_null(strstr(o.text, "RUN x"));
}

/* Whatever is wrong: one line, nothing added, nothing left. */
static void test_refused(void **state) {
        TestImage image;
        Tar t;

        test_image_make(&image, "etc/hello", "hello");
        /* the layer is named by its digest rightly, but the configuration wants another content: seen only when it
         * is unpacked */
        Blob gz, config, manifest;
        char *copy = malloc(image.layer.size + 1);
        memcpy(copy, image.layer.data, image.layer.size);
        blob_set(&gz, copy, image.layer.size);
        blob_printf(&config, "{\"rootfs\":{\"diff_ids\":[\"sha256:%064d\"]}}", 7);
        blob_printf(&manifest,
                    "{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\""
                    MEDIA_OCI_LAYER "+gzip\",\"digest\":\"%s\",\"size\":%zu}]}",
                    config.digest.text, config.size, gz.digest.text, gz.size);
        free(image.index.data);
        blob_printf(&image.index,
                    "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
                    "\",\"digest\":\"%s\",\"size\":%zu}]}",
                    manifest.digest.text, manifest.size);
        tar_begin(&t);
        tar_add_blob(&t, &gz);
        tar_add_blob(&t, &config);
        tar_add_blob(&t, &manifest);
        tar_add_bytes(&t, "index.json", image.index.data, image.index.size);
        tar_end(&t);
        Outcome o = load(&t);
        assert_int_equal(o.result, -EBADMSG);
        assert_non_null(strstr(o.text, "but the image's configuration names"));

        /* a layer that climbs */
        TestImage climbing;
        test_image_make(&climbing, "../../../../canary", "no");
        o = load_image(&climbing);
        assert_int_equal(o.result, -EBADMSG);
        assert_non_null(strstr(o.text, "climbs"));
        test_image_clear(&climbing);

        tar_begin(&t);
        tar_add_text(&t, "rubbish", "x");
        tar_end(&t);
        o = load(&t);
        assert_int_equal(o.result, -EBADMSG);

        workers_die = true;
        o = load_image(&image);
        workers_die = false;
        assert_int_equal(o.result, -EIO);
        assert_non_null(strstr(o.text, "journalctl"));

        assert_null(image_store_next(store, NULL));
        assert_int_equal(count("layers"), 0);
        assert_int_equal(count("oci/blobs/sha256"), 0);
        assert_int_equal(count("images"), 0);
        expect_events("");
        test_image_clear(&image);
        free(gz.data);
        free(config.data);
        free(manifest.data);
}

static void test_cancel(void **state) {
        TestImage image;
        Outcome o = { 0 };
        ImageJob *job;
        Tar t;

        test_image_make(&image, "etc/hello", "hello");
        tar_begin(&t);
        test_image_add_oci(&t, &image);
        tar_end(&t);
        int fd = make_fd(&t);
        n_stopped = 0;
        assert_int_equal(image_load_start(store, NULL, fd, on_done, &o, &job), 0);
        image_job_free(job);
        assert_int_equal(n_stopped, 1);
        assert_int_equal(count("staging"), 0);
        run_jobs();
        assert_int_equal(o.calls, 0);
        close(fd);
        free(t.data);
        test_image_clear(&image);
}

/* Ends the oldest worker, and tells. */
static void end_first_job(void) {
        UnitJob *job = jobs[0];
        int status;

        memmove(jobs, jobs + 1, --n_jobs * sizeof(jobs[0]));
        assert_int_equal(waitpid(job->pid, &status, 0), job->pid);
        job->done(0, NULL, job->userdata);
        free(job);
}

/* The layer goes while an archive that needs it is on its way. */
static void test_layer_removed_meanwhile(void **state) {
        TestImage image;
        Outcome o = { 0 };
        ImageJob *job;
        Tar t;

        test_image_make(&image, "etc/hello", "hello");
        assert_int_equal(load_image(&image).result, 0);
        tar_begin(&t);
        tar_add_bytes(&t, "config.json", "{\"rootfs\":{\"diff_ids\":[", 0);
        tar_add_bytes(&t, "1.tar", image.layer.data, image.layer.size);
        Blob config;
        blob_printf(&config, "{\"author\":\"other\",\"rootfs\":{\"diff_ids\":[\"%s\",\"%s\"]}}",
                    image.layer.digest.text, image.layer.digest.text);
        tar_add_bytes(&t, "config.json", config.data, config.size);
        tar_add_text(&t, "manifest.json", "[{\"Config\":\"config.json\",\"Layers\":[\"1.tar\",\"1.tar\"]}]");
        tar_end(&t);
        int fd = make_fd(&t);
        assert_int_equal(image_load_start(store, NULL, fd, on_done, &o, &job), 0);
        assert_int_equal(n_jobs, 1);
        end_first_job(); /* the archive is taken apart: only the upper layer is planned */
        assert_int_equal(n_jobs, 1);
        assert_int_equal(image_store_delete(store, oci_digest_hex(&image.config.digest)), 0);
        run_jobs();
        assert_int_equal(o.calls, 1);
        assert_int_equal(o.result, -ESTALE);
        image_job_free(job);
        reopen_store();
        assert_null(image_store_next(store, NULL));
        assert_int_equal(count("layers"), 0);
        close(fd);
        free(t.data);
        free(config.data);
        test_image_clear(&image);
}

/* A worker that somebody took over left a link where the layer's tree should be: mounted, it would be the host. */
static void test_link_instead_of_layer(void **state) {
        TestImage image;
        Outcome o = { 0 };
        ImageJob *job;
        glob_t found;
        char pattern[256];
        siginfo_t ended;
        Tar t;

        test_image_make(&image, "etc/hello", "hello");
        tar_begin(&t);
        test_image_add_oci(&t, &image);
        tar_end(&t);
        int fd = make_fd(&t);
        assert_int_equal(image_load_start(store, NULL, fd, on_done, &o, &job), 0);
        end_first_job();
        assert_int_equal(n_jobs, 1);
        assert_int_equal(waitid(P_PID, (id_t) jobs[0]->pid, &ended, WEXITED | WNOWAIT), 0);
        snprintf(pattern, sizeof(pattern), "%s/staging/*/layers/*/diff", top);
        assert_int_equal(glob(pattern, 0, NULL, &found), 0);
        assert_int_equal(found.gl_pathc, 1);
        snprintf(pattern, sizeof(pattern), "%s.away", found.gl_pathv[0]);
        assert_int_equal(rename(found.gl_pathv[0], pattern), 0);
        assert_int_equal(symlink("/", found.gl_pathv[0]), 0);
        globfree(&found);
        end_first_job();
        assert_int_equal(o.calls, 1);
        assert_int_equal(o.result, -ENOTDIR);
        image_job_free(job);
        assert_null(find("test:1"));
        assert_int_equal(count("layers"), 0);
        close(fd);
        free(t.data);
        test_image_clear(&image);
}

/* --- Instructions --- */

static void test_changes(void **state) {
        static const struct {
                const char *change, *json; /* NULL: refused */
        } cases[] = {
                { "CMD echo hi",               "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo hi\"]}"  },
                { "cmd [\"a\", \"b c\"]",      "{\"Cmd\":[\"a\",\"b c\"]}"                   },
                { "CMD [\"a\", 5]",            "{\"Cmd\":[\"/bin/sh\",\"-c\",\"[\\\"a\\\", 5]\"]}" },
                { "CMD []",                    "{}"                                          },
                { "ENTRYPOINT [\"/x\"]",       "{\"Entrypoint\":[\"/x\"]}"                   },
                { "ENV A=1 B='2 3' C=a\\ b",   "{\"Env\":[\"A=1\",\"B=2 3\",\"C=a b\"]}"     },
                { "ENV A  one two",            "{\"Env\":[\"A=one two\"]}"                   },
                { "ENV A=",                    "{\"Env\":[\"A=\"]}"                          },
                { "ENV A=x$B${C:-d}\\$e",      "{\"Env\":[\"A=xd$e\"]}"                      },
                { "ENV A",                     NULL },
                { "ENV A=1 B",                 NULL },
                { "ENV =1",                    NULL },
                { "ENV A='x",                  NULL },
                { "ENV A=${B",                 NULL },
                { "LABEL a.b=\"c d\" \"e f\"=g", "{\"Labels\":{\"a.b\":\"c d\",\"e f\":\"g\"}}" },
                { "EXPOSE 80",                 "{\"ExposedPorts\":{\"80/tcp\":{}}}"          },
                { "EXPOSE 1-2/UDP 80 80/tcp",  "{\"ExposedPorts\":{\"1/udp\":{},\"2/udp\":{},\"80/tcp\":{}}}" },
                { "EXPOSE 70000",              NULL },
                { "EXPOSE 2-1",                NULL },
                { "EXPOSE 1-65535",            NULL },
                { "EXPOSE 80/icmp",            NULL },
                { "EXPOSE -1",                 NULL },
                { "EXPOSE x",                  NULL },
                { "VOLUME /a /b",              "{\"Volumes\":{\"/a\":{},\"/b\":{}}}"         },
                { "VOLUME [\"/a b\"]",         "{\"Volumes\":{\"/a b\":{}}}"                 },
                { "VOLUME [\"\"]",             NULL },
                { "USER 1000:50",              "{\"User\":\"1000:50\"}"                      },
                { "USER a b",                  NULL },
                { "WORKDIR /a",                "{\"WorkingDir\":\"/a\"}"                     },
                { "WORKDIR a",                 "{\"WorkingDir\":\"/a\"}"                     },
                { "STOPSIGNAL SIGINT",         "{\"StopSignal\":\"SIGINT\"}"                 },
                { "STOPSIGNAL 999",            NULL },
                { "STOPSIGNAL NOPE",           NULL },
                { "ONBUILD RUN x",             "{\"OnBuild\":[\"RUN x\"]}"                   },
                { "CMD",                       NULL },
                { "CMD ",                      NULL },
                { "",                          NULL },
                { "RUN x",                     NULL },
                { "CMDX x",                    NULL },
                { "FROM scratch",              NULL },
                { "ENV A=1\nCMD x",            NULL },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(oci_run_config_clear) OciRunConfig c = { 0 };
                char *const list[] = { (char *) cases[i].change, NULL };
                _cleanup_free_ char *error = NULL;
                int r = changes_apply(list, &c, &error);

                if (r < 0 || !cases[i].json) {
                        if ((r < 0) != !cases[i].json)
                                print_error("%s: %s\n", cases[i].change, error ?: "it was taken");
                        assert_true(r < 0 && !cases[i].json);
                        assert_non_null(error);
                        continue;
                }
                _cleanup_json_ json_object *o = oci_run_config_to_json(&c);
                assert_string_equal(
                        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                        cases[i].json);
        }
}

static void test_changes_in_order(void **state) {
        char *const list[] = {(char *) "ENV P=/x",     (char *) "ENV P=$P/y Q=$P",      (char *) "WORKDIR /a",
                              (char *) "WORKDIR b/$Q", (char *) "USER ${NONE:-nobody}", NULL};
        _cleanup_(oci_run_config_clear) OciRunConfig c = { 0 };
        char *error;

        assert_int_equal(changes_apply(list, &c, &error), 0);
        assert_string_equal(c.env[0], "P=/x/y");
        assert_string_equal(c.env[1], "Q=/x"); /* as it was before the instruction */
        assert_string_equal(c.working_dir, "/a/b//x");
        assert_string_equal(c.user, "nobody");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_changes),
                cmocka_unit_test(test_changes_in_order),
                cmocka_unit_test_setup_teardown(test_load, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reopen, setup, teardown),
                cmocka_unit_test_setup_teardown(test_find, setup, teardown),
                cmocka_unit_test_setup_teardown(test_tags, setup, teardown),
                cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
                cmocka_unit_test_setup_teardown(test_import, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
                cmocka_unit_test_setup_teardown(test_layer_removed_meanwhile, setup, teardown),
                cmocka_unit_test_setup_teardown(test_link_instead_of_layer, setup, teardown),
        };

        if (geteuid() != 0) {
                printf("not root: files cannot be given to others\n");
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}

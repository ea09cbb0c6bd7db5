/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bundle of a run: see container-bundle.h. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "container/container-bundle.h"
#include "container/container-spec.h"
#include "util/fs.h"
#include "util/strv.h"
#include "wire/wire.h"

#define HOST_FILE_MAX (1024 * 1024)
#define RUN_SIZE_MAX 4096
#define CONFIG_SIZE_MAX (4 * 1024 * 1024)

static const char hosts_default[] =
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::\tip6-localnet\n"
        "ff00::\tip6-mcastprefix\n"
        "ff02::1\tip6-allnodes\n"
        "ff02::2\tip6-allrouters\n";

/* What one run writes; all of it, but for container.json, goes with it. */
static const char *const run_files[] = {
        "config.json", "run.json", "hosts", "hostname", "resolv.conf", "monitor.sock", "monitor", "exit.json",
        "restart.json",
};

void run_record_done(RunRecord *r) {
        free(r->unit);
        *r = (RunRecord) { 0 };
}

/* The container's root may write its own files. */
static int write_for_root(const Container *c, int bundle_fd, const char *name, const char *text) {
        int r = fs_write_file(bundle_fd, name, text, strlen(text), 0644, 0);

        if (r < 0)
                return r;
        return fchownat(bundle_fd, name, c->ids_base, c->ids_base, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int write_name_files(const Container *c, int bundle_fd) {
        _cleanup_free_ char *hosts = NULL, *resolv = NULL;
        char buffer[65], hostname[67];
        int r;

        if (container_has_host_network(c))
                (void) fs_read_file(AT_FDCWD, "/etc/hosts", HOST_FILE_MAX, &hosts, NULL); /* a host may have none */
        (void) fs_read_file(AT_FDCWD, "/etc/resolv.conf", HOST_FILE_MAX, &resolv, NULL);
        snprintf(hostname, sizeof(hostname), "%s\n", container_hostname(c, buffer));
        if ((r = write_for_root(c, bundle_fd, "hosts", hosts ? hosts : hosts_default)) < 0 ||
            (r = write_for_root(c, bundle_fd, "resolv.conf", resolv ? resolv : "")) < 0)
                return r;
        return write_for_root(c, bundle_fd, "hostname", hostname);
}

static int write_config(const Container *c, int bundle_fd, const char *seccomp) {
        const Image *image = image_store_get(c->host->images, c->image_id);
        _cleanup_json_ json_object *spec = NULL;
        _cleanup_free_ char *layers = NULL;
        size_t size;
        int r;

        if (!image)
                return -ENOENT;
        r = image_store_layer_paths(c->host->images, image, &layers);
        if (r >= 0)
                r = container_spec_new(c, layers, seccomp, &spec);
        if (r < 0)
                return r;
        if (!json_object_to_json_string_length(spec, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size))
                return -ENOMEM;
        return size > CONFIG_SIZE_MAX ? -E2BIG : json_write_file(bundle_fd, "config.json", spec, 0600, 0);
}

static void remove_run_files(int bundle_fd) {
        for (size_t i = 0; i < N_ELEMENTS(run_files); i++)
                (void) unlinkat(bundle_fd, run_files[i], 0);
}

int container_bundle_make(Container *c, const char *seccomp, int *ret_bundle_fd, int *ret_listen_fd) {
        _cleanup_free_ char *path = NULL, *socket_path = NULL;
        int r;

        r = container_bundle_path(c, NULL, &path);
        if (r >= 0)
                r = container_bundle_path(c, "monitor.sock", &socket_path);
        if (r >= 0)
                r = fs_mkdir(AT_FDCWD, path, 0700);
        if (r < 0)
                return r;
        _cleanup_close_ int bundle_fd = fs_open_dir(AT_FDCWD, path);
        if (bundle_fd < 0)
                return bundle_fd;
        remove_run_files(bundle_fd);
        RunRecord record = { .unit = c->unit, .ids_base = c->ids_base };
        memcpy(record.run_id, c->result.run_id, sizeof(record.run_id));
        if ((r = write_name_files(c, bundle_fd)) < 0 ||
            (r = write_config(c, bundle_fd, seccomp)) < 0 ||
            (r = container_bundle_save_run(bundle_fd, &record)) < 0)
                return r;
        r = wire_listen(socket_path);
        if (r < 0)
                return r;
        *ret_listen_fd = r;
        *ret_bundle_fd = TAKE_FD(bundle_fd);
        return 0;
}

int container_bundle_save_run(int bundle_fd, const RunRecord *record) {
        _cleanup_json_ json_object *object = json_object_new_object();
        int r;

        if (!object)
                return -ENOMEM;
        if ((r = json_add_string(object, "runId", record->run_id)) < 0 ||
            (r = json_add_string(object, "unit", record->unit)) < 0 ||
            (r = json_add_i64(object, "idsBase", record->ids_base)) < 0 ||
            (r = json_add_i64(object, "monitor", record->monitor)) < 0 ||
            (r = json_add_i64(object, "monitorStart", (int64_t) record->monitor_start)) < 0)
                return r;
        return json_write_file(bundle_fd, "run.json", object, 0600, 0);
}

typedef struct RawRun {
        char *run_id;
        RunRecord record;
} RawRun;

int container_bundle_load_run(int bundle_fd, RunRecord *ret) {
        static const JsonField fields[] = {
                JSON_FIELD(RawRun, run_id,               "runId",        json_to_string, JSON_REQUIRED),
                JSON_FIELD(RawRun, record.unit,          "unit",         json_to_string, JSON_REQUIRED),
                JSON_FIELD(RawRun, record.ids_base,      "idsBase",      json_to_u32,    JSON_REQUIRED),
                JSON_FIELD(RawRun, record.monitor,       "monitor",      json_to_i32,    JSON_REQUIRED),
                JSON_FIELD(RawRun, record.monitor_start, "monitorStart", json_to_u64,    JSON_REQUIRED),
        };
        _cleanup_json_ json_object *object = NULL;
        RawRun raw = { 0 };
        int r;

        r = json_read_file(bundle_fd, "run.json", RUN_SIZE_MAX, &object);
        if (r >= 0)
                r = json_read_fields(object, fields, N_ELEMENTS(fields), &raw, NULL);
        if (r >= 0 && strlen(raw.run_id) != sizeof(raw.record.run_id) - 1)
                r = -EBADMSG;
        if (r >= 0) {
                strcpy(raw.record.run_id, raw.run_id);
                *ret = raw.record;
        } else
                run_record_done(&raw.record);
        free(raw.run_id);
        return r < 0 ? r : 0;
}

void container_bundle_remove(Container *c) {
        _cleanup_free_ char *path = NULL;

        if (container_bundle_path(c, NULL, &path) < 0)
                return;
        _cleanup_close_ int bundle_fd = fs_open_dir(AT_FDCWD, path);
        if (bundle_fd < 0)
                return;
        remove_run_files(bundle_fd);
        if (!c->settings.auto_remove)
                (void) rmdir(path); /* what is left there, a later start of berthd removes */
}

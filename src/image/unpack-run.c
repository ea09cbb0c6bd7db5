/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of berth-unpack: see unpack.h. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image-archive.h"
#include "image/import.h"
#include "image/layer.h"
#include "image/unpack.h"
#include "util/fs.h"
#include "util/strv.h"

#define REPORT_MAX (8U << 20)
#define MEMORY_MAX (1U << 30)

/* Takes the archive on stdin apart into DIR/blobs/HEX. Report: { images: [ { record, references } ] }. */
static int run_archive(int staging_fd, json_object *report, Fault *fault) {
        _cleanup_close_ int blobs_fd = -EBADF;
        Archive a = { .fault = fault };
        int r, docker;

        if (mkdirat(staging_fd, "blobs", 0700) < 0 || (blobs_fd = fs_open_dir(staging_fd, "blobs")) < 0)
                return fault_set_errno(fault, negative_errno(), "Cannot create the directory for blobs");
        a.blobs_fd = blobs_fd;
        a.images = json_object_new_array();
        r = json_add_object(report, "images", a.images);
        if (r < 0)
                return fault_set_errno(fault, r, "Cannot report");
        r = members_read(&a.members, STDIN_FILENO, blobs_fd, fault);
        if (r >= 0)
                r = archive_read_oci(&a);
        if (r >= 0) {
                docker = archive_read_docker(&a, r > 0);
                r = docker < 0 ? docker : r + docker;
        }
        if (r == 0)
                r = fault_set(fault, -EBADMSG,
                              "This is no archive of images: it has neither a manifest.json nor an index.json; "
                              "a tar archive of files is taken by import");
        if (r > 0 && json_object_array_length(a.images) == 0)
                r = fault_set(fault, -EBADMSG, "The archive holds no image");
        if (r > 0 && syncfs(blobs_fd) < 0)
                r = fault_set_errno(fault, -errno, "Cannot write the blobs to the disk");
        members_clear(&a.members);
        return r < 0 ? r : 0;
}

/* Unpacks the layer on stdin to DIR/diff. Report: { digest, size, diffId, layer: { … } }. */
static int run_layer(int staging_fd, json_object *report, Fault *fault) {
        _cleanup_(layer_result_clear) LayerResult result = { 0 };
        _cleanup_close_ int diff_fd = -EBADF;
        int r;

        if (mkdirat(staging_fd, "diff", 0755) < 0 || (diff_fd = fs_open_dir(staging_fd, "diff")) < 0)
                return fault_set_errno(fault, negative_errno(), "Cannot create the layer's directory");
        r = layer_unpack(STDIN_FILENO, -EBADF, diff_fd, &result, fault);
        if (r < 0)
                return r;
        if (json_add_string(report, "digest", result.stream.digest.text) < 0 ||
            json_add_string(report, "diffId", result.stream.diff_id.text) < 0 ||
            json_add_object(report, "size", json_object_new_uint64(result.stream.size)) < 0 ||
            json_add_object(report, "layer", json_object_get(result.report)) < 0)
                return fault_set_errno(fault, -ENOMEM, "Cannot report");
        return 0;
}

/* Makes an image of the tar archive on stdin. Report: as of archive, with layers: { CHAINID: { … } }. */
static int run_import(int staging_fd, json_object *report, Fault *fault) {
        _cleanup_close_ int blobs_fd = -EBADF;
        json_object *layers = NULL;
        Archive a = { .fault = fault };
        int r;

        if (mkdirat(staging_fd, "blobs", 0700) < 0 || (blobs_fd = fs_open_dir(staging_fd, "blobs")) < 0)
                return fault_set_errno(fault, negative_errno(), "Cannot create the directory for blobs");
        a.blobs_fd = blobs_fd;
        a.images = json_object_new_array();
        if (json_add_object(report, "images", a.images) < 0)
                return fault_set_errno(fault, -ENOMEM, "Cannot report");
        r = import_run(&a, staging_fd, STDIN_FILENO, &layers);
        if (r < 0)
                return r;
        return json_add_object(report, "layers", layers) < 0 ? fault_set_errno(fault, -ENOMEM, "Cannot report") : 0;
}

static const struct {
        const char *name;
        int (*run)(int staging_fd, json_object *report, Fault *fault);
} commands[] = {
        { "archive", run_archive },
        { "layer",   run_layer   },
        { "import",  run_import  },
};

static int run(int argc, char **argv, json_object *report, Fault *fault) {
        if (argc != 3)
                return fault_set(fault, -EINVAL, "Usage: berth-unpack archive|layer|import DIRECTORY");
        _cleanup_close_ int staging_fd = fs_open_dir(AT_FDCWD, argv[2]);
        if (staging_fd < 0)
                return fault_set_errno(fault, staging_fd, "Cannot open %s", argv[2]);
        for (size_t i = 0; i < N_ELEMENTS(commands); i++)
                if (streq(argv[1], commands[i].name))
                        return commands[i].run(staging_fd, report, fault);
        return fault_set(fault, -EINVAL, "There is no command \"%s\"", argv[1]);
}

static int print_report(json_object *report) {
        size_t size;
        const char *text = json_object_to_json_string_length(
                report, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);

        if (!text)
                return -ENOMEM;
        return size > REPORT_MAX ? -EFBIG : fd_write_all(STDOUT_FILENO, text, size);
}

/* What an archive makes libraries allocate ends in an error rather than in a killed process. */
static void bound_memory(void) {
#ifndef __SANITIZE_ADDRESS__
        const struct rlimit limit = { MEMORY_MAX, MEMORY_MAX };
        (void) setrlimit(RLIMIT_AS, &limit);
#endif
}

int unpack_run(int argc, char **argv) {
        json_object *report = json_object_new_object();
        Fault fault = { 0 };
        int r;

        bound_memory();
        umask(0);
        signal(SIGPIPE, SIG_IGN);
        setlocale(LC_CTYPE, "C.UTF-8"); /* or libarchive refuses names that are not ASCII */

        r = report ? run(argc, argv, report, &fault) : -ENOMEM;
        if (r >= 0) {
                r = print_report(report);
                if (r < 0)
                        fault_set_errno(&fault, r, "Cannot report");
        }
        if (r < 0) {
                json_object_put(report);
                report = json_object_new_object();
                if (report && json_add_string(report, "error", fault.text ?: "Out of memory") >= 0 &&
                    json_add_i64(report, "errno", -r) >= 0)
                        r = print_report(report);
        }
        json_object_put(report);
        fault_clear(&fault);
        /* To have refused an archive, and said why, is work well done: the unit has not failed, nobody's alarm goes off. */
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

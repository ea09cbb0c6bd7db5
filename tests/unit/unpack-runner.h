/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs berth-unpack's code in a process of its own, on a directory that has something beside it which must not
 * change. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/unpack.h"
#include "util/fs.h"
#include "util/json.h"

#define CANARY_TEXT "canary"

/* top/ has canary, canary.d/ and stage/, where the worker works. */
typedef struct Runner {
        char top[64], stage[80];
        int top_fd, stage_fd;
        int status;          /* of the last run */
        json_object *report; /* of the last run */
} Runner;

static inline void runner_begin(Runner *r) {
        *r = (Runner){ 0 };
        strcpy(r->top, "/tmp/berth-unpack.XXXXXX");
        if (!mkdtemp(r->top))
                abort();
        snprintf(r->stage, sizeof(r->stage), "%s/stage", r->top);
        r->top_fd = fs_open_dir(AT_FDCWD, r->top);
        if (mkdirat(r->top_fd, "stage", 0700) < 0 || mkdirat(r->top_fd, "canary.d", 0700) < 0 ||
            fs_write_file(r->top_fd, "canary", CANARY_TEXT, strlen(CANARY_TEXT), 0600, 0) < 0)
                abort();
        r->stage_fd = fs_open_dir(r->top_fd, "stage");
}

/* Nothing beside the stage was touched. */
static inline int runner_is_intact(const Runner *r) {
        char *text = NULL;
        struct stat st;
        int intact = fs_read_file(r->top_fd, "canary", 100, &text, NULL) >= 0 && strcmp(text, CANARY_TEXT) == 0 &&
                     fstatat(r->top_fd, "canary", &st, 0) >= 0 && st.st_nlink == 1 && (st.st_mode & 07777) == 0600 &&
                     unlinkat(r->top_fd, "canary.d", AT_REMOVEDIR) >= 0 && mkdirat(r->top_fd, "canary.d", 0700) >= 0 &&
                     fstatat(r->top_fd, ".", &st, 0) >= 0 && st.st_nlink == 4;
        free(text);
        return intact;
}

static inline void runner_end(Runner *r) {
        json_object_put(r->report);
        close(r->stage_fd);
        close(r->top_fd);
        if (fs_remove_tree(AT_FDCWD, r->top) < 0)
                abort();
}

static inline void runner_run_fd(Runner *r, const char *command, int fd) {
        int out = memfd_create("report", MFD_CLOEXEC);
        char *text = NULL;
        size_t size = 0;
        pid_t pid = fork();

        if (pid == 0) {
                char *argv[] = { (char *) "berth-unpack", (char *) command, r->stage, NULL };
                dup2(fd, STDIN_FILENO);
                dup2(out, STDOUT_FILENO);
                _exit(unpack_run(3, argv));
        }
        waitpid(pid, &r->status, 0);
        lseek(out, 0, SEEK_SET);
        json_object_put(r->report);
        r->report = NULL;
        if (fd_read_all(out, 8 << 20, &text, &size) >= 0)
                (void) json_parse(text, size, &r->report);
        free(text);
        close(out);
}

/* What it unpacks comes from a file, or through a pipe as a client may pass it. */
static inline void runner_run(Runner *r, const char *command, const void *data, size_t size, bool by_pipe) {
        int pair[2];

        if (by_pipe) {
                if (pipe2(pair, O_CLOEXEC) < 0)
                        abort();
                pid_t writer = fork();
                if (writer == 0) {
                        signal(SIGPIPE, SIG_DFL);
                        close(pair[0]);
                        (void) fd_write_all(pair[1], data, size);
                        _exit(0);
                }
                close(pair[1]);
                runner_run_fd(r, command, pair[0]);
                close(pair[0]);
                waitpid(writer, NULL, 0);
                return;
        }
        int fd = memfd_create("input", MFD_CLOEXEC);
        if (fd_write_all(fd, data, size) < 0)
                abort();
        lseek(fd, 0, SEEK_SET);
        runner_run_fd(r, command, fd);
        close(fd);
}

/* For assertions: says the error if there is one. */
#define assert_runner_success(r)                                      \
        do {                                                          \
                if (runner_error(r))                                  \
                        print_error("error: %s\n", runner_error(r)); \
                assert_null(runner_error(r));                         \
        } while (0)

/* NULL: it succeeded. */
static inline const char *runner_error(const Runner *r) {
        if (!WIFEXITED(r->status) || WEXITSTATUS(r->status) != 0 || !r->report)
                return "(died without a report)";
        return json_get_string(r->report, "error");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs of berth-unpack: see worker.h. */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "image/worker.h"
#include "util/io.h"
#include "util/json.h"
#include "util/strv.h"

#define REPORT_MAX     (8U << 20)
#define ERROR_TEXT_MAX 2048
#define START_TIMEOUT  (90 * 1000000ULL)
/* Long enough for an archive that comes over a slow network; not for ever. */
#define RUNTIME_MAX    (6 * 3600 * 1000000ULL)
#define MEMORY_MAX     (2ULL << 30)
#define CAP(name)      (UINT64_C(1) << (name))

struct Worker {
        UnitManager *units;
        UnitJob *job;     /* while it runs */
        char *unit;
        int report_fd;
        WorkerDone done;
        void *userdata;
};

/* Text from a worker goes to people's terminals. */
static char *clean_text(const char *text) {
        char *clean = strndup(text, ERROR_TEXT_MAX);

        for (char *p = clean; p && *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7f)
                        *p = '?';
        return clean;
}

static int read_report(int fd, json_object **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        r = fd_read_all(fd, REPORT_MAX, &text, &size);
        if (r < 0)
                return r;
        return size == 0 ? -ENODATA : json_parse(text, size, ret);
}

static void unit_done(int result, const char *unit_text, void *userdata) {
        Worker *w = userdata;
        _cleanup_json_ json_object *report = NULL;
        _cleanup_free_ char *text = NULL;
        int32_t error = 0;
        int r;

        w->job = NULL;
        r = read_report(w->report_fd, &report);
        const char *worker_text = r >= 0 ? json_get_string(report, "error") : NULL;
        if (worker_text) { /* what the worker has to say is better than that its unit failed */
                json_object *number = json_get(report, "errno");
                if (!number || json_to_i32(number, &error) < 0 || error <= 0 || error > 4095)
                        error = EIO;
                result = -error;
                text = clean_text(worker_text);
        } else if (result == 0 && r < 0) {
                result = -EIO;
                text = strdup("The unpack worker left no report; its unit's journal says more");
        } else if (result < 0 && asprintf(&text, "The unpack worker failed: %s (journalctl -u %s says more)",
                                          unit_text ?: strerror(-result), w->unit) < 0)
                text = NULL;
        w->done(w, result, result < 0 ? text ?: "Out of memory" : NULL, report, w->userdata); /* may free the worker */
}

int worker_start(UnitManager *units, const char *command, const char *directory, int stdin_fd, WorkerDone done,
                 void *userdata, Worker **ret) {
        char *const argv[] = { (char *) BERTH_LIBEXECDIR "/berth-unpack", (char *) command, (char *) directory, NULL };
        char *const write_paths[] = { (char *) directory, NULL };
        _cleanup_(worker_freep) Worker *w = calloc(1, sizeof(Worker));
        _cleanup_free_ char *description = NULL;
        int r;

        if (!w)
                return -ENOMEM;
        w->units = units;
        w->done = done;
        w->userdata = userdata;
        w->report_fd = memfd_create("berth-report", MFD_CLOEXEC);
        if (w->report_fd < 0)
                return -errno;
        /* The directory's name is hex digits; two jobs may unpack the same layer. */
        static unsigned serial;
        const char *last = strrchr(directory, '/') + 1;
        if (asprintf(&w->unit, "berth-unpack-%.16s-%i-%u.service", last, (int) getpid(), ++serial) < 0) {
                w->unit = NULL;
                return -ENOMEM;
        }
        if (asprintf(&description, "berth: %s of an image", streq(command, "layer") ? "unpack a layer" : command) < 0) {
                description = NULL;
                return -ENOMEM;
        }
        const TransientUnit unit = {
                .name = w->unit,
                .description = description,
                .command = argv,
                .write_paths = write_paths,
                .capabilities = CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FOWNER) | CAP(CAP_FSETID) |
                                CAP(CAP_SETFCAP) | CAP(CAP_MKNOD),
                .stdin_fd = stdin_fd,
                .stdout_fd = w->report_fd,
                .runtime_max_usec = RUNTIME_MAX,
                .memory_max = MEMORY_MAX,
        };
        r = unit_start(units, &unit, RUNTIME_MAX + START_TIMEOUT, unit_done, w, &w->job);
        if (r < 0)
                return r;
        *ret = TAKE(w);
        return 0;
}

static void nothing_done(int result, const char *text, void *userdata) {
}

Worker *worker_free(Worker *w) {
        if (!w)
                return NULL;
        if (w->job) {
                unit_job_forget(w->job);
                (void) unit_stop(w->units, w->unit, START_TIMEOUT, nothing_done, NULL, NULL);
        }
        fd_close(w->report_fd);
        free(w->unit);
        free(w);
        return NULL;
}

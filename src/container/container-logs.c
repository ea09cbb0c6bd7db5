/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Workers that read a container's lines for a client: see container-logs.h, logs/log-stream.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "container/call-options.h"
#include "container/container-logs.h"
#include "util/io.h"
#include "util/log.h"
#include "util/strv.h"
#include "util/timestamp.h"

/* Who never reads keeps a worker. */
#define WORKERS_MAX 128
#define WORKERS_PER_USER_MAX 16
#define WORKER_MEMORY_MAX (128ull << 20)
#define LAST_AGE_USEC (60 * USEC_PER_SEC) /* journald has nothing in its queue that is older */

struct LogWorker {
        ContainerHost *host;
        LogWorker *next;
        UnitJob *job;
        char *unit;
        uint32_t uid;
};

typedef struct LogOptions {
        uint64_t since, until, tail; /* UINT64_MAX: not given */
        bool follow;
} LogOptions;

static void worker_free(LogWorker *w) {
        for (LogWorker **p = &w->host->log_workers; *p; p = &(*p)->next)
                if (*p == w) {
                        *p = w->next;
                        break;
                }
        free(w->unit);
        free(w);
}

void container_logs_forget(ContainerHost *host) {
        while (host->log_workers) {
                unit_job_forget(host->log_workers->job);
                worker_free(host->log_workers);
        }
}

static void on_worker_done(int result, const char *text, void *userdata) {
        LogWorker *w = userdata;

        if (result < 0)
                log_warning("%s, which read a log for uid %" PRIu32 ", failed: %s", w->unit, w->uid,
                            text ? text : strerror(-result));
        worker_free(w);
}

static int check_count(const ContainerHost *host, uint32_t uid, sd_bus_error *error) {
        size_t n = 0, n_user = 0;

        for (const LogWorker *w = host->log_workers; w; w = w->next) {
                n++;
                n_user += w->uid == uid;
        }
        if (n_user >= WORKERS_PER_USER_MAX)
                return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "You are reading %i logs already; that is as many as a user may at once.",
                                         WORKERS_PER_USER_MAX);
        if (n >= WORKERS_MAX)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many logs are being read at once.");
        return 0;
}

static void number_or_dash(uint64_t value, char text[24]) {
        if (value == UINT64_MAX)
                strcpy(text, "-");
        else
                snprintf(text, 24, "%" PRIu64, value);
}

static int start_unit(LogWorker *w, const Container *c, const LogOptions *o, int fd) {
        char since[24], until[24], tail[24], ordinal[24] = "";
        char *command[] = { (char *) BERTH_LIBEXECDIR "/berth-logs", (char *) c->id, since, until, tail,
                            (char *) (o->follow ? "1" : "0"), NULL, ordinal, NULL };
        _cleanup_free_ char *description = NULL;
        uint64_t now = time_now_usec();

        number_or_dash(o->since, since);
        number_or_dash(o->until, until);
        number_or_dash(o->tail, tail);
        if (c->state == CONTAINER_EXITED && now - MIN_OF(c->result.finished_usec, now) <= LAST_AGE_USEC) {
                command[6] = (char *) c->result.run_id; /* the worker waits for its last line */
                snprintf(ordinal, sizeof(ordinal), "%" PRIu64, c->result.log_ordinal);
        }
        if (asprintf(&description, "berth: reads the log of container %s for uid %" PRIu32, c->name, w->uid) < 0)
                return -ENOMEM;
        const TransientUnit unit = {
                .name = w->unit,
                .description = description,
                .command = command,
                .groups = (char *[]) { (char *) "systemd-journal", NULL },
                .stdin_fd = -EBADF,
                .stdout_fd = fd,
                .memory_max = WORKER_MEMORY_MAX,
                .tasks_max = 1,
        };
        return unit_start(w->host->units, &unit, UINT64_MAX, on_worker_done, w, &w->job);
}

static int start_worker(Container *c, uint32_t uid, const LogOptions *o, int fd) {
        static unsigned serial;
        LogWorker *w = calloc(1, sizeof(LogWorker));
        int r;

        if (!w)
                return -ENOMEM;
        w->host = c->host;
        w->uid = uid;
        if (asprintf(&w->unit, "berth-logs-%" PRIu32 "-%i-%u.service", uid, (int) getpid(), ++serial) < 0) {
                free(w);
                return -ENOMEM;
        }
        r = start_unit(w, c, o, fd);
        if (r < 0) {
                worker_free(w);
                return r;
        }
        w->next = c->host->log_workers;
        c->host->log_workers = w;
        return 0;
}

int container_method_logs(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        static const CallOption options[] = {
                { "since",  "t", offsetof(LogOptions, since)  },
                { "until",  "t", offsetof(LogOptions, until)  },
                { "tail",   "t", offsetof(LogOptions, tail)   },
                { "follow", "b", offsetof(LogOptions, follow) },
        };
        LogOptions o = { .since = UINT64_MAX, .until = UINT64_MAX, .tail = UINT64_MAX };
        Container *c = userdata;
        int ends[2], r;

        r = call_options_read(m, options, N_ELEMENTS(options), &o, error);
        if (r < 0)
                return r;
        r = c->host->authorize(c->host, m, POLKIT_INSPECT, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        Caller caller;
        c->host->caller(c->host, &caller);
        r = check_count(c->host, caller.uid, error);
        if (r < 0)
                return r;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int theirs = ends[0], ours = ends[1];
        r = start_worker(c, caller.uid, &o, ours);
        return r < 0 ? r : sd_bus_reply_method_return(m, "h", theirs);
}

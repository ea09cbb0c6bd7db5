/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The test of journald's rate limit: see log-limit.h. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "container/record.h"
#include "daemon/log-limit.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"

#define UNIT "berth-log-limit.service"
#define UNITS_DIR "/run/systemd/units"
#define JOURNALD UNITS_DIR "/invocation:systemd-journald.service" /* another one for each journald */
#define DELAY_USEC 1000000u      /* who started berthd wants something else */
#define WORKER_USEC 20000000u
#define WORKER_MEMORY_MAX (128ull << 20)
#define WORD_MAX 16

struct LogLimit {
        ContainerHost *host;
        sd_event_source *timer;
        UnitJob *job;
        int word_fd;
        char *path; /* RUNDIR/log-limit: which journald was tested, and the worker's word */
        char journald[64];
};

/* What the worker is to fail at: one line in half a minute. */
static const struct { const char *path, *value; } links[] = {
        { UNITS_DIR "/log-rate-limit-burst:" UNIT, "1" },
        { UNITS_DIR "/log-rate-limit-interval:" UNIT, "30000000" },
};

static void remove_links(void) {
        for (size_t i = 0; i < N_ELEMENTS(links); i++)
                (void) unlink(links[i].path);
}

static int make_links(void) {
        remove_links(); /* a berthd that was killed */
        for (size_t i = 0; i < N_ELEMENTS(links); i++)
                if (symlink(links[i].value, links[i].path) < 0)
                        return -errno;
        return 0;
}

static bool read_journald(char *ret, size_t size) {
        ssize_t n = readlink(JOURNALD, ret, size - 1);

        ret[MAX_OF(n, (ssize_t) 0)] = '\0';
        return n > 0;
}

static bool was_tested(const LogLimit *l) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        if (fs_read_file(AT_FDCWD, l->path, 256, &text, &size) < 0)
                return false;
        const char *rest = startswith(text, l->journald);
        return rest && *rest == ' ';
}

static void tell(LogLimit *l, const char *word) {
        Record r;

        if (streq(word, "limited")) {
                record_begin(&r, BERTH_MESSAGE_LOG_LIMIT, SEVERITY_WARNING, "log");
                record_end(&r, l->host->records, "journald does not let its rate limit be lifted for containers: of one that writes many lines at once, "
                                                 "it drops some. journalctl -x says what to do.");
        } else if (streq(word, "unknown"))
                log_info("whether journald drops lines of containers that write many at once could not be found out: it has not stored those of a test");
        else
                log_debug("journald's rate limit is no limit for containers: %s", word);
}

/* A restart of journald in the middle of it takes what was counted along: then the result counts for neither. */
static void take_word(LogLimit *l) {
        char word[WORD_MAX], journald[sizeof(l->journald)];
        _cleanup_free_ char *text = NULL;
        ssize_t n = read(l->word_fd, word, sizeof(word) - 1);

        if (n <= 0)
                return;
        word[n] = '\0';
        word[strcspn(word, "\n")] = '\0';
        if (!read_journald(journald, sizeof(journald)) || !streq(journald, l->journald))
                return;
        tell(l, word);
        int size = asprintf(&text, "%s %s\n", l->journald, word);
        int r = size < 0 ? -ENOMEM : fs_write_file(AT_FDCWD, l->path, text, (size_t) size, 0600, 0);
        if (r < 0)
                log_warning("%s cannot be written: %s", l->path, strerror(-r));
}

static void on_done(int result, const char *text, void *userdata) {
        LogLimit *l = userdata;

        l->job = NULL;
        remove_links();
        if (result >= 0)
                take_word(l);
        else
                log_info("whether journald drops lines of containers could not be tried: %s", text ? text : strerror(-result));
        l->word_fd = fd_close(l->word_fd);
}

static int start(LogLimit *l) {
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        l->word_fd = ends[0];
        _cleanup_close_ int theirs = ends[1];
        r = make_links();
        if (r < 0)
                return r;
        const TransientUnit unit = {
                .name = UNIT,
                .description = "berth: tries whether journald drops lines of containers",
                .command = (char *[]) { (char *) BERTH_LIBEXECDIR "/berth-log-limit", (char *) UNIT, NULL },
                .groups = (char *[]) { (char *) "systemd-journal", NULL },
                .stdin_fd = -EBADF,
                .stdout_fd = theirs,
                .runtime_max_usec = WORKER_USEC,
                .memory_max = WORKER_MEMORY_MAX,
                .tasks_max = 1,
        };
        return unit_start(l->host->units, &unit, UINT64_MAX, on_done, l, &l->job);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        LogLimit *l = userdata;

        if (!read_journald(l->journald, sizeof(l->journald)) || was_tested(l))
                return 0;
        int r = start(l);
        if (r >= 0)
                return 0;
        remove_links();
        l->word_fd = fd_close(l->word_fd);
        log_info("whether journald drops lines of containers could not be tried: %s", strerror(-r));
        return 0;
}

int log_limit_new(ContainerHost *host, LogLimit **ret) {
        _cleanup_(log_limit_freep) LogLimit *l = calloc(1, sizeof(LogLimit));
        int r;

        if (!l)
                return -ENOMEM;
        l->host = host;
        l->word_fd = -EBADF;
        if (asprintf(&l->path, "%s/log-limit", host->rundir) < 0)
                return -ENOMEM;
        r = sd_event_add_time_relative(host->event, &l->timer, CLOCK_MONOTONIC, DELAY_USEC, 0, on_timer, l);
        if (r >= 0)
                r = sd_event_source_set_priority(l->timer, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;
        *ret = TAKE(l);
        return 0;
}

LogLimit *log_limit_free(LogLimit *l) {
        if (!l)
                return NULL;
        if (l->job) {
                unit_job_forget(l->job);
                remove_links();
        }
        sd_event_source_disable_unref(l->timer);
        fd_close(l->word_fd);
        free(l->path);
        free(l);
        return NULL;
}

bool log_limit_is_busy(const LogLimit *l) {
        return l->job;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Monitor's life: see monitor.h. */
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "monitor/identity.h"
#include "monitor/journal-record.h"
#include "monitor/monitor.h"
#include "monitor/random-id.h"
#include "monitor/title.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"
#include "util/utf8.h"
#include "wire/message-ids.h"
#include "wire/wire.h"

#define GO_USEC (90 * USEC_PER_SEC)      /* how long berthd may take over the unit's job */
#define TEARDOWN_USEC (USEC_PER_SEC / 5) /* after the report, for clients that are about to read the rest */
#define ENDING_USEC (60 * USEC_PER_SEC)  /* without any client that reads */
#define LOG_USEC (5 * USEC_PER_SEC)      /* without any progress in journald */
#define NOTIFY_MARGIN_USEC (10 * USEC_PER_SEC)
#define STOP_TIMEOUT_DEFAULT 10
#define STOP_SIGNAL_DEFAULT 15

static const char *annotation(const Monitor *m, const char *key) {
        const char *value = m->config ? runtime_config_annotation(m->config, key) : NULL;
        return value ? value : "";
}

static bool is_true(const Monitor *m, const char *key) {
        return streq(annotation(m, key), "true");
}

_printf_(3, 4)
static void set_error(Monitor *m, int code, const char *format, ...) {
        va_list ap;

        m->error.exit_code = code;
        va_start(ap, format);
        vsnprintf(m->error.text, sizeof(m->error.text), format, ap);
        va_end(ap);
        utf8_make_line(m->error.text);
}

/* Wakes berthd, which may have gone idle or be down: its socket unit starts it. */
static void wake_berthd(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = BERTH_RUNDIR "/berthd.sock" };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd >= 0) /* EAGAIN: so many are waiting that it is awake anyway */
                (void) !connect(fd, (struct sockaddr *) &address, sizeof(address));
}

/* The sandbox goes last: taking its namespaces down takes longer than all the rest, and nobody waits for it. */
void monitor_drop_sandbox(Monitor *m) {
        m->sandbox = sandbox_free(m->sandbox);
}

void monitor_check_end(Monitor *m) {
        if (m->status == MONITOR_STATUS_ENDING && !m->init->clients && !m->past && !m->execs)
                m->loop.quit = true;
}

static void on_init_idle(Task *t) {
        monitor_check_end(t->userdata);
}

/* PREPARING: berthd did not say GO. ENDING: clients were slow; first the sandbox is let go, then they are. */
static void on_limit(void *userdata) {
        Monitor *m = userdata;

        if (m->status == MONITOR_STATUS_PREPARING) {
                set_error(m, 125, "berthd did not say within %i seconds that the unit is there.",
                          (int) (GO_USEC / USEC_PER_SEC));
                monitor_end_run(m);
        } else if (m->sandbox) {
                monitor_drop_sandbox(m);
                loop_timer_set(&m->loop, &m->limit, ENDING_USEC);
        } else if (m->backlog.n_taken != m->taken) { /* somebody reads, however slowly */
                m->taken = m->backlog.n_taken;
                (void) notify_sendf(m->notify, "EXTEND_TIMEOUT_USEC=%llu",
                                    (unsigned long long) (ENDING_USEC + NOTIFY_MARGIN_USEC));
                loop_timer_set(&m->loop, &m->limit, ENDING_USEC);
        } else
                m->loop.quit = true;
}

/* Nobody is there to take the record out of the bundle, and at a shutdown nobody will come before that is gone. */
static void keep_record(Monitor *m) {
        if (is_true(m, "volatile") || m->record.started == 0)
                return;
        _cleanup_close_ int fd = fs_open_dir(AT_FDCWD, annotation(m, "state"));
        int r = fd < 0 ? fd : exit_record_write(&m->record, fd);
        if (r < 0)
                log_error("The exit record of container %s cannot be kept: %s", annotation(m, "name"), strerror(-r));
}

/* What the log lacks is said to whoever is there to hear it. */
static void tell_lost(Monitor *m) {
        char text[128];

        if (m->record.log_lost == 0)
                return;
        snprintf(text, sizeof(text), "%llu lines of its output are missing in the journal: journald did not take them.",
                 (unsigned long long) m->record.log_lost);
        clients_tell(m->init, CONTROL_NOTICE, 0, text);
}

void monitor_fill_record(Monitor *m) {
        m->record.run_id = annotation(m, "runId");
        m->record.stopped_by = m->stopped_by;
        m->record.stopper = &m->stopper;
        m->record.stopped_by_hand = m->restarts.touched || streq(m->stopped_by, "client");
        m->record.restart_count = m->restarts.count;
        m->record.log_epoch = m->log.epoch;
        m->record.log_ordinal = m->log.ordinal;
        m->record.log_lost = m->log.journal ? journal_lost(m->log.journal) : 0;
}

/* Writes the exit record, then tells everybody: berthd first, so that a client's next question finds it informed. */
void monitor_end_run(Monitor *m) {
        bool failed = m->record.started == 0;

        if (failed) {
                m->record.exit_code = m->error.exit_code;
                m->record.error = m->error.text;
                m->record.journaled = record_start_failed(m);
        }
        if (m->record.finished == 0)
                m->record.finished = now_realtime();
        m->record.restarting = false;
        monitor_fill_record(m);
        int r = exit_record_write(&m->record, m->bundle_fd);
        if (r < 0 && !(failed && r == -ENOENT)) /* an aborted start's bundle has gone, or is another monitor's */
                log_error("The exit record of container %s cannot be written: %s", annotation(m, "name"), strerror(-r));

        m->status = MONITOR_STATUS_ENDING;
        loop_timer_clear(&m->loop, &m->stop_timer);
        /* Before anybody hears of it: who then has systemd start the service again is to find it on its way out. */
        (void) notify_sendf(m->notify, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu\nSTATUS=%s status %i",
                            (unsigned long long) (ENDING_USEC + TEARDOWN_USEC + NOTIFY_MARGIN_USEC),
                            failed ? "Could not be started," : "Ended with", m->record.exit_code);
        if (failed && m->notify) /* nobody else may be there to hear it */
                log_error("The container could not be started: %s", m->error.text);
        server_tell(&m->server, failed ? MONITOR_FAILED : MONITOR_EXITED, m->record.exit_code, 0, NULL, m->error.text);
        tell_lost(m);
        clients_finish(m->init, failed ? CONTROL_FAILED : CONTROL_EXITED, m->record.exit_code, m->error.text);
        if (!server_has_connections(&m->server)) {
                keep_record(m);
                wake_berthd();
        }
        loop_timer_set(&m->loop, &m->limit, m->sandbox ? TEARDOWN_USEC : ENDING_USEC);
        task_set_done(m->init);
}

/* The end is reported when journald has the last line, and the record of the end behind it, or has been away for too
 * long: what it does not have by then is lost only if the monitor ends, too. */
static void check_log(Monitor *m, bool overdue) {
        uint64_t delay;

        if (m->status != MONITOR_STATUS_RUNNING || !m->init->is_done ||
            !(overdue || journal_is_empty(m->log.journal)))
                return;
        if (!m->died_told) {
                m->died_told = true;
                record_died(m); /* comes back here if it could be sent at once */
                if (m->status != MONITOR_STATUS_RUNNING || !(overdue || journal_is_empty(m->log.journal)))
                        return;
        }
        m->record.journaled = !journal_given_up(m->log.journal);
        loop_timer_clear(&m->loop, &m->log_timer);
        if (restarts_decide(&m->restarts, m->record.exit_code, m->round_ended - m->round_began, &delay)) {
                monitor_back_off(m, delay);
                return;
        }
        if (overdue && !journal_is_empty(m->log.journal)) {
                journal_give_up(m->log.journal);
                m->record.journaled = false;
        }
        monitor_end_run(m);
}

static void on_journal_empty(void *userdata) {
        Monitor *m = userdata;

        if (m->status == MONITOR_STATUS_PREPARING) /* a record, of a start that failed */
                return;
        task_update(m->init);
        check_log(m, false);
}

static void on_log_timer(void *userdata) {
        Monitor *m = userdata;
        bool stalled = journal_progress(m->log.journal) == m->log_progress;

        if (stalled && !m->init->is_done) /* its queue is full, and the rest of the output cannot be read */
                journal_give_up(m->log.journal);
        m->log_progress = journal_progress(m->log.journal);
        loop_timer_set(&m->loop, &m->log_timer, LOG_USEC);
        task_update(m->init);
        check_log(m, stalled);
}

static void on_init_ended(Task *t) {
        Monitor *m = t->userdata;

        m->round_ended = now_monotonic();
        m->record.finished = now_realtime();
        m->record.exit_code = t->code;
        m->record.signal = t->signal;
        oom_watch_check(m);
        if (!(m->config->namespaces & CLONE_NEWPID)) /* else the kernel has ended all that was in the namespace */
                scope_kill(&m->scope);
        m->log_progress = journal_progress(m->log.journal);
        loop_timer_set(&m->loop, &m->log_timer, LOG_USEC);
}

static void on_init_done(Task *t) {
        Monitor *m = t->userdata;

        t->is_done = true;
        check_log(m, false);
}

static void on_init_signalled(Task *t, int signo) {
        Monitor *m = t->userdata;

        restarts_signalled(&m->restarts, signo);
}

static int init_log(Monitor *m) {
        const struct { const char *key, *value; } fields[] = {
                { "CONTAINER_ID_FULL", annotation(m, "id")          },
                { "CONTAINER_NAME",    annotation(m, "name")        },
                { "CONTAINER_TAG",     annotation(m, "logTag")      },
                { "SYSLOG_IDENTIFIER", annotation(m, "logTag")      },
                { "IMAGE_NAME",        annotation(m, "image")       },
                { "IMAGE_ID",          annotation(m, "imageId")     },
                { "IMAGE_DIGEST",      annotation(m, "imageDigest") },
                { "CONTAINER_RUN_ID",  annotation(m, "runId")       },
        };
        char short_id[13];
        int r;

        random_id(m->log.epoch);
        r = journal_new(&m->loop, JOURNAL_SOCKET, on_journal_empty, m, &m->log.journal);
        if (r < 0)
                return r;
        if (is_true(m, "logBatches"))
                journal_set_batch(m->log.journal, JOURNAL_BATCH_MAX);
        snprintf(short_id, sizeof(short_id), "%s", annotation(m, "id"));
        r = journal_add_common(m->log.journal, "CONTAINER_ID", short_id);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(fields); i++)
                r = journal_add_common(m->log.journal, fields[i].key, fields[i].value);
        return r;
}

static int read_config(Monitor *m) {
        _cleanup_json_ json_object *object = NULL;
        const char *where = NULL;
        int32_t number;
        int r = json_read_file(m->bundle_fd, "config.json", MONITOR_CONFIG_MAX, &object);

        if (r >= 0)
                r = runtime_config_read(object, &m->config, &where);
        if (r < 0) {
                set_error(m, 125, "Cannot read the container's config.json%s%s: %s.", where ? ", field " : "",
                          where ? where : "", strerror(-r));
                return r;
        }
        if (parse_i32(annotation(m, "stopSignal"), &number) >= 0 && number > 0)
                m->stop_signal = number;
        if (parse_i32(annotation(m, "stopTimeout"), &number) >= 0)
                m->stop_timeout = number;
        title_set("berth-monitor", annotation(m, "name"));
        r = monitor_restarts_init(m, annotation(m, "restart"),
                                  is_true(m, "stopSignalGiven") ? annotation(m, "stopSignal") : "0");
        if (r < 0)
                set_error(m, 125, "The container's config.json has a restart policy that is none.");
        return r;
}

int monitor_prepare_sandbox(Monitor *m) {
        unsigned streams = STREAM_STDOUT | STREAM_STDERR | (is_true(m, "stdin") ? STREAM_STDIN : 0);
        int stdio[3] = { -EBADF, -EBADF, -EBADF }, r = 0;

        m->init->stdin_once = is_true(m, "stdinOnce");
        m->init->spill_directory = annotation(m, "state");
        if (!m->config->process.terminal)
                r = task_make_pipes(m->init, streams, stdio);
        if (r < 0) {
                set_error(m, 125, "Cannot make the container's streams: %s.", strerror(-r));
                return r;
        }
        r = sandbox_prepare(m->config, m->bundle_fd, stdio, &m->sandbox, &m->error);
        wire_close_fds(stdio, N_ELEMENTS(stdio));
        if (r < 0)
                return r;
        r = task_set_process(m->init, sandbox_pid(m->sandbox), sandbox_pidfd(m->sandbox), sandbox_terminal(m->sandbox));
        if (r < 0) {
                set_error(m, 125, "Cannot watch the container's init: %s.", strerror(-r));
                monitor_drop_sandbox(m);
        } else if (m->config->process.rows > 0)
                task_resize(m->init, m->config->process.rows, m->config->process.columns);
        return r;
}

int monitor_attach(Monitor *m, unsigned streams, int *fds, size_t n_fds, const char **ret_text) {
        Client *client = NULL;
        int r;

        if (m->status == MONITOR_STATUS_ENDING || m->status == MONITOR_STATUS_RESTARTING) {
                wire_close_fds(fds, n_fds);
                *ret_text = m->status == MONITOR_STATUS_ENDING
                                    ? "The container is not running."
                                    : "The container is restarting, wait until it is running.";
                return -ESRCH;
        }
        r = client_new(m->init, streams, fds, n_fds, &client);
        if (r == -EOPNOTSUPP)
                *ret_text = streams & STREAM_REPLAY ? "Earlier output cannot be replayed."
                                                    : "Streams must be pipes or stream sockets.";
        if (r >= 0 && m->status == MONITOR_STATUS_RUNNING)
                client_tell(client, CONTROL_STARTED, m->init->pid, NULL);
        return r;
}

static int start_payload(Monitor *m) {
        int r = scope_find(&m->scope);

        if (r >= 0)
                r = scope_enter(&m->scope);
        if (r >= 0) /* before there is anything to kill in it */
                r = identity_write(m->bundle_fd, m->scope.path);
        if (r < 0) {
                set_error(m, 125, "Cannot enter the unit %s: %s.", m->scope.path ? m->scope.path : "of the container",
                          r == -ENXIO ? "systemd has not moved the monitor there" : strerror(-r));
                return r;
        }
        oom_watch_start(m);
        return monitor_start_sandbox(m);
}

int monitor_start_sandbox(Monitor *m) {
        int r = scope_move_payload(&m->scope, m->init->pid);

        if (r < 0) {
                set_error(m, 125, "Cannot move the container's init into %s: %s.", m->scope.path, strerror(-r));
                return r;
        }
        r = sandbox_start(m->sandbox, &m->error);
        if (r < 0)
                return r;
        r = task_set_running(m->init);
        if (r < 0)
                set_error(m, 125, "Cannot watch the container's init: %s.", strerror(-r));
        return r;
}

void monitor_running(Monitor *m) {
        m->status = MONITOR_STATUS_RUNNING;
        m->record.started = now_realtime();
        m->round_began = now_monotonic();
        if (m->restarts.count > 0)
                monitor_write_interim(m);
        /* berthd first, so that a client's next question finds it informed. */
        server_tell(&m->server, MONITOR_STARTED, 0, m->init->pid, NULL, NULL);
        clients_tell(m->init, CONTROL_STARTED, m->init->pid, NULL);
        (void) notify_sendf(m->notify, "READY=1\nSTATUS=Running, process %i", (int) m->init->pid);
        m->died_told = false;
        record_started(m);
        malloc_trim(0);
}

int monitor_go(Monitor *m, const char **ret_text) {
        if (m->status != MONITOR_STATUS_PREPARING) {
                *ret_text = "It was started before.";
                return -EALREADY;
        }
        loop_timer_clear(&m->loop, &m->limit);
        if (!m->sandbox || start_payload(m) < 0) {
                monitor_end_run(m);
                return 0; /* told as FAILED */
        }
        monitor_running(m);
        monitor_stop_pending(m);
        return 0;
}

int monitor_abort(Monitor *m, const char *why) {
        if (m->status != MONITOR_STATUS_PREPARING)
                return -EALREADY;
        if (m->sandbox) /* else its own error says more */
                set_error(m, 125, "%s", why);
        monitor_end_run(m);
        return 0;
}

/* journald finds out a line's unit from the living sender, when it reads the line: give it the time, while it reads:
 * after a burst there are ten thousand lines in the socket. */
static void linger(Monitor *m) {
        int unread, least = INT_MAX;

        for (int quiet = 0; quiet < 400 && m->log.journal && (unread = journal_unread(m->log.journal)) > 0; quiet++) {
                if (unread < least) {
                        least = unread;
                        quiet = 0;
                }
                usleep(5000);
        }
}

Task *monitor_new_init(Monitor *m) {
        Task *t = task_new(&m->loop, &m->backlog, m->scratch, m);

        if (!t)
                return NULL;
        t->ended = on_init_ended;
        t->done = on_init_done;
        t->idle = on_init_idle;
        t->signalled = on_init_signalled;
        t->log = &m->log;
        return t;
}

static int init_monitor(Monitor *m, int listen_fd) {
        int r = loop_init(&m->loop);

        m->limit = (LoopTimer) { .handler = on_limit, .userdata = m };
        m->log_timer = (LoopTimer) { .handler = on_log_timer, .userdata = m };
        if (r >= 0)
                r = monitor_stop_init(m);
        if (r >= 0)
                r = server_init(&m->server, m, listen_fd);
        m->scratch = mmap(NULL, TASK_READ_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        m->init = monitor_new_init(m);
        if (r >= 0 && (m->scratch == MAP_FAILED || !m->init))
                r = -ENOMEM;
        return r;
}

int monitor_run(int bundle_fd, int listen_fd, const Notify *notify) {
        Monitor m = {
                .bundle_fd = bundle_fd,
                .notify = notify,
                .scope.fd = -EBADF,
                .oom.source.fd = -EBADF,
                .stop_signal = STOP_SIGNAL_DEFAULT,
                .stop_timeout = STOP_TIMEOUT_DEFAULT,
        };
        int r = init_monitor(&m, listen_fd);

        if (r >= 0) {
                /* An error here is told when berthd says GO: only then are all clients attached that want to hear of
                 * it. */
                if (read_config(&m) >= 0 && (r = init_log(&m)) >= 0)
                        (void) monitor_prepare_sandbox(&m);
                loop_timer_set(&m.loop, &m.limit, GO_USEC);
                if (r >= 0)
                        r = loop_run(&m.loop);
        }
        server_done(&m.server);
        monitor_drop_sandbox(&m);
        linger(&m);
        return r < 0 ? r : m.stopped_by[0] ? 0 : m.record.exit_code;
}

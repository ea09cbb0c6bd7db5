/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run of a container: see container-run.h. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "container/container-names.h"
#include "container/container-run-internal.h"
#include "container/container-spec.h"
#include "container/container-unit.h"
#include "container/container-wait.h"
#include "container/departure.h"
#include "container/id-range.h"
#include "container/spawn-client.h"
#include "runtime/seccomp-cache.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/process.h"
#include "util/strv.h"
#include "wire/errors.h"
#include "wire/wire.h"

#define UNIT_TIMEOUT_USEC (60 * SEC)
#define FILTER_TIMEOUT_USEC (60 * SEC)
#define OLD_UNIT_WAIT_USEC (1 * SEC)    /* how long a unit of an earlier run may keep our name */
#define OLD_UNIT_POLL_USEC (SEC / 50)
#define DEPARTURE_USEC (5 * SEC)        /* how long the last run's monitor may take to let go of the mounts */
#define STOP_MARGIN_SEC 12              /* then a monitor that has not reported is killed; before systemd would */
#define LAUNCH_ATTEMPTS_MAX 3

static uint64_t now_usec(clockid_t clock) {
        struct timespec t;

        clock_gettime(clock, &t);
        return (uint64_t) t.tv_sec * SEC + (uint64_t) t.tv_nsec / 1000;
}

ContainerRun *container_run_free(ContainerRun *run) {
        if (!run)
                return NULL;
        if (run->container->host->spawn)
                spawn_client_cancel(run->container->host->spawn, run);
        departure_forget(run->container->departure);
        unit_job_forget(run->job);
        sd_event_source_disable_unref(run->timer);
        sd_event_source_disable_unref(run->deadline);
        container_process_free(run->process);
        service_caller_done(&run->caller);
        client_queue_done(&run->clients);
        fd_close(run->bundle_fd);
        fd_close(run->listen_fd);
        free(run->seccomp);
        free(run);
        return NULL;
}

/* --- The end --- */

static void run_end(ContainerRun *run, ContainerResult *result) {
        Container *c = run->container;
        int pidfd = run->process ? container_process_take_pidfd(run->process) : -EBADF;

        if (c->state == CONTAINER_STARTING && result->started_usec > 0) { /* it ran while there was no berthd */
                c->state = CONTAINER_RUNNING;
                c->result.started_usec = result->started_usec;
                container_changed(c);
        }
        c->departure = departure_free(c->departure);
        if (pidfd >= 0 && departure_new(c->host->event, pidfd, &c->departure) < 0)
                log_warning("container %s: its next start will not wait for this run's monitor", c->name);
        c->run = container_run_free(run);
        container_ended(c, result);
}

void run_end_unrecorded(ContainerRun *run, int exit_code, const char *text) {
        Container *c = run->container;
        ContainerResult result = {
                .exit_code = exit_code, .signal = exit_code > 128 ? exit_code - 128 : 0,
                .restart_count = c->result.restart_count,
        };

        client_queue_fail(&run->clients, exit_code, text);
        if (run->caller.fd >= 0)
                service_caller_refuse(&run->caller, text);
        memcpy(result.run_id, c->result.run_id, sizeof(result.run_id));
        result.error = strdup(text);
        if (run->stop_asked) {
                result.stopped_by = strdup("client");
                result.stopper = run->stopper;
        }
        result.started_usec = c->state == CONTAINER_RUNNING ? c->result.started_usec : 0;
        result.finished_usec = now_usec(CLOCK_REALTIME);
        run_end(run, &result);
}

/* The monitor was killed in a back-off: how the payload ended before that is how it ended. */
static void run_end_waiting(ContainerRun *run) {
        Container *c = run->container;
        ContainerResult result = c->result;

        c->result.stopped_by = c->result.error = NULL; /* went along */
        free(result.error);
        result.error = strdup("the monitor was killed while it waited to start the container again");
        run_end(run, &result);
}

void run_end_recorded(ContainerRun *run, bool died) {
        ContainerResult result;
        int r;

        r = container_result_read(run->bundle_fd, run->container->result.run_id, &result);
        if (r >= 0) {
                run_end(run, &result);
                return;
        }
        container_unit_kill(run->container);
        if (!died)
                run_end_unrecorded(run, 125, "the monitor left no exit record");
        else if (run->monitor == 0)
                run_end_unrecorded(run, 125, TEXT_FORSAKEN);
        else if (run->container->state == CONTAINER_RESTARTING)
                run_end_waiting(run);
        else if (run->container->state == CONTAINER_RUNNING)
                run_end_unrecorded(run, 137, "the monitor was killed");
        else
                run_end_unrecorded(run, 125, "the monitor was killed while the container was being started");
}

void run_abort(ContainerRun *run, const char *text) {
        MonitorRequest request = { .type = MONITOR_ABORT };

        snprintf(request.text, sizeof(request.text), "%s", text);
        if (run->monitor > 0 && container_process_send(run->process, &request, NULL, 0) >= 0)
                return;
        if (run->process)
                container_process_kill(run->process);
        container_unit_kill(run->container);
        run_end_unrecorded(run, 125, text);
}

/* --- The unit, and GO --- */

void run_go(ContainerRun *run) {
        MonitorRequest request = { .type = MONITOR_GO };

        run->gone = true;
        if (container_process_send(run->process, &request, NULL, 0) < 0)
                log_warning("container %s: its monitor cannot be told to go on", run->container->name);
}

static void run_start_unit(ContainerRun *run);

static int on_name_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        ContainerRun *run = userdata;

        run->timer = sd_event_source_disable_unref(run->timer);
        run_start_unit(run);
        return 0;
}

/* The unit of an earlier run goes within milliseconds, as a rule; who does not go loses us to another name. */
static int run_retry_name(ContainerRun *run) {
        Container *c = run->container;
        _cleanup_free_ char *other = NULL;
        uint64_t now = now_usec(CLOCK_MONOTONIC);
        int r;

        if (run->waiting_since == 0)
                run->waiting_since = now;
        if (now - run->waiting_since < OLD_UNIT_WAIT_USEC)
                return sd_event_add_time_relative(c->host->event, &run->timer, CLOCK_MONOTONIC, OLD_UNIT_POLL_USEC,
                                                  1000, on_name_timer, run);
        r = container_unit_name(c->name, c->id, &other);
        if (r < 0)
                return r;
        if (streq(other, c->unit)) /* was tried, too */
                return -EEXIST;
        r = string_replace(&c->unit, other);
        if (r < 0)
                return r;
        run_start_unit(run);
        return 0;
}

static void on_unit_started(int result, const char *text, void *userdata) {
        ContainerRun *run = userdata;
        char line[MONITOR_TEXT_MAX];

        run->job = NULL;
        if (result == -EEXIST)
                result = run_retry_name(run);
        else if (result == 0)
                run_go(run);
        if (result >= 0)
                return;
        snprintf(line, sizeof(line), "systemd could not make the unit %s: %s", run->container->unit,
                 text ? text : strerror(-result));
        run_abort(run, line);
}

int run_save(ContainerRun *run) {
        RunRecord record = {
                .unit = run->container->unit, .ids_base = run->container->ids_base,
                .monitor = run->monitor, .monitor_start = run->monitor_start,
        };

        memcpy(record.run_id, run->container->result.run_id, sizeof(record.run_id));
        return container_bundle_save_run(run->bundle_fd, &record);
}

static void run_start_unit(ContainerRun *run) {
        _cleanup_free_ char *description = NULL;
        Container *c = run->container;
        TransientUnit unit;
        int r;

        r = run_save(run); /* before: a later berthd must know the unit */
        if (r >= 0)
                r = container_unit_lift_log_limit(c);
        if (r < 0 && r != -ENOENT) /* no such directory: no journald either */
                log_warning("container %s: lines beyond journald's rate limit will be lost: %s", c->name, strerror(-r));
        r = container_unit_describe(c, run->monitor, &description, &unit);
        if (r >= 0)
                r = unit_start(c->host->units, &unit, UNIT_TIMEOUT_USEC, on_unit_started, run, &run->job);
        if (r < 0)
                on_unit_started(r, NULL, run);
}

/* --- What the monitor says --- */

static void run_send_stop(ContainerRun *run);

uint64_t run_started(const ContainerRun *run) {
        struct stat st;

        if (fstatat(run->bundle_fd, "monitor", &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        return (uint64_t) st.st_mtim.tv_sec * SEC + (uint64_t) st.st_mtim.tv_nsec / 1000;
}

/* Takes over what the monitor says of its payload, as of now. */
static void take_state(ContainerRun *run, const MonitorEvent *e, ContainerState state) {
        Container *c = run->container;
        bool first = c->state == CONTAINER_STARTING, ended = state == CONTAINER_RESTARTING;

        c->state = state;
        c->pid = e->pid;
        c->result.exit_code = ended ? e->value : 0;
        c->result.signal = ended ? e->signal : 0;
        c->result.oom_killed = e->oom_killed;
        c->result.started_usec = e->started_usec;
        c->result.finished_usec = e->finished_usec;
        c->result.log_ordinal = ended ? e->log_ordinal : 0;
        c->result.restart_count = e->restart_count;
        container_changed(c);
        if (first && container_mark_running(c) < 0)
                log_warning("container %s: that it runs cannot be kept in %s; after a power cut nothing would tell of it",
                            c->name, c->host->statedir);
}

/* It has ended, and its restart policy wants it again. */
static void on_payload_restarting(ContainerRun *run, const MonitorEvent *e) {
        Container *c = run->container;

        take_state(run, e, CONTAINER_RESTARTING);
        if (e->type == MONITOR_RESTARTING) {
                container_emit_die(c);
                container_wait_answer(c, WAIT_EXIT, 0, NULL);
        }
        if (run->stop_wanted)
                run_send_stop(run);
}

static void on_payload_started(ContainerRun *run, const MonitorEvent *e) {
        Container *c = run->container;

        take_state(run, e, CONTAINER_RUNNING);
        if (e->type == MONITOR_STARTED) {
                container_emit(c, "start", NULL);
                if (c->restarting)
                        container_wait_answer(c, WAIT_RESTART, 0, NULL);
        }
        c->restarting = false;
        if (run->stop_wanted) {
                run->deadline = sd_event_source_disable_unref(run->deadline); /* its time begins now */
                run_send_stop(run);
        }
}

static void on_oom(ContainerRun *run) {
        Container *c = run->container;

        c->result.oom_killed = c->oom_told = true;
        container_emit(c, "oom", NULL);
}

/* First on each connection. After a restart of berthd it says how far the run had got. */
static void on_monitor_state(ContainerRun *run, const MonitorEvent *e) {
        if (e->status == MONITOR_STATUS_RUNNING)
                on_payload_started(run, e);
        else if (e->status == MONITOR_STATUS_RESTARTING)
                on_payload_restarting(run, e);
        else if (e->status == MONITOR_STATUS_ENDING)
                run_end_recorded(run, false);
        else if (run->launches == 0 && !run->gone) { /* adopted before GO */
                if (process_in_unit(run->monitor, run->container->unit))
                        run_go(run);
                else if (!run->job && !run->timer)
                        run_start_unit(run);
        }
}

static void on_ack(ContainerRun *run, const MonitorEvent *e) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (e->value < 0)
                sd_bus_error_setf(&error, BERTH_ERROR_UNAVAILABLE, "Container %s: %s", run->container->name,
                                  e->text[0] ? e->text : strerror(-e->value));
        container_wait_answer(run->container, WAIT_ACK, e->cookie, &error);
}

static void on_exec_event(ContainerRun *run, const MonitorEvent *e) {
        char attribute[MONITOR_ID_MAX + 32];

        snprintf(attribute, sizeof(attribute), "execID=%s", e->id);
        if (e->type == MONITOR_EXEC_STARTED)
                container_emit(run->container, "exec_start", attribute);
        else {
                snprintf(attribute, sizeof(attribute), "execID=%s,exitCode=%i", e->id, e->value);
                container_emit(run->container, "exec_die", attribute);
        }
}

void run_on_monitor_event(const MonitorEvent *e, void *userdata) {
        ContainerRun *run = userdata;

        if (!e) {
                run_end_recorded(run, true);
                return;
        }
        switch (e->type) {
        case MONITOR_STATE:
                on_monitor_state(run, e);
                break;
        case MONITOR_ACK:
                on_ack(run, e);
                break;
        case MONITOR_STARTED:
                on_payload_started(run, e);
                break;
        case MONITOR_RESTARTING:
                on_payload_restarting(run, e);
                break;
        case MONITOR_FAILED:
        case MONITOR_EXITED:
                run_end_recorded(run, false);
                break;
        case MONITOR_OOM:
                on_oom(run);
                break;
        case MONITOR_EXEC_STARTED:
        case MONITOR_EXEC_EXITED:
                on_exec_event(run, e);
                break;
        case MONITOR_PREPARED:
                break;
        default:
                log_warning("container %s: its monitor said something unknown (%u)", run->container->name, e->type);
        }
}

/* --- The launch --- */

static int run_launch(ContainerRun *run);

int run_attach_clients(ContainerRun *run) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < run->clients.n; i++)
                r = container_run_attach(run, &run->clients.clients[i]);
        if (r >= 0)
                client_queue_done(&run->clients);
        return r;
}

static void on_monitor_forked(int result, pid_t pid, int pidfd, void *userdata) {
        ContainerRun *run = userdata;
        char line[MONITOR_TEXT_MAX];
        int r = result;

        if (result == -ECONNRESET && run->launches < LAUNCH_ATTEMPTS_MAX) {
                /* berth-spawn died. If it had forked a monitor, that one finds an order to end on the socket it will
                 * never be given a client on; this run goes on with a new one. */
                MonitorRequest request = { .type = MONITOR_ABORT, .text = "berth-spawn was killed" };
                (void) container_process_send(run->process, &request, NULL, 0);
                run->process = container_process_free(run->process);
                r = run_launch(run);
                if (r >= 0)
                        return;
        }
        if (r >= 0) {
                run->monitor = pid;
                run->monitor_start = process_start_time(pid);
                run->listen_fd = fd_close(run->listen_fd);
                r = container_process_watch(run->process, pidfd);
        }
        if (r >= 0)
                r = run_attach_clients(run);
        if (r >= 0)
                run_start_unit(run);
        else {
                snprintf(line, sizeof(line),
                         "berth-spawn could not make a monitor: %s; see systemctl status berth-spawn.service",
                         strerror(-r));
                run_abort(run, line);
        }
}

/* Makes the bundle and asks for a monitor. */
static int run_launch(ContainerRun *run) {
        Container *c = run->container;
        _cleanup_free_ char *socket_path = NULL;
        int r;

        run->launches++;
        run->bundle_fd = fd_close(run->bundle_fd);
        run->listen_fd = fd_close(run->listen_fd);
        r = container_bundle_make(c, run->seccomp, &run->bundle_fd, &run->listen_fd);
        if (r >= 0)
                r = container_bundle_path(c, "monitor.sock", &socket_path);
        if (r >= 0)
                r = container_process_new(c->host->event, socket_path, run_on_monitor_event, run, &run->process);
        if (r >= 0 && run->service)
                return run_enter_service(run);
        return r < 0 ? r
                     : spawn_client_start(c->host->spawn, c->id, run->bundle_fd, run->listen_fd, on_monitor_forked,
                                          run);
}

static void on_filter_made(int result, const char *text, void *userdata) {
        ContainerRun *run = userdata;
        char line[MONITOR_TEXT_MAX];
        int r;

        run->job = NULL;
        /* Another start may have had it made in the meantime, under the same name. */
        if (result < 0 && !seccomp_cache_has(run->seccomp)) {
                snprintf(line, sizeof(line), "berth-seccomp could not make the system call filter: %s",
                         text ? text : strerror(-result));
                run_end_unrecorded(run, 125, line);
                return;
        }
        r = run_launch(run);
        if (r < 0) {
                snprintf(line, sizeof(line), "the start could not go on: %s", strerror(-r));
                run_end_unrecorded(run, 125, line);
        }
}

/* Each start has a worker of its own, so that none depends on the fate of another's; the cache file is renamed into
 * place. */
static int run_make_filter(ContainerRun *run) {
        _cleanup_free_ char *name = NULL, *mask = NULL;
        Container *c = run->container;

        if (asprintf(&name, "berth-seccomp-%.*s.service", CONTAINER_SHORT_ID_LENGTH, c->result.run_id) < 0)
                return -ENOMEM;
        if (asprintf(&mask, "%llx", (unsigned long long) container_capabilities()) < 0)
                return -ENOMEM;
        const TransientUnit unit = {
                .name = name,
                .description = "berth: makes a system call filter",
                .command = (char *[]) { (char *) BERTH_LIBEXECDIR "/berth-seccomp", mask, run->seccomp, NULL },
                .write_paths = (char *[]) { (char *) BERTH_CACHEDIR, NULL },
                .system_calls = (char *[]) { (char *) "seccomp", NULL }, /* libseccomp asks the kernel what it can do */
                .stdin_fd = -EBADF, .stdout_fd = -EBADF,
                .runtime_max_usec = FILTER_TIMEOUT_USEC,
                .memory_max = 128 << 20,
        };
        return unit_start(c->host->units, &unit, FILTER_TIMEOUT_USEC + 10 * SEC, on_filter_made, run, &run->job);
}

/* Everything up to here has been ours alone; from here on the layer is in use. */
static int run_continue(ContainerRun *run) {
        return seccomp_cache_has(run->seccomp) ? run_launch(run) : run_make_filter(run);
}

static void on_departed(bool gone, void *userdata) {
        ContainerRun *run = userdata;
        char line[MONITOR_TEXT_MAX];
        int r;

        if (!gone)
                log_warning("container %s: the monitor of its last run does not end; it is started all the same",
                            run->container->name);
        r = run_continue(run);
        if (r < 0) {
                snprintf(line, sizeof(line), "the start could not go on: %s", strerror(-r));
                run_end_unrecorded(run, 125, line);
        }
}

static bool ids_taken(uint32_t base, void *userdata) {
        ContainerHost *host = userdata;

        return host->ids_in_use(host, base);
}

int run_new(Container *c, ContainerRun **ret) {
        ContainerRun *run = calloc(1, sizeof(ContainerRun));

        if (!run)
                return -ENOMEM;
        run->container = c;
        run->bundle_fd = run->listen_fd = -EBADF;
        run->caller = (ServiceCaller) SERVICE_CALLER_NONE;
        *ret = run;
        return 0;
}

static int run_prepare(ContainerRun *run) {
        Container *c = run->container;
        int r;

        if ((r = run_id_new(c->result.run_id)) < 0 ||
            (r = id_range_pick(c->id, "/etc/subuid", "/etc/subgid", &c->host->spare_ids, ids_taken, c->host,
                               &c->ids_base)) < 0)
                return r;
        free(c->unit);
        c->unit = NULL;
        if (run->service)
                r = container_service_unit(c->name, &c->unit);
        else {
                r = container_unit_name(c->name, NULL, &c->unit);
                if (r >= 0 && c->host->unit_in_use(c->host, c->unit)) { /* by one that was renamed: nothing to wait for */
                        free(TAKE(c->unit));
                        r = container_unit_name(c->name, c->id, &c->unit);
                }
        }
        return r < 0 ? r : seccomp_cache_path(container_capabilities(), &run->seccomp);
}

int container_run_begin(Container *c, ClientStreams *streams, ServiceCaller *caller, sd_bus_error *error) {
        _cleanup_(container_run_freep) ContainerRun *run = NULL;
        ContainerResult before = c->result;
        int r;

        c->result = (ContainerResult) { 0 };
        r = run_new(c, &run);
        if (r >= 0) {
                /* What systemctl started stays a service over a restart: units may be bound to it. */
                run->service = caller || container_wants_service(c) ||
                               (c->restarting && container_unit_is_service(c->unit));
                r = run_prepare(run);
        }
        if (r >= 0 && streams)
                r = client_queue_add(&run->clients, streams);
        if (r >= 0 && caller) {
                run->caller = *caller;
                *caller = (ServiceCaller) SERVICE_CALLER_NONE;
        }
        if (r >= 0) {
                r = departure_wait(c->departure, DEPARTURE_USEC, on_departed, run);
                if (r == 0)
                        r = run_continue(run);
        }
        if (r < 0) {
                c->result = before;
                c->ids_base = 0;
                container_bundle_remove(c);
                if (caller && caller->fd < 0) {
                        *caller = run->caller;
                        run->caller = (ServiceCaller) SERVICE_CALLER_NONE;
                }
                if (r == -ENOTCONN || r == -ENOENT || r == -ECONNREFUSED)
                        return sd_bus_error_setf(error, BERTH_ERROR_UNAVAILABLE,
                                                 "Container %s cannot be started: berth-spawn does not answer; "
                                                 "see systemctl status berth-spawn.socket",
                                                 c->name);
                if (r == -ENOSPC)
                        return sd_bus_error_setf(error, BERTH_ERROR_NO_SPACE,
                                                 "Container %s cannot be started: no space left in " BERTH_RUNDIR
                                                 ", or no ids left", c->name);
                if (r == -E2BIG)
                        return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION,
                                                 "Container %s cannot be started: its settings are too large", c->name);
                return sd_bus_error_set_errnof(error, r, "Container %s cannot be started: %s", c->name, strerror(-r));
        }
        container_result_done(&before);
        c->run = TAKE(run);
        c->state = CONTAINER_STARTING;
        return 0;
}

int container_run_join(ContainerRun *run, ClientStreams *streams) {
        int r;

        if (run->monitor <= 0)
                return client_queue_add(&run->clients, streams);
        r = container_run_attach(run, streams);
        client_streams_done(streams);
        return r;
}

void container_run_settle(ContainerRun *run, uint64_t until_usec) {
        if (run->container->state == CONTAINER_STARTING && run->process)
                container_process_wait(run->process, until_usec);
}

/* --- Requests --- */

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        ContainerRun *run = userdata;

        log_warning("container %s: its monitor did not report the end of a stop, killing all of it",
                    run->container->name);
        if (run->process) /* which may not be in its unit yet */
                container_process_kill(run->process);
        container_unit_kill(run->container);
        if (run->service) /* of which a killed monitor would be started again */
                container_service_retire(run->container->host, run->container->unit);
        return 0;
}

static void run_set_deadline(ContainerRun *run, int32_t timeout) {
        uint64_t deadline = now_usec(CLOCK_MONOTONIC) + ((uint64_t) timeout + STOP_MARGIN_SEC) * SEC, earlier;

        /* As in the monitor: a later request may make it shorter, not longer. */
        if (timeout < 0 ||
            (run->deadline && sd_event_source_get_time(run->deadline, &earlier) >= 0 && earlier <= deadline))
                return;
        run->deadline = sd_event_source_disable_unref(run->deadline);
        if (sd_event_add_time(run->container->host->event, &run->deadline, CLOCK_MONOTONIC, deadline, SEC, on_deadline,
                              run) < 0)
                log_warning("container %s: no time limit for its stop", run->container->name);
}

static void run_send_stop(ContainerRun *run) {
        MonitorRequest request = {
                .type = MONITOR_STOP, .value = run->stop_signal, .origin = "client",
                .timeout_sec = run->stop_timeout < 0 ? -2 : run->stop_timeout, /* -1 would be the container's own */
                .caller = run->stopper,
        };
        int32_t timeout = run->stop_timeout;

        run->stop_wanted = false;
        if (container_process_send(run->process, &request, NULL, 0) < 0)
                timeout = 0; /* deaf: the deadline is what is left */
        run_set_deadline(run, timeout);
}

void container_run_stop(ContainerRun *run, int signo, int32_t timeout) {
        bool first = !run->stop_wanted;

        run->container->host->caller(run->container->host, &run->stopper);
        run->stop_asked = true;
        if (signo <= 0)
                signo = run->container->config.stop_signal;
        if (timeout == OPTION_I32_UNSET)
                timeout = run->container->config.stop_timeout;
        /* One that waits already may be made more urgent, not less. */
        if (first || run->stop_signal != SIGKILL)
                run->stop_signal = signo;
        if (first || run->stop_timeout < 0 || (timeout >= 0 && timeout < run->stop_timeout))
                run->stop_timeout = timeout;
        if (container_is_running(run->container))
                run_send_stop(run);
        else {
                run->stop_wanted = true;
                run_set_deadline(run, run->stop_timeout); /* or rm -f waits as long as a start that hangs */
        }
}

int container_run_signal(ContainerRun *run, int signo, uint32_t *ret_cookie) {
        MonitorRequest request = { .type = MONITOR_SIGNAL, .value = signo };
        int r;

        if (!container_is_running(run->container))
                return -EINPROGRESS;
        r = container_process_send(run->process, &request, NULL, 0);
        if (r >= 0)
                *ret_cookie = request.cookie;
        return r;
}

int container_run_set_policy(ContainerRun *run, const char *policy) {
        MonitorRequest request = { .type = MONITOR_POLICY };

        snprintf(request.text, sizeof(request.text), "%s", policy ? policy : "");
        return run->process ? container_process_send(run->process, &request, NULL, 0) : 0;
}

int container_run_attach(ContainerRun *run, const ClientStreams *streams) {
        MonitorRequest request = { .type = MONITOR_ATTACH };
        int fds[4];
        size_t n;

        request.streams = client_streams_list(streams, fds, &n);
        return container_process_send(run->process, &request, fds, n);
}

int container_run_exec(ContainerRun *run, const ClientStreams *streams, const char *exec_id, json_object *process) {
        MonitorRequest request = { .type = MONITOR_EXEC };
        int fds[5];
        size_t size, n;

        if (run->container->state != CONTAINER_RUNNING)
                return -EINPROGRESS;
        const char *text = json_object_to_json_string_length(
                process, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
        if (!text)
                return -ENOMEM;
        _cleanup_close_ int memfd = memfd_new_sealed("exec", text, size);
        if (memfd < 0)
                return memfd;
        fds[0] = memfd;
        request.streams = client_streams_list(streams, fds + 1, &n);
        snprintf(request.id, sizeof(request.id), "%s", exec_id);
        return container_process_send(run->process, &request, fds, n + 1);
}

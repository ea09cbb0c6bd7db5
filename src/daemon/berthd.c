/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berthd: the bus service org.berth1. Starts, looks at what is there, serves until nothing needs it any more, ends.
 * It may be killed at any moment; the containers do not notice. */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "config.h"
#include "container/bus-errors.h"
#include "daemon/door.h"
#include "util/io.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/wire.h"

#define BUS_NAME "org.berth1"
#define SEC 1000000ull
#define IDLE_SEC_DEFAULT 60
#define ENDING_USEC (20 * SEC) /* for what is queued or under way once the end is decided */

typedef struct Daemon {
        sd_event *event;
        sd_bus *bus;
        Manager *manager;
        Door *door;
        sd_event_source *idle_timer;
        uint64_t idle_usec;
        uint64_t last_call; /* monotonic */
        uint64_t ending_since; /* 0: not */
        bool released;      /* the name is no longer ours */
        bool told_to_end;   /* by SIGTERM, not because nothing was to be done */
} Daemon;

static uint64_t now_monotonic(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * SEC + (uint64_t) t.tv_nsec / 1000;
}

/* Everything that comes in counts as being asked, but for what we asked ourselves. */
static int on_any_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Daemon *d = userdata;

        if (sd_bus_message_is_method_call(m, NULL, NULL))
                d->last_call = now_monotonic();
        return 0;
}

/* --- The end --- */

static int on_released(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Daemon *d = userdata;

        d->released = true; /* whoever calls now has a new berthd started; what came before is in our queue */
        return 0;
}

static int begin_end(Daemon *d) {
        d->ending_since = now_monotonic();
        (void) sd_event_source_set_time_relative(d->idle_timer, 0);
        (void) sd_notify(false, "STOPPING=1");
        return sd_bus_release_name_async(d->bus, NULL, BUS_NAME, on_released, d);
}

/* While the idle end waited somebody started a container: the next berthd is to come at once, not at the next call. One that
 * was told to end (systemctl stop) stays away until it is called. */
static void leave_word(Daemon *d) {
        if (d->told_to_end || !manager_is_busy(d->manager, true))
                return;
        _cleanup_close_ int fd = wire_connect(BERTH_RUNDIR "/berthd.sock");
        if (fd < 0)
                log_debug("no next berthd could be asked for: %s", strerror(-fd));
}

static int on_idle_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Daemon *d = userdata;
        uint64_t now = now_monotonic(), wait = SEC / 20;
        int r;

        if (d->ending_since > 0) {
                if ((d->released && !manager_is_busy(d->manager, false)) || now - d->ending_since > ENDING_USEC) {
                        leave_word(d);
                        return sd_event_exit(d->event, 0);
                }
        } else if (manager_is_busy(d->manager, true) || now - d->last_call < d->idle_usec)
                wait = MAX_OF(SEC / 4, MIN_OF(d->idle_usec, 15 * SEC) / 4);
        else {
                r = begin_end(d);
                if (r < 0)
                        return sd_event_exit(d->event, r);
        }
        r = sd_event_source_set_time_relative(source, wait);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Daemon *d = userdata;

        d->told_to_end = true;
        return d->ending_since > 0 ? 0 : begin_end(d);
}

/* Without the bus there is nobody to serve; systemd starts us again. */
static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Daemon *d = userdata;

        log_warning("the connection to the bus is lost");
        return sd_event_exit(d->event, -ENOTCONN);
}

static int listen_for_monitors(Daemon *d) {
        int n = sd_listen_fds(true), r;

        if (n < 0)
                return n;
        r = door_new(d->manager, &d->door);
        for (int fd = SD_LISTEN_FDS_START; r >= 0 && fd < SD_LISTEN_FDS_START + n; fd++)
                r = door_add(d->door, fd);
        return r;
}

/* --- The beginning --- */

/* BERTH_IDLE_SEC: seconds without anything to do until berthd ends; for tests, and for those who want it to stay. */
static uint64_t idle_usec(void) {
        const char *text = getenv("BERTH_IDLE_SEC");
        uint32_t seconds;

        return (text && parse_u32(text, &seconds) >= 0 ? seconds : IDLE_SEC_DEFAULT) * SEC;
}

static int setup_signals(Daemon *d) {
        static const int terminating[] = { SIGTERM, SIGINT };
        sigset_t set;
        int r;

        sigemptyset(&set);
        for (size_t i = 0; i < N_ELEMENTS(terminating); i++)
                sigaddset(&set, terminating[i]);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        for (size_t i = 0; i < N_ELEMENTS(terminating); i++) {
                r = sd_event_add_signal(d->event, NULL, terminating[i], on_terminate, d);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int setup_bus(Daemon *d) {
        int r;

        if ((r = sd_bus_open_system(&d->bus)) < 0 ||
            (r = sd_bus_attach_event(d->bus, d->event, SD_EVENT_PRIORITY_NORMAL)) < 0 ||
            (r = sd_bus_add_filter(d->bus, NULL, on_any_message, d)) < 0)
                return r;
        return sd_bus_match_signal_async(d->bus, NULL, "org.freedesktop.DBus.Local", NULL, "org.freedesktop.DBus.Local",
                                         "Disconnected", on_disconnected, NULL, d);
}

static int setup(Daemon *d) {
        int r;

        if ((r = sd_event_default(&d->event)) < 0 ||
            (r = sd_event_set_watchdog(d->event, true)) < 0 ||
            (r = setup_signals(d)) < 0 ||
            (r = setup_bus(d)) < 0 ||
            (r = manager_new(d->event, d->bus, BERTH_STATEDIR, BERTH_RUNDIR, &d->manager)) < 0 ||
            (r = manager_publish(d->manager)) < 0 ||
            (r = manager_load(d->manager)) < 0 ||
            /* Who listens to the name's owner is to hear what is found to have ended. Calls wait in our queue until then. */
            (r = sd_bus_request_name(d->bus, BUS_NAME, 0)) < 0 ||
            (r = manager_reconcile(d->manager)) < 0 ||
            (r = listen_for_monitors(d)) < 0)
                return r;
        d->idle_usec = idle_usec();
        d->last_call = now_monotonic();
        return sd_event_add_time_relative(d->event, &d->idle_timer, CLOCK_MONOTONIC, SEC / 4, SEC / 10, on_idle_timer,
                                          d);
}

int main(int argc, char *argv[]) {
        Daemon d = { 0 };
        int r;

        log_open("berthd");
        if (argc == 2 && streq(argv[1], "--version")) {
                puts("berthd " BERTH_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc > 1) {
                log_error("berthd takes no arguments; it is started by systemd (berthd.service).");
                return EXIT_FAILURE;
        }
        r = bus_errors_register();
        if (r >= 0)
                r = setup(&d);
        if (r >= 0) {
                (void) sd_notify(false, "READY=1");
                r = sd_event_loop(d.event);
        } else
                log_error("berthd cannot start: %s", strerror(-r));
        door_free(d.door);
        manager_free(d.manager);
        sd_event_source_disable_unref(d.idle_timer);
        sd_bus_flush_close_unref(d.bus);
        sd_event_unref(d.event);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

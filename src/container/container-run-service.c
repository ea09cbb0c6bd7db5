/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run as a service: systemd starts the monitor, which asks for the bundle (wire/service.h). Either we had systemd do
 * so, or somebody else has: the boot, or systemctl. */
#include <stdio.h>

#include "config.h"
#include "container/container-run-internal.h"
#include "util/io.h"
#include "util/log.h"
#include "util/process.h"
#include "util/strv.h"

#define SERVICE_TIMEOUT_USEC (300 * SEC) /* it may wait for other units, and its monitor for us */
#define REFRESH_TIMEOUT_USEC (60 * SEC)
#define POLL_USEC (SEC / 50)
#define SERVICE_RETRIES_MAX 250         /* at POLL_USEC, for the last run's service to be seen off */

static int run_hand_over(ContainerRun *run) {
        int r;

        run->monitor = run->caller.pid;
        run->monitor_start = process_start_time(run->monitor);
        r = container_process_watch(run->process, TAKE_FD(run->caller.pidfd));
        if (r >= 0)
                r = run_save(run); /* before: a later berthd must know whom it has given the bundle */
        if (r >= 0)
                r = run_attach_clients(run);
        if (r >= 0)
                r = service_caller_give(&run->caller, run->bundle_fd, run->listen_fd);
        if (r < 0)
                return r;
        run->listen_fd = fd_close(run->listen_fd);
        run_go(run);
        return 0;
}

static void hand_over_or_end(ContainerRun *run) {
        char line[MONITOR_TEXT_MAX];
        int r = run_hand_over(run);

        if (r >= 0)
                return;
        snprintf(line, sizeof(line), "the start could not go on: %s", strerror(-r));
        run_end_unrecorded(run, 125, line);
}

static int run_start_service(ContainerRun *run);
static void on_service_started(int result, const char *text, void *userdata);

static int on_service_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        ContainerRun *run = userdata;

        run->timer = sd_event_source_disable_unref(run->timer);
        int r = run_start_service(run);
        if (r < 0)
                on_service_started(r, NULL, run);
        return 0;
}

/* Done without a monitor that asked: systemd has not seen yet that the last run's is gone. */
static void on_service_started(int result, const char *text, void *userdata) {
        ContainerRun *run = userdata;
        char line[MONITOR_TEXT_MAX];

        run->job = NULL;
        if (result == 0 && (run->monitor > 0 || run->caller.fd >= 0))
                return;
        if (result == 0 && run->retries++ < SERVICE_RETRIES_MAX)
                result = sd_event_add_time_relative(run->container->host->event, &run->timer, CLOCK_MONOTONIC,
                                                    POLL_USEC, 1000, on_service_timer, run);
        else if (result == 0)
                result = -EBUSY;
        if (result >= 0)
                return;
        snprintf(line, sizeof(line), "systemd could not start %s: %s", run->container->unit,
                 text ? text : strerror(-result));
        run_abort(run, line);
}

static int run_start_service(ContainerRun *run) {
        Container *c = run->container;

        return unit_start_installed(c->host->units, c->unit, SERVICE_TIMEOUT_USEC, on_service_started, run, &run->job);
}

static void on_service_refreshed(int result, const char *text, void *userdata) {
        ContainerRun *run = userdata;

        run->job = NULL;
        if (result < 0)
                log_warning("container %s: systemd did not read the new settings of %s: %s", run->container->name,
                            run->container->unit, text ? text : strerror(-result));
        if (run->caller.fd >= 0) {
                hand_over_or_end(run);
                return;
        }
        int r = run_start_service(run);
        if (r < 0)
                on_service_started(r, NULL, run);
}

/* The bundle is there. */
int run_enter_service(ContainerRun *run) {
        Container *c = run->container;
        int changed = container_service_install(c);

        if (changed < 0)
                log_warning("container %s: neither its limits nor that it is to start with the machine can be written "
                            "to %s: %s", c->name, BERTH_SYSTEMUNITDIR, strerror(-changed));
        if (changed > 0) /* limits are in force before anything runs, also if systemd was first */
                return unit_refresh(c->host->units, c->unit, REFRESH_TIMEOUT_USEC, on_service_refreshed, run, &run->job);
        return run->caller.fd >= 0 ? run_hand_over(run) : run_start_service(run);
}

int container_run_welcome(ContainerRun *run, ServiceCaller *caller) {
        if (!run->service)
                return -EBUSY;
        if (run->monitor > 0 || run->caller.fd >= 0)
                return -EAGAIN;
        run->caller = *caller;
        *caller = (ServiceCaller) SERVICE_CALLER_NONE;
        if (run->listen_fd >= 0) /* else a step of the start is under way, the last of them comes back to it */
                hand_over_or_end(run);
        return 0;
}

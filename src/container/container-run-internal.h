/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of a run share: container-run.c, container-run-adopt.c, container-run-service.c. */
#pragma once

#include "container/container-process.h"
#include "container/container-run.h"

#define SEC 1000000u
#define TEXT_FORSAKEN "berthd was killed while the container was being started"

struct ContainerRun {
        Container *container;
        ClientQueue clients;        /* who started it, until the monitor has their streams */
        bool service;               /* berth@NAME.service instead of a scope */
        ServiceCaller caller;       /* its monitor, until that has the bundle */
        unsigned retries;
        char *seccomp;
        int bundle_fd, listen_fd;
        ContainerProcess *process;
        pid_t monitor;
        uint64_t monitor_start;
        UnitJob *job;
        sd_event_source *timer;     /* the next look at a unit name that is taken */
        sd_event_source *deadline;  /* of a stop */
        uint64_t waiting_since;     /* monotonic, for that name; 0: did not have to wait */
        unsigned launches;
        bool gone, stop_wanted;     /* GO was sent; a stop is to follow STARTED */
        bool stop_asked;
        int stop_signal;
        int32_t stop_timeout;
        Caller stopper;
};

int run_new(Container *c, ContainerRun **ret);
DEFINE_FREEP(ContainerRun, container_run_free)
/* When the payload was executed, as the bundle shows: the monitor writes its identity just before. 0: it was not. */
uint64_t run_started(const ContainerRun *run);
void run_on_monitor_event(const MonitorEvent *e, void *userdata);
/* The monitor said that it is over, or died. */
void run_end_recorded(ContainerRun *run, bool died);
/* The end of a run that no monitor recorded. */
void run_end_unrecorded(ContainerRun *run, int exit_code, const char *text);
/* The start cannot go on. A monitor that is there is told, records that and tells the client. */
void run_abort(ContainerRun *run, const char *text);
int run_save(ContainerRun *run);
void run_go(ContainerRun *run);
/* The monitor gets the streams of all who have asked for the start so far. */
int run_attach_clients(ContainerRun *run);

/* container-run-service.c. The bundle is there: to a monitor that has asked already it is given, else the unit is
 * started. */
int run_enter_service(ContainerRun *run);

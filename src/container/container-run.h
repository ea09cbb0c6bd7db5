/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run: from the call to start a container until its monitor has reported the end. Steps of a start, each entered
 * from the event loop: filter (only if it must be built) → monitor (berth-spawn) → unit (systemd) → go; as a service:
 * filter → unit, unless systemd was first → its monitor asks for the bundle → go. docs/architecture.md, "A start, in order". While a run exists the container's state is STARTING, RUNNING or RESTARTING; the
 * run's last act is container_ended(). */
#pragma once

#include "container/client-streams.h"
#include "container/container-bundle.h"
#include "container/container-service.h"
#include "container/container.h"

/* Takes streams and caller; either may be NULL. On failure the streams are gone or still theirs, the caller is theirs. */
int container_run_begin(Container *c, ClientStreams *streams, ServiceCaller *caller, sd_bus_error *error);
/* The monitor of the service that this run is about to be. -EAGAIN: it has one that has just died; -EBUSY: it lives in
 * another unit. */
int container_run_welcome(ContainerRun *run, ServiceCaller *caller);

/* For whoever asks for the start that is under way: hears of it as if it had been the first. Takes the streams. */
int container_run_join(ContainerRun *run, ClientStreams *streams);

/* After a restart of berthd: takes up a run whose bundle is there. 0: it lives, or its end has been recorded. */
int container_run_adopt(Container *c, int bundle_fd, const RunRecord *record);

/* Until the monitor of a run that was taken up has said how far it is, or that time (CLOCK_MONOTONIC) has come. May end the run. */
void container_run_settle(ContainerRun *run, uint64_t until_usec);

ContainerRun *container_run_free(ContainerRun *run); /* tells nobody */

/* Waits until the start is through, if need be. */
void container_run_stop(ContainerRun *run, int signo, int32_t timeout);
/* -EINPROGRESS: nothing runs yet. The cookie comes back with the monitor's answer. */
int container_run_set_policy(ContainerRun *run, const char *policy); /* the restart policy; NULL: none */
int container_run_signal(ContainerRun *run, int signo, uint32_t *ret_cookie);
int container_run_attach(ContainerRun *run, const ClientStreams *streams);
int container_run_exec(ContainerRun *run, const ClientStreams *streams, const char *exec_id, json_object *process);

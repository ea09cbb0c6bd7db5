/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run: from the call to start a container until its monitor has reported the end. Steps of a start, each entered
 * from the event loop: filter (only if it must be built) → monitor (berth-spawn) → unit (systemd) → go.
 * docs/architecture.md, "A start, in order". While a run exists the container's state is STARTING or RUNNING; the
 * run's last act is container_ended(). */
#pragma once

#include "container/client-streams.h"
#include "container/container-bundle.h"
#include "container/container.h"

/* Takes the streams, also on failure. */
int container_run_begin(Container *c, ClientStreams *streams, sd_bus_error *error);

/* For whoever asks for the start that is under way: hears of it as if it had been the first. Takes the streams. */
int container_run_join(ContainerRun *run, ClientStreams *streams);

/* After a restart of berthd: takes up a run whose bundle is there. 0: it lives, or its end has been recorded. */
int container_run_adopt(Container *c, int bundle_fd, const RunRecord *record);

ContainerRun *container_run_free(ContainerRun *run); /* tells nobody */

/* Waits until the start is through, if need be. */
void container_run_stop(ContainerRun *run, int signo, int32_t timeout);
/* -EINPROGRESS: nothing runs yet. The cookie comes back with the monitor's answer. */
int container_run_signal(ContainerRun *run, int signo, uint32_t *ret_cookie);
int container_run_attach(ContainerRun *run, const ClientStreams *streams);
int container_run_exec(ContainerRun *run, const ClientStreams *streams, const char *exec_id, json_object *process);

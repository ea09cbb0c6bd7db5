/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to the monitor of one running container (wire/monitor.h), and the watch over that process by its
 * pidfd: the monitor is gone when the pidfd says so, not when a socket was closed. */
#pragma once

#include <systemd/sd-event.h>

#include "wire/monitor.h"
#include "util/macro.h"

typedef struct ContainerProcess ContainerProcess;

/* One message of the monitor; NULL: it is dead, and everything it had sent has been delivered. The callee may free
 * the process. */
typedef void (*ProcessEvent)(const MonitorEvent *event, void *userdata);

/* Connects. Nothing waits: the listening socket may be one that nobody accepts on yet. */
int container_process_new(sd_event *event, const char *socket_path, ProcessEvent callback, void *userdata,
                          ContainerProcess **ret);
ContainerProcess *container_process_free(ContainerProcess *p);
DEFINE_FREEP(ContainerProcess, container_process_free)

/* Takes the pidfd, also on failure. */
int container_process_watch(ContainerProcess *p, int pidfd);

/* Sends; `magic` and a fresh cookie are filled in. -EAGAIN: the monitor does not read. The descriptors stay the
 * caller's. */
int container_process_send(ContainerProcess *p, MonitorRequest *request, const int *fds, size_t n_fds);

/* Waits for a message, outside of the event loop, and delivers it; not beyond that time of CLOCK_MONOTONIC. */
void container_process_wait(ContainerProcess *p, uint64_t until_usec);

/* -EBADF: is not watched. Its end is the caller's business now. */
int container_process_take_pidfd(ContainerProcess *p);
/* SIGKILL to the monitor, if its pidfd is known. */
void container_process_kill(ContainerProcess *p);

/* Is that process in the cgroup of this unit? */
bool process_in_unit(pid_t pid, const char *unit);

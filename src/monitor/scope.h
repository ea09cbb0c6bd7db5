/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Scope is the cgroup of the unit that the monitor lives in (a delegated scope or service), and the sub-cgroups
 * below it: monitor/ for the monitor itself, payload/ for the container, exec/N/ for what is executed in it later.
 * The unit's own limits are systemd's; nothing here writes one. */
#pragma once

#include <sys/types.h>

#include "util/macro.h"

typedef struct Scope {
        char *path; /* of the unit, as in /proc/self/cgroup: /machine.slice/berth-web.scope */
        int fd;     /* its directory; -EBADF: not entered yet */
} Scope;

/* Finds the own unit in /proc/self/cgroup. -ENXIO: there is none, or it is the launcher's: the caller was not moved
 * yet. */
int scope_find(Scope *s);
/* Makes the sub-cgroups, moves the monitor and hands the controllers down, in the one order that the kernel takes. */
int scope_enter(Scope *s);
int scope_move_payload(Scope *s, pid_t init);
/* Makes payload/ ready for another one. Nothing lives there any more. */
void scope_next_payload(Scope *s);

/* SIGKILL to everything in payload/ and exec/; a frozen container dies too. */
void scope_kill(Scope *s);
/* A frozen process takes no signal but SIGKILL. */
void scope_thaw(Scope *s);
/* The unit's memory.events; negative errno: there is no such controller. And how many processes of the unit the
 * kernel's OOM killer has taken, by that file. */
int scope_open_memory_events(Scope *s);
uint64_t scope_oom_kills(int events_fd);

/* A fresh cgroup exec/N for one exec; the directory's descriptor. Removes those whose processes are gone, first. */
int scope_exec_new(Scope *s, unsigned number);
void scope_exec_kill(Scope *s, unsigned number);
void scope_exec_remove(Scope *s, unsigned number);

/* Writes `text` into the file `path` of a cgroup. */
int cgroup_write(int dir_fd, const char *path, const char *text);

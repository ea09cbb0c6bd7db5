/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transient systemd units: one struct describes a unit, one function writes it to the bus, one place waits for its
 * job. Implements the client side of org.freedesktop.systemd1(5): StartTransientUnit, StopUnit, JobRemoved.
 * Asynchronous: everything is answered from the event loop that the bus is attached to. Knows nothing of containers. */
#pragma once

#include <systemd/sd-bus.h>

#include "unit/unit-limits.h"
#include "util/macro.h"

/* The connection to PID 1's API: subscribes once, matches JobRemoved, owns the jobs under way. */
typedef struct UnitManager UnitManager;
/* One start or stop under way. Owned by the UnitManager; the callback is the last that is heard of it. */
typedef struct UnitJob UnitJob;

/* result: 0: the job is done (a scope exists; a Type=oneshot service has run to its end with success); negative
 * errno: -EEXIST (a unit of that name is still there), -ETIMEDOUT, -ECANCELED, -EIO (the job or the service failed),
 * -ENOTCONN (no systemd on the bus). `text`: one line why, or NULL. */
typedef void (*UnitDone)(int result, const char *text, void *userdata);

typedef struct UnitDevice {
        const char *path;        /* "/dev/null" or "char-pts" */
        const char *permissions; /* of "rwm" */
} UnitDevice;

/* Borrowed strings; zero means: leave systemd's default, unless said otherwise. */
typedef struct TransientUnit {
        const char *name;        /* with its suffix: .scope or .service */
        const char *description;
        const char *slice;
        uint64_t timeout_stop_usec;

        /* scopes */
        pid_t pid;               /* still unreaped by its parent */
        const UnitDevice *devices; /* DevicePolicy=strict and these, when n_devices > 0 */
        size_t n_devices;
        const UnitLimits *limits; /* NULL: none, and TasksMax=infinity */
        char *const *needs_mounts; /* RequiresMountsFor=: stay mounted until it has stopped */
        char *const *after, *const *before; /* ordering; both stop the other way round */

        /* services: a worker, Type=oneshot, with a sandbox (no network, read-only system, private /tmp and /dev, no
         * new privileges, native syscalls of @system-service plus what is asked for below,
         * CollectMode=inactive-or-failed) */
        char *const *command;    /* command[0] is an absolute path */
        char *const *environment;
        char *const *write_paths; /* ReadWritePaths= */
        uint64_t capabilities;   /* bounding set, as 1 << CAP_*; 0: none at all */
        char *const *system_calls; /* names or groups besides @system-service; others fail with EPERM */
        char *const *groups;     /* not as root, but as a user of its own in these groups; NULL: as root */
        int stdin_fd, stdout_fd; /* -EBADF: /dev/null. stderr goes to the journal */
        uint64_t runtime_max_usec;
        uint64_t memory_max;     /* bytes */
        uint64_t tasks_max;      /* 0: enough for a worker */
} TransientUnit;

int unit_manager_new(sd_bus *bus, UnitManager **ret);
UnitManager *unit_manager_free(UnitManager *m); /* the callbacks of jobs under way are not called */
DEFINE_FREEP(UnitManager, unit_manager_free)

/* The major version of systemd, 252 or so; 0 until it has told. To wait for that (two seconds at most) is for somebody
 * who has not yet asked the bus for a name: what else comes in meanwhile is handled. */
unsigned unit_manager_version(const UnitManager *m);
int unit_manager_wait_version(UnitManager *m);

/* Queues; `done` is always called later, exactly once, unless the job or the manager is freed first. ret_job may be
 * NULL. */
int unit_start(UnitManager *m, const TransientUnit *unit, uint64_t timeout_usec, UnitDone done, void *userdata,
               UnitJob **ret_job);
/* A unit of the host's, a service. What is starting or stopping already is waited for. */
int unit_start_installed(UnitManager *m, const char *name, uint64_t timeout_usec, UnitDone done, void *userdata,
                         UnitJob **ret_job);
/* Its files have changed: if systemd has loaded it, and only then, it has to read all units again. */
int unit_refresh(UnitManager *m, const char *name, uint64_t timeout_usec, UnitDone done, void *userdata,
                 UnitJob **ret_job);
/* Changes them while it runs, for as long as it does. */
int unit_set_limits(UnitManager *m, const char *name, const UnitLimits *limits, uint64_t timeout_usec, UnitDone done,
                    void *userdata, UnitJob **ret_job);
/* Nobody waits for it. */
void unit_reset_failed(UnitManager *m, const char *name);
int unit_stop(UnitManager *m, const char *name, uint64_t timeout_usec, UnitDone done, void *userdata,
              UnitJob **ret_job);

/* Forgets the callback; what systemd does goes on. */
void unit_job_forget(UnitJob *job);

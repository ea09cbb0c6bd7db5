/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container needs of the daemon around it: the connections it acts through, and whom it tells. Filled once by
 * the Manager, which outlives every container. */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "container/id-range.h"
#include "image/image-store.h"
#include "unit/unit.h"
#include "wire/caller.h"

typedef struct Container Container;
typedef struct ContainerHost ContainerHost;
typedef struct SpawnClient SpawnClient;
typedef struct Records Records;

struct ContainerHost {
        sd_bus *bus;
        sd_event *event;
        UnitManager *units;
        ImageStore *images;
        SpawnClient *spawn;
        Records *records; /* NULL: nothing is told in the journal */
        const char *statedir, *rundir;
        struct LogWorker *log_workers; /* container-logs.c */
        IdRangeSpares spare_ids;

        /* > 0: may go on; 0: asked, the handler runs again when the answer is in; negative: refused, `error` says
         * why. */
        int (*authorize)(ContainerHost *host, sd_bus_message *m, const char *action, sd_bus_error *error);
        /* Who made the call that is being handled; nobody outside of one. */
        void (*caller)(ContainerHost *host, Caller *ret);
        /* The signal Event. `attributes`: KEY=VALUE. */
        void (*emit)(ContainerHost *host, const char *type, const char *action, const char *id,
                     char *const *attributes);
        /* The container has been removed: forget it now, free it when the event loop is back in control. */
        void (*removed)(ContainerHost *host, Container *c);
        /* A run has ended: what belongs to its unit outside of it is to be removed soon. */
        void (*unit_ended)(ContainerHost *host);
        /* Something is in STATEDIR/trash. */
        void (*trashed)(ContainerHost *host);
        /* Nobody has this name: 0. Else NameInUse in `error`. */
        int (*check_name)(ContainerHost *host, const char *name, sd_bus_error *error);
        bool (*ids_in_use)(ContainerHost *host, uint32_t base);
        bool (*unit_in_use)(ContainerHost *host, const char *unit);
};

/* Calls that wait for one container. */
#define CONTAINER_WAITERS_MAX 1024

#define POLKIT_MANAGE "org.berth1.manage"
#define POLKIT_INSPECT "org.berth1.inspect"

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call for each of several containers, all under way at the same time: ten containers that take ten seconds to
 * stop take ten seconds. */
#pragma once

#include <systemd/sd-bus.h>

#include "util/macro.h"

typedef struct Batch {
        const char *member; /* of BUS_CONTAINER: "Stop" */
        int (*append)(sd_bus_message *m); /* the arguments; NULL: none */
        void (*print)(const char *name, sd_bus_message *reply); /* a success; NULL: the name as it was given */
        const char *ignore; /* an error name that is printed, but no failure; NULL: none */
        bool again; /* may be called once more when berthd went away before it answered */
        bool gone_is_done; /* then a container that is there no more is what was wanted */
} Batch;

/* Prints each result in the order of the names. EXIT_OK, or EXIT_FAILED if any failed. */
int batch_run(const Batch *batch, int argc, char **argv);

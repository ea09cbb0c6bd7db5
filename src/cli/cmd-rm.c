/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth rm: removes containers. */
#include "cli/batch.h"
#include "cli/bus.h"
#include "cli/verb.h"

static bool arg_force;
static bool arg_volumes;

const Arg rm_args[] = {
        { "force", 'f', ARG_BOOL, &arg_force, NULL, "Kill it first if it is running" },
        { "volumes", 'v', ARG_BOOL, &arg_volumes, NULL, "Remove its anonymous volumes too" },
        { 0 },
};

static int append_options(sd_bus_message *m) {
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        if (r >= 0 && arg_force)
                r = bus_append_entry(m, "force", "b", 1);
        if (r >= 0 && arg_volumes)
                r = bus_append_entry(m, "volumes", "b", 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int cmd_rm(int argc, char **argv) {
        /* As with docker: with -f, what is not there is said, but no failure. */
        const Batch rm = {
                "Remove", append_options, .ignore = arg_force ? BERTH_ERROR_NO_SUCH_CONTAINER : NULL,
                .again = true, .gone_is_done = true,
        };

        return batch_run(&rm, argc, argv);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth kill: a signal to the first process of containers. */
#include "cli/batch.h"
#include "cli/verb.h"

static char *arg_signal;

const Arg kill_args[] = {
        { "signal", 's', ARG_STRING, &arg_signal, "string", "Signal to send (default KILL)" },
        { 0 },
};

static int append_signal(sd_bus_message *m) {
        return sd_bus_message_append(m, "s", arg_signal ?: "KILL");
}

int cmd_kill(int argc, char **argv) {
        static const Batch kill = { "Kill", append_signal };

        return batch_run(&kill, argc, argv);
}

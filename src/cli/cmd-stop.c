/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth stop and berth restart: the same request, to end or to end and begin again. */
#include "cli/batch.h"
#include "cli/bus.h"
#include "cli/verb.h"
#include "container/option-values.h"

static int32_t arg_timeout = OPTION_I32_UNSET;
static char *arg_signal;

#define STOP_ARGS \
        { "signal", 's', ARG_STRING, &arg_signal, "string", \
          "Signal that asks it to end (default: the container's stop signal)" }, \
        { "timeout", 't', ARG_I32, &arg_timeout, "int", "Seconds to wait before it is killed (-1: for ever)", \
          parse_timeout }, \
        { "time", 0, ARG_I32, &arg_timeout, "int", NULL, parse_timeout }, \
        { 0 }

const Arg stop_args[] = { STOP_ARGS };
const Arg restart_args[] = { STOP_ARGS };

static int append_options(sd_bus_message *m) {
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        if (r >= 0 && arg_timeout != OPTION_I32_UNSET)
                r = bus_append_entry(m, "timeout", "i", arg_timeout);
        if (r >= 0 && arg_signal)
                r = bus_append_entry(m, "signal", "s", arg_signal);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int cmd_stop(int argc, char **argv) {
        static const Batch stop = { "Stop", append_options, .again = true, .gone_is_done = true };

        return batch_run(&stop, argc, argv);
}

int cmd_restart(int argc, char **argv) {
        static const Batch restart = { "Restart", append_options };

        return batch_run(&restart, argc, argv);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth wait: waits for the end of containers and prints their exit codes. */
#include <stdio.h>

#include "cli/batch.h"
#include "cli/verb.h"

static int append_condition(sd_bus_message *m) {
        return sd_bus_message_append(m, "s", "");
}

static void print_status(const char *name, sd_bus_message *reply) {
        int32_t status;

        if (sd_bus_message_read(reply, "i", &status) >= 0)
                printf("%d\n", status);
}

int cmd_wait(int argc, char **argv) {
        static const Batch wait = { "Wait", append_condition, print_status, .again = true };

        return batch_run(&wait, argc, argv);
}

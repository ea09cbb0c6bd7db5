/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth update: other limits and another restart policy, by rows of the option table. */
#include "cli/batch.h"
#include "cli/bus.h"
#include "cli/verb.h"

static int append_changes(sd_bus_message *m) {
        return container_settings_to_bus(&arg_settings, m);
}

int cmd_update(int argc, char **argv) {
        static const Batch update = { "Update", append_changes };

        if (!container_settings_find(&arg_settings, true)) {
                cli_error("You must provide one or more flags when using this command.");
                return EXIT_FAILED;
        }
        return batch_run(&update, argc, argv);
}

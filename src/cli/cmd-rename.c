/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth rename: gives a container another name. */
#include "cli/bus.h"
#include "cli/verb.h"
#include "util/strv.h"

int cmd_rename(int argc, char **argv) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        if (!*argv[0] || !*argv[1]) {
                cli_error("Neither old nor new names may be empty");
                return EXIT_FAILED;
        }
        r = bus_get_container(argv[0], &path, &error);
        if (r >= 0)
                r = bus_call_method(path, BUS_CONTAINER, "Rename", NULL, &error, "s", argv[1]);
        if (r < 0)
                bus_print_error(&error, r);
        return r < 0 ? EXIT_FAILED : EXIT_OK;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth tag: another name for an image. */
#include "cli/bus.h"
#include "cli/verb.h"

int cmd_tag(int argc, char **argv) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = bus_get_image(argv[0], &path, &error);
        if (r >= 0)
                r = bus_call_method(path, BUS_IMAGE, "Tag", NULL, &error, "s", argv[1]);
        if (r >= 0)
                return EXIT_OK;
        return bus_print_error(&error, r);
}

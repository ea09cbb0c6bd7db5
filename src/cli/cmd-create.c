/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth create: a container that is not started. */
#include <stdio.h>

#include "cli/new-container.h"

static char *arg_cidfile;

const Arg create_args[] = {
        { "cidfile", 0, ARG_STRING, &arg_cidfile, "string", "Write the container's ID to this file" },
        ARG_NET,
        { 0 },
};

static int create(int cidfile) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *m = NULL, *reply = NULL;
        const char *id = NULL;
        int r;

        r = bus_message_new(BUS_PATH, BUS_MANAGER, "CreateContainer", &m, &error);
        if (r >= 0)
                r = new_container_append(m);
        if (r >= 0)
                r = bus_call(m, &reply, &error);
        if (r >= 0)
                r = sd_bus_message_read(reply, "os", NULL, &id);
        if (r < 0) {
                (void) cidfile_close(arg_cidfile, cidfile, NULL);
                return bus_print_error(&error, r);
        }
        r = cidfile_close(arg_cidfile, cidfile, id);
        printf("%s\n", id);
        (void) new_container_warnings(reply);
        return r < 0 ? EXIT_FAILED : EXIT_OK;
}

int cmd_create(int argc, char **argv) {
        int cidfile, r;

        r = new_container_settings(argc, argv);
        if (r > 0)
                return r;
        r = new_container_attach();
        if (r < 0)
                return r;
        if (cidfile_open(arg_cidfile, &cidfile) < 0)
                return EXIT_OURS;
        return create(cidfile);
}

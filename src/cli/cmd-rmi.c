/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth rmi: removes images, or names of images. */
#include <stdio.h>

#include "cli/bus.h"
#include "cli/verb.h"

static bool arg_force;

const Arg rmi_args[] = {
        { "force", 'f', ARG_BOOL, &arg_force, NULL, "Also if it has several names or stopped containers use it" },
        { 0 },
};

static int call_remove(const char *reference, sd_bus_message **ret, sd_bus_error *error) {
        _cleanup_bus_message_ sd_bus_message *m = NULL;
        int r;

        r = bus_message_new(BUS_PATH, BUS_MANAGER, "RemoveImage", &m, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "s", reference);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && arg_force)
                r = bus_append_entry(m, "force", "b", 1);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : bus_call(m, ret, error);
}

/* False: it failed, and that is said. */
static bool remove_image(const char *reference) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        const char *what, *name;
        int r;

        r = call_remove(reference, &reply, &error);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &what, &name)) > 0)
                printf("%s: %s\n", what, name);
        if (r >= 0)
                return true;
        bus_print_error(&error, r);
        return arg_force && sd_bus_error_has_name(&error, BERTH_ERROR_NO_SUCH_IMAGE); /* as with docker */
}

int cmd_rmi(int argc, char **argv) {
        bool failed = false;

        for (int i = 0; i < argc; i++)
                if (!remove_image(argv[i]))
                        failed = true;
        return failed ? EXIT_FAILED : EXIT_OK;
}

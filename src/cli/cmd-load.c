/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth load: the images of an archive that docker, podman or skopeo wrote. */
#include <stdio.h>

#include "cli/archive.h"
#include "cli/bus.h"
#include "cli/verb.h"
#include "oci/reference.h"
#include "util/io.h"
#include "util/strv.h"

static char *arg_input;
static bool arg_quiet;

const Arg load_args[] = {
        { "input", 'i', ARG_STRING, &arg_input, "string", "Read this file, not standard input" },
        { "quiet", 'q', ARG_BOOL, &arg_quiet, NULL, "Show no progress" },
        { 0 },
};

static int print_images(sd_bus_message *reply) {
        const char *reference, *id;
        int r = sd_bus_message_enter_container(reply, 'a', "(ss)");

        while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &reference, &id)) > 0) {
                _cleanup_free_ char *shown = NULL;
                if (*reference)
                        printf("Loaded image: %s\n", oci_reference_shorten(reference, &shown) >= 0 ? shown : reference);
                else
                        printf("Loaded image ID: %s%s\n", startswith(id, "sha256:") ? "" : "sha256:", id);
        }
        return r;
}

int cmd_load(int argc, char **argv) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        _cleanup_close_ int archive = archive_open(arg_input, "load");
        if (archive < 0)
                return EXIT_FAILED;
        r = bus_message_new(BUS_PATH, BUS_MANAGER, "LoadImage", &m, &error);
        if (r >= 0)
                r = sd_bus_message_append(m, "ha{sv}", archive, 0);
        if (r >= 0)
                r = archive_call(m, archive, !arg_quiet, &reply, &error);
        if (r >= 0)
                r = print_images(reply);
        if (r >= 0)
                return EXIT_OK;
        return bus_print_error(&error, r);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth import: an image with one layer, made of an archive of files. */
#include <stdio.h>

#include "cli/archive.h"
#include "cli/bus.h"
#include "cli/verb.h"
#include "util/io.h"
#include "util/strv.h"

static char **arg_changes;
static char *arg_message;

const Arg import_args[] = {
        { "change", 'c', ARG_STRV, &arg_changes, "list", "Dockerfile instructions for the image's configuration" },
        { "message", 'm', ARG_STRING, &arg_message, "string", "Comment for the image's history" },
        { 0 },
};

static int append_changes(sd_bus_message *m) {
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", "changes");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, arg_changes);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_arguments(sd_bus_message *m, int archive, const char *reference) {
        int r = sd_bus_message_append(m, "hs", archive, reference);

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && arg_changes)
                r = append_changes(m);
        if (r >= 0 && arg_message)
                r = bus_append_entry(m, "message", "s", arg_message);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int cmd_import(int argc, char **argv) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *m = NULL, *reply = NULL;
        const char *id;
        int r;

        _cleanup_close_ int archive = archive_open(streq(argv[0], "-") ? NULL : argv[0], "import");
        if (archive < 0)
                return EXIT_FAILED;
        r = bus_message_new(BUS_PATH, BUS_MANAGER, "ImportImage", &m, &error);
        if (r >= 0)
                r = append_arguments(m, archive, argc > 1 ? argv[1] : "");
        if (r >= 0)
                r = bus_call(m, &reply, &error);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &id);
        if (r < 0)
                return bus_print_error(&error, r);
        printf("%s%s\n", startswith(id, "sha256:") ? "" : "sha256:", id);
        return EXIT_OK;
}

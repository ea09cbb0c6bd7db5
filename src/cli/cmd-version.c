/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth version: the versions of the command and of the service. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "config.h"

#include "cli/bus.h"
#include "cli/verb.h"
#include "util/json.h"
#include "util/strv.h"
#include "util/template.h"

static char *arg_format;

const Arg version_args[] = {
        { "format", 'f', ARG_STRING, &arg_format, "string", "A Go template, or 'json'" },
        { 0 },
};

/* Go's name of a machine, as in images; the kernel's own for those that are rare. */
static const char *go_name(const char *machine) {
        static const char *const names[][2] = { { "x86_64", "amd64" }, { "aarch64", "arm64" }, { "i686", "386" } };

        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (streq(machine, names[i][0]))
                        return names[i][1];
        return machine;
}

/* {"Version": …, "Os": …, "Arch": …, "KernelVersion": …} */
static int describe(const char *version, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        struct utsname uts = {};
        int r;

        uname(&uts);
        r = o ? json_add_string(o, "Version", version) : -ENOMEM;
        if (r >= 0)
                r = json_add_string(o, "Os", "linux");
        if (r >= 0)
                r = json_add_string(o, "Arch", go_name(uts.machine));
        if (r >= 0)
                r = json_add_string(o, "KernelVersion", uts.release);
        if (r >= 0)
                *ret = TAKE(o);
        return r;
}

static int get_server(json_object **ret, sd_bus_error *error) {
        _cleanup_free_ char *version = NULL;
        sd_bus *bus;
        int r = bus_open(&bus, error);

        if (r >= 0)
                r = sd_bus_get_property_string(bus, BUS_NAME, BUS_PATH, BUS_MANAGER, "Version", error, &version);
        return r < 0 ? r : describe(version, ret);
}

static void print_part(const char *title, json_object *part) {
        printf("%s:\n", title);
        json_object_object_foreach(part, key, item) {
                printf(" %s:%*s%s\n", key, (int) (14 - strlen(key)), "", json_object_get_string(item));
        }
}

static int print_format(json_object *all) {
        _cleanup_(template_freep) Template *t = NULL;
        _cleanup_free_ char *error = NULL, *text = NULL;
        TemplateOptions options = { .missing_is_error = true };
        int r = template_parse(streq(arg_format, "json") ? "{{json .}}" : arg_format, &t, &error);

        if (r >= 0)
                r = template_execute(t, all, &options, &text, NULL, &error);
        if (r == -EINVAL && error) {
                cli_error("template parsing error: %s", error);
                return EXIT_FAILED;
        }
        if (r < 0)
                return r;
        puts(text);
        return EXIT_OK;
}

int cmd_version(int argc, char **argv) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_json_ json_object *all = json_object_new_object();
        json_object *client = NULL, *server = NULL;
        int r, answered;

        r = all ? describe(BERTH_VERSION, &client) : -ENOMEM;
        if (r >= 0)
                r = json_add_object(all, "Client", client);
        if (r < 0)
                return r;
        answered = get_server(&server, &error);
        if (answered == -ENOMEM)
                return answered;
        if (json_object_object_add(all, "Server", server) < 0)
                return -ENOMEM;
        if (arg_format && *arg_format) {
                r = print_format(all);
                if (r != EXIT_OK)
                        return r;
        } else {
                print_part("Client", client);
                if (server)
                        print_part("\nServer", server);
        }
        if (answered >= 0)
                return EXIT_OK;
        fflush(stdout);
        return bus_print_error(&error, answered);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth exec: one more process in a running container. Its other flags are rows of container_options. */
#include <fcntl.h>
#include <stdio.h>

#include "cli/bus.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "container/option-values.h"
#include "util/strv.h"

static bool arg_detach;
static char *arg_detach_keys;

const Arg exec_args[] = {
        { "detach", 'd', ARG_BOOL, &arg_detach, NULL, "Do not wait for it to end" },
        ARG_DETACH_KEYS(arg_detach_keys),
        { 0 },
};

static int append_arguments(sd_bus_message *m, char *const *command, Session *session) {
        int r = sd_bus_message_append_strv(m, (char **) command);

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = container_settings_append_entries(&arg_settings, m);
        if (r >= 0 && arg_detach)
                r = bus_append_entry(m, "detach", "b", 1);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : session_append(session, m);
}

/* EXIT_OK, or the exit code. Nothing of the call is left when this returns: its messages hold the far ends of our pipes. */
static int call_exec(char **argv, Session *session, int *ret_control) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_free_ char *path = NULL;
        int control, r;

        r = bus_container_path(argv[0], &path, &error);
        if (r >= 0)
                r = bus_message_new(path, BUS_CONTAINER, "Exec", &m, &error);
        if (r >= 0)
                r = append_arguments(m, argv + 1, session);
        if (r >= 0)
                r = bus_call(m, &reply, &error);
        if (r >= 0)
                r = sd_bus_message_read(reply, "sh", NULL, &control);
        if (r < 0)
                return bus_print_error(&error, r);
        *ret_control = fcntl(control, F_DUPFD_CLOEXEC, 3);
        return *ret_control < 0 ? bus_print_error(NULL, -errno) : EXIT_OK;
}

static int check_settings(char **command) {
        _cleanup_free_ char *why = NULL;
        int r;

        r = container_settings_read_files(&arg_settings, &why);
        if (r >= 0)
                r = container_settings_validate(&arg_settings, &why);
        if (r >= 0)
                r = validate_strings(&command, &why);
        if (r < 0)
                cli_error("%s", why ?: strerror(-r));
        return r;
}

int cmd_exec(int argc, char **argv) {
        _cleanup_(session_done) Session session = SESSION_NULL;
        int control = -EBADF, r;

        if (check_settings(argv + 1) < 0)
                return EXIT_OURS;
        if (!arg_detach) {
                /* Signals are not passed on: as with docker they end the client, and the process with it. */
                const SessionSettings settings = {
                        .tty = arg_settings.tty,
                        .streams = { arg_settings.interactive, true, true },
                        .escape_fails = true,
                        .detach_keys = arg_detach_keys,
                };
                r = session_open(&session, &settings);
                if (r < 0)
                        return r == -ENOTTY || r == -EINVAL ? EXIT_FAILED : r;
                if (arg_settings.tty)
                        arg_settings.console_size = session_console_size();
        }
        session.what = argv[0];
        r = call_exec(argv, arg_detach ? NULL : &session, &control);
        if (r != EXIT_OK)
                return r;
        bus_close();
        return arg_detach ? session_wait_start(control, argv[0]) : session_run(&session, control);
}

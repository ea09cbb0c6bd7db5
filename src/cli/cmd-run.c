/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth run: create, start and, unless detached, be the foreground of a container; one call of berthd for all of it. */
#include <fcntl.h>
#include <stdio.h>

#include "cli/new-container.h"
#include "cli/session.h"
#include "util/io.h"
#include "util/strv.h"

static bool arg_detach;
static bool arg_sig_proxy = true;
static char *arg_cidfile;
static char *arg_detach_keys;

const Arg run_args[] = {
        { "detach", 'd', ARG_BOOL, &arg_detach, NULL, "Run in the background, print the container's ID" },
        { "cidfile", 0, ARG_STRING, &arg_cidfile, "string", "Write the container's ID to this file" },
        ARG_DETACH_KEYS(arg_detach_keys),
        ARG_SIG_PROXY(arg_sig_proxy),
        ARG_NET,
        { 0 },
};

/* EXIT_OK, or the exit code. Nothing of the call is left when this returns: its messages hold the far ends of our pipes. */
static int call_run(Session *session, int cidfile, char **ret_id, int *ret_control) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *m = NULL, *reply = NULL;
        const char *id = NULL;
        int control, r;

        r = bus_message_new(BUS_PATH, BUS_MANAGER, "Run", &m, &error);
        if (r >= 0)
                r = new_container_append(m);
        if (r >= 0)
                r = session_append(session, m);
        if (r >= 0)
                r = bus_call(m, &reply, &error);
        if (r >= 0)
                r = sd_bus_message_read(reply, "osh", NULL, &id, &control);
        if (r < 0) {
                (void) cidfile_close(arg_cidfile, cidfile, NULL);
                return bus_print_error(&error, r);
        }
        r = cidfile_close(arg_cidfile, cidfile, id);
        if (r < 0)
                return EXIT_OURS;
        (void) new_container_warnings(reply);
        *ret_control = fcntl(control, F_DUPFD_CLOEXEC, 3);
        *ret_id = strdup(id);
        return *ret_control >= 0 && *ret_id ? EXIT_OK : bus_print_error(NULL, negative_errno());
}

static int run_detached(int cidfile) {
        _cleanup_free_ char *id = NULL;
        int control = -EBADF, r;

        r = call_run(NULL, cidfile, &id, &control);
        if (r != EXIT_OK)
                return r;
        bus_close();
        r = session_wait_start(control, id);
        if (r == EXIT_OK)
                printf("%s\n", id);
        return r;
}

/* Neither stdout nor stderr was asked for: all that there is to be seen is the id. Its stdin is passed, if it has one. */
static bool shows_output(void) {
        return new_container_attaches("stdout") || new_container_attaches("stderr");
}

static int run_foreground(Session *session, int cidfile) {
        _cleanup_free_ char *id = NULL;
        int control = -EBADF, r;

        r = call_run(session, cidfile, &id, &control);
        if (r != EXIT_OK)
                return r;
        bus_close();
        session->what = arg_settings.name ?: id;
        if (!shows_output()) {
                printf("%s\n", id);
                (void) fflush(stdout);
        }
        return session_run(session, control);
}

static int open_session(Session *session) {
        const SessionSettings settings = {
                .tty = arg_settings.tty,
                .streams = { arg_settings.interactive, new_container_attaches("stdout"),
                             new_container_attaches("stderr") },
                .sig_proxy = arg_sig_proxy,
                .detach_keys = arg_detach_keys,
        };

        return session_open(session, &settings);
}

/* What there is besides the settings of the container. */
static int prepare(Session *session) {
        int r;

        if (arg_detach && arg_settings.attach) {
                cli_error("conflicting options: -a and -d");
                return EXIT_OURS;
        }
        if (arg_detach)
                return 0;
        r = new_container_attach();
        if (r >= 0)
                r = open_session(session);
        return r == -ENOTTY ? EXIT_FAILED : r == -EINVAL ? EXIT_OURS : r;
}

int cmd_run(int argc, char **argv) {
        _cleanup_(session_done) Session session = SESSION_NULL;
        int cidfile, r;

        r = new_container_settings(argc, argv);
        if (r == 0)
                r = prepare(&session);
        if (r != 0)
                return r;
        if (cidfile_open(arg_cidfile, &cidfile) < 0)
                return EXIT_OURS;
        /* Without any stream there is nothing to be the foreground of. */
        return arg_detach || (!shows_output() && !arg_settings.interactive) ? run_detached(cidfile)
                                                                            : run_foreground(&session, cidfile);
}

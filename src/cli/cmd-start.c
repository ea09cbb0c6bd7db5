/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth start: starts containers that exist; with -a or -i, one of them in the foreground. */
#include <fcntl.h>
#include <stdio.h>

#include "cli/bus.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "util/strv.h"
#include "wire/errors.h"

static bool arg_attach;
static bool arg_interactive;
static bool arg_sig_proxy = true;

const Arg start_args[] = {
        { "attach", 'a', ARG_BOOL, &arg_attach, NULL, "Show its output, pass signals on, end with its exit code" },
        { "interactive", 'i', ARG_BOOL, &arg_interactive, NULL, "Pass standard input to it, if it was made with -i" },
        { "sig-proxy", 0, ARG_BOOL, &arg_sig_proxy, NULL,
          "Pass signals on to the container (default true, never with a terminal)" },
        { 0 },
};

/* Start, or Attach. Nothing of the call is left when this returns: its messages hold the far ends of our pipes. One
 * that runs is as good as started: 0, and no control. */
static int call(const char *path, const char *member, Session *session, int *ret_control) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *m = NULL, *reply = NULL;
        int control, r;

        r = bus_message_new(path, BUS_CONTAINER, member, &m, &error);
        if (r >= 0)
                r = session_append(session, m);
        if (r >= 0)
                r = bus_call(m, &reply, &error);
        if (r >= 0)
                r = sd_bus_message_read(reply, "h", &control);
        *ret_control = -EBADF;
        if (r < 0 && sd_bus_error_has_name(&error, BERTH_ERROR_RUNNING))
                return 0;
        if (r >= 0) {
                *ret_control = fcntl(control, F_DUPFD_CLOEXEC, 3);
                r = *ret_control < 0 ? -errno : 0;
        }
        if (r < 0)
                bus_print_error(&error, r);
        return r;
}

static int get_path(const char *name, char **ret) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = bus_get_container(name, ret, &error);

        if (r < 0)
                bus_print_error(&error, r);
        return r;
}

/* False: it failed, and that is said. */
static bool start_detached(const char *name) {
        _cleanup_free_ char *path = NULL;
        int control;

        if (get_path(name, &path) < 0 || call(path, "Start", NULL, &control) < 0)
                return false;
        if (control >= 0 && session_wait_start(control, name) != EXIT_OK)
                return false;
        printf("%s\n", name);
        return true;
}

static int get_terminal(const char *path, bool *ret_tty) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus *bus;
        int tty = 0, r;

        r = bus_open(&bus, &error);
        if (r >= 0)
                r = sd_bus_get_property_trivial(bus, BUS_NAME, path, BUS_CONTAINER, "Tty", &error, 'b', &tty);
        if (r < 0)
                bus_print_error(&error, r);
        *ret_tty = tty;
        return r;
}

static int call_with_streams(const char *path, const char *member, Session *session, bool tty, int *ret_control) {
        int r = session_open(session, tty, arg_interactive, arg_sig_proxy);

        if (r < 0 && r != -ENOTTY)
                cli_error("cannot make pipes for its streams: %s", strerror(-r));
        return r < 0 ? r : call(path, member, session, ret_control);
}

/* As with docker, who starts what runs already sees it from now on. */
static int call_attached(const char *path, Session *session, bool tty, int *ret_control) {
        int r = call_with_streams(path, "Start", session, tty, ret_control);

        if (r < 0 || *ret_control >= 0)
                return r;
        session_done(session); /* the refused call took the far ends of its pipes */
        return call_with_streams(path, "Attach", session, tty, ret_control);
}

static int start_attached(const char *name) {
        _cleanup_(session_done) Session session = SESSION_NULL;
        _cleanup_free_ char *path = NULL;
        int control = -EBADF;
        bool tty;

        if (get_path(name, &path) < 0 || get_terminal(path, &tty) < 0 ||
            call_attached(path, &session, tty, &control) < 0)
                return EXIT_FAILED;
        session.what = name;
        bus_close();
        return session_run(&session, control);
}

int cmd_start(int argc, char **argv) {
        bool failed = false;

        if (arg_attach || arg_interactive) {
                if (argc > 1) {
                        cli_error("you cannot start and attach multiple containers at once");
                        return EXIT_FAILED;
                }
                return start_attached(argv[0]);
        }
        for (int i = 0; i < argc; i++)
                if (!start_detached(argv[i]))
                        failed = true;
        return failed ? EXIT_FAILED : EXIT_OK;
}

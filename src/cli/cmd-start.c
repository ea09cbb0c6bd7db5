/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth start: starts containers that exist; with -a or -i, one of them in the foreground. */
#include <stdio.h>

#include "cli/bus.h"
#include "cli/target.h"
#include "cli/verb.h"

static bool arg_attach;
static bool arg_interactive;
static bool arg_sig_proxy = true;
static char *arg_detach_keys;

const Arg start_args[] = {
        { "attach", 'a', ARG_BOOL, &arg_attach, NULL, "Show its output, pass signals on, end with its exit code" },
        { "interactive", 'i', ARG_BOOL, &arg_interactive, NULL, "Pass standard input to it, if it was made with -i" },
        ARG_DETACH_KEYS(arg_detach_keys),
        ARG_SIG_PROXY(arg_sig_proxy),
        { 0 },
};

/* False: it failed, and that is said. */
static bool start_detached(const char *name) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(target_done) Target target = { 0 };
        int control = -EBADF, r;

        r = bus_get_container(name, &target.path, &error);
        if (r < 0) {
                bus_print_error(&error, r);
                return false;
        }
        r = target_call(&target, "Start", NULL, BERTH_ERROR_RUNNING, &control);
        if (r < 0 && r != -ECANCELED) /* one that runs is as good as started */
                return false;
        if (r >= 0 && session_wait_start(control, name) != EXIT_OK)
                return false;
        printf("%s\n", name);
        return true;
}

static int call_with_streams(const Target *target, const char *member, Session *session, int *ret_control) {
        const SessionSettings settings = {
                .tty = target->tty,
                .streams = { arg_interactive && target->open_stdin, true, true },
                .sig_proxy = arg_sig_proxy,
                .redraw = target->running,
                .detach_keys = arg_detach_keys,
        };
        int r = session_open(session, &settings);

        if (r < 0 && r != -ENOTTY && r != -EINVAL)
                cli_error("cannot make pipes for its streams: %s", strerror(-r));
        return r < 0 ? r : target_call(target, member, session, BERTH_ERROR_RUNNING, ret_control);
}

/* As with docker, who starts what runs already sees it from now on. */
static int call_attached(const Target *target, Session *session, int *ret_control) {
        int r = call_with_streams(target, "Start", session, ret_control);

        if (r != -ECANCELED)
                return r;
        session_done(session); /* the refused call took the far ends of its pipes */
        return call_with_streams(target, "Attach", session, ret_control);
}

static int start_attached(const char *name) {
        _cleanup_(session_done) Session session = SESSION_NULL;
        _cleanup_(target_done) Target target = { 0 };
        int control = -EBADF;

        if (target_find(name, &target) < 0 || call_attached(&target, &session, &control) < 0)
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

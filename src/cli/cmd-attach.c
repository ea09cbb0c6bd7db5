/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth attach: one more foreground of a container that runs. */
#include <unistd.h>

#include "cli/bus.h"
#include "cli/target.h"
#include "cli/verb.h"

static bool arg_no_stdin;
static bool arg_sig_proxy = true;
static char *arg_detach_keys;

const Arg attach_args[] = {
        ARG_DETACH_KEYS(arg_detach_keys),
        { "no-stdin", 0, ARG_BOOL, &arg_no_stdin, NULL, "Do not pass standard input on" },
        ARG_SIG_PROXY(arg_sig_proxy),
        { 0 },
};

/* Docker's words for what cannot be attached to. */
static const char *refusal(const Target *t) {
        if (t->restarting)
                return "You cannot attach to a restarting container, wait until it is running";
        if (t->paused)
                return "You cannot attach to a paused container, unpause it first";
        return t->running ? NULL : "You cannot attach to a stopped container, start it first";
}

static int attach(const Target *target, const char *name) {
        _cleanup_(session_done) Session session = SESSION_NULL;
        const SessionSettings settings = {
                .tty = target->tty,
                .streams = { !arg_no_stdin && target->open_stdin, true, true },
                .sig_proxy = arg_sig_proxy,
                .redraw = true,
                .escape_fails = true,
                .detach_keys = arg_detach_keys,
        };
        int control = -EBADF, r;

        r = session_open(&session, &settings);
        if (r < 0)
                return r == -ENOTTY || r == -EINVAL ? EXIT_FAILED : r;
        r = target_call(target, "Attach", &session, BERTH_ERROR_NOT_RUNNING, &control);
        if (r == -ECANCELED) /* it has ended since */
                cli_error("%s", refusal(&(Target) { .running = false }));
        if (r < 0)
                return EXIT_FAILED;
        session.what = name;
        bus_close();
        return session_run(&session, control);
}

int cmd_attach(int argc, char **argv) {
        _cleanup_(target_done) Target target = { 0 };
        const char *why;

        if (target_find(argv[0], &target) < 0)
                return EXIT_FAILED;
        why = refusal(&target);
        if (!why && target.tty && !arg_no_stdin && !isatty(STDIN_FILENO))
                why = "the input device is not a TTY"; /* as docker, whether or not the container reads it */
        if (why) {
                cli_error("%s", why);
                return EXIT_FAILED;
        }
        return attach(&target, argv[0]);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-spawn: the small root process that forks the monitors. Everything it does not have, no monitor and no
 * container can inherit. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "monitor/notify.h"
#include "monitor/title.h"
#include "runtime/sandbox.h"
#include "spawn/launcher.h"
#include "util/log.h"
#include "util/strv.h"

int main(int argc, char **argv) {
        Launcher launcher;
        Notify notify = { 0 };
        int listen_fd, r;

        if (argc > 1 && streq(argv[1], "--version")) {
                puts("berth-spawn " BERTH_VERSION);
                return EXIT_SUCCESS;
        }
        log_open("berth-spawn");
        if (argc > 1) {
                log_error("berth-spawn takes no arguments; systemd starts it for berth-spawn.socket.");
                return EXIT_FAILURE;
        }
        r = title_init(argc, argv); /* before anything changes the environment */
        if (r >= 0 && notify_init(&notify, &listen_fd) < 0) {
                log_error("No socket was passed: start berth-spawn.socket instead.");
                return EXIT_FAILURE;
        }
        if (r >= 0)
                r = sandbox_keep_limits();
        if (r >= 0)
                r = launcher_init(&launcher, listen_fd);
        if (r >= 0)
                r = launcher_adopt(&launcher, BERTH_RUNDIR);
        if (r >= 0)
                r = notify_send(&notify, "READY=1");
        if (r >= 0)
                r = launcher_run(&launcher);
        (void) notify_send(&notify, "STOPPING=1");
        if (r < 0)
                log_error("Cannot go on: %s", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

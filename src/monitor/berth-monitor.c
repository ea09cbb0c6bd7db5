/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-monitor: the monitor of a container that runs as a service, berth@NAME.service. The same code as in a scope,
 * but started by systemd, so it has to ask berthd for what berth-spawn's children are born with. berthd may be killed
 * meanwhile, or not have been started yet: its socket starts it, and the question is asked again. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "monitor/monitor.h"
#include "monitor/title.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/service.h"
#include "wire/wire.h"

#define SOCKET_PATH BERTH_RUNDIR "/berthd.sock"
#define AGAIN_USEC 50000

/* The whole of one question. > 0: answered with *ret; 0: ask again. */
static int ask_once(const char *name, ServiceMessage *ret, int fds[2], size_t *n_fds) {
        _cleanup_close_ int fd = wire_connect(SOCKET_PATH);
        ServiceMessage hello = { .magic = SERVICE_MAGIC, .type = SERVICE_HELLO };
        int r;

        if (fd < 0)
                return fd == -ECONNREFUSED || fd == -EAGAIN ? 0 : fd;
        snprintf(hello.text, sizeof(hello.text), "%s", name);
        if (wire_send(fd, &hello, sizeof(hello), NULL, 0) < 0)
                return 0;
        r = wire_recv(fd, ret, sizeof(*ret), fds, n_fds);
        if (r == -EBADMSG)
                return r;
        return r > 0 && ret->magic == SERVICE_MAGIC && ret->type != SERVICE_AGAIN;
}

/* 0: the descriptors are there. Above: refused, and said so; the status to exit with. There is no time limit but
 * systemd's. */
static int ask(const char *name, int *ret_bundle_fd, int *ret_listen_fd) {
        for (;;) {
                int fds[2] = { -EBADF, -EBADF };
                size_t n_fds = N_ELEMENTS(fds);
                ServiceMessage m;
                int r = ask_once(name, &m, fds, &n_fds);

                if (r < 0)
                        return r;
                if (r > 0 && m.type == SERVICE_BUNDLE && n_fds == 2) {
                        *ret_bundle_fd = fds[0];
                        *ret_listen_fd = fds[1];
                        return 0;
                }
                wire_close_fds(fds, N_ELEMENTS(fds));
                if (r > 0) {
                        m.text[sizeof(m.text) - 1] = '\0';
                        log_error("%s", m.type == SERVICE_REFUSED ? m.text : "berthd's answer cannot be understood.");
                        return m.type == SERVICE_REFUSED && m.value > 0 ? m.value : EXIT_FAILURE;
                }
                usleep(AGAIN_USEC);
        }
}

int main(int argc, char **argv) {
        int bundle_fd, listen_fd, r;
        Notify notify;

        log_open("berth-monitor");
        if (argc == 2 && streq(argv[1], "--version")) {
                puts("berth-monitor " BERTH_VERSION);
                return EXIT_SUCCESS;
        }
        _cleanup_free_ char *name = argc == 2 ? strdup(argv[1]) : NULL; /* the title takes the place of the arguments */
        if (!name) {
                log_error("berth-monitor takes the name of a container; systemd starts it for berth@NAME.service.");
                return EXIT_FAILURE;
        }
        r = title_init(argc, argv); /* before anything changes the environment */
        if (r >= 0) {
                notify_take(&notify);
                r = sandbox_keep_limits();
        }
        if (r >= 0) {
                title_set("berth-monitor", name);
                (void) notify_send(&notify, "STATUS=Waiting for berthd");
                r = ask(name, &bundle_fd, &listen_fd);
                if (r > 0)
                        return r;
        }
        if (r >= 0)
                r = monitor_run(bundle_fd, listen_fd, &notify);
        if (r < 0)
                log_error("The monitor of %s cannot go on: %s", name, strerror(-r));
        return r < 0 ? EXIT_FAILURE : r;
}

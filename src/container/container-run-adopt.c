/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run that an earlier berthd began: what of it lives, how far it had got, how it ended. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/container-run-internal.h"
#include "container/container-unit.h"
#include "util/fs.h"
#include "util/process.h"
#include "util/strv.h"
#include "wire/wire.h"

/* A monitor that berth-spawn forked, or is about to fork, for a berthd that died before it knew of it: who asked for
 * the start may never have got to it. It is not to wait for GO, with all that it holds. */
static void forsake_monitor(const char *socket_path) {
        MonitorRequest request = { .magic = MONITOR_MAGIC, .type = MONITOR_ABORT, .text = TEXT_FORSAKEN };
        _cleanup_close_ int fd = wire_connect(socket_path);

        if (fd >= 0) /* else nobody listens: there is none */
                (void) wire_send(fd, &request, sizeof(request), NULL, 0);
}

/* The pidfd of the monitor, -ESRCH if it lives no more. */
static int open_monitor(const RunRecord *record) {
        _cleanup_close_ int pidfd = -EBADF;

        if (record->monitor <= 0)
                return -ESRCH;
        pidfd = (int) syscall(SYS_pidfd_open, record->monitor, 0);
        if (pidfd < 0)
                return -errno;
        /* Only now: from here on the pid cannot become somebody else's. */
        if (process_start_time(record->monitor) != record->monitor_start)
                return -ESRCH;
        return TAKE_FD(pidfd);
}

static bool bundle_has(int bundle_fd, const char *file) {
        return faccessat(bundle_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

/* Of a service whose monitor was not given the bundle: it asks the next berthd, and this run never was. A monitor that
 * is done listens no more, either, but has left its traces. */
static bool run_was_vain(const RunRecord *record, const char *socket_path, int bundle_fd) {
        if (!container_unit_is_service(record->unit) || bundle_has(bundle_fd, "monitor") ||
            bundle_has(bundle_fd, "exit.json"))
                return false;
        _cleanup_close_ int fd = record->monitor > 0 ? wire_connect(socket_path) : -ECONNREFUSED;
        return fd == -ECONNREFUSED &&
               (record->monitor <= 0 || process_start_time(record->monitor) == record->monitor_start);
}

/* How far a run had got whose monitor lives no more. */
static void run_find_out(ContainerRun *run) {
        Container *c = run->container;
        ContainerResult interim;
        bool restarting;

        c->result.started_usec = run_started(run);
        if (container_result_read_interim(run->bundle_fd, c->result.run_id, &interim, &restarting) >= 0) {
                container_result_done(&c->result);
                c->result = interim;
                c->state = restarting ? CONTAINER_RESTARTING : CONTAINER_RUNNING;
        } else if (c->result.started_usec > 0 && faccessat(run->bundle_fd, "exit.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                c->state = CONTAINER_RUNNING;
        else
                return; /* not at all, or exit.json will tell */
        container_changed(c);
}

int container_run_adopt(Container *c, int bundle_fd, const RunRecord *record) {
        _cleanup_(container_run_freep) ContainerRun *run = NULL;
        _cleanup_free_ char *socket_path = NULL;
        int pidfd = -EBADF, r;

        r = container_bundle_path(c, "monitor.sock", &socket_path);
        if (r >= 0 && run_was_vain(record, socket_path, bundle_fd)) {
                container_bundle_remove(c);
                return 0;
        }
        if (r >= 0)
                r = run_new(c, &run);
        if (r >= 0)
                r = string_replace(&c->unit, record->unit);
        if (r < 0)
                return r;
        container_result_done(&c->result);
        memcpy(c->result.run_id, record->run_id, sizeof(c->result.run_id));
        c->ids_base = record->ids_base;
        c->state = CONTAINER_STARTING;
        run->service = container_unit_is_service(record->unit);
        c->adopted = true;
        run->monitor = record->monitor;
        run->monitor_start = record->monitor_start;
        run->bundle_fd = fcntl(bundle_fd, F_DUPFD_CLOEXEC, 3);
        if (run->bundle_fd < 0)
                return -errno;
        if (record->monitor == 0)
                forsake_monitor(socket_path);
        r = pidfd = open_monitor(record);
        if (r >= 0)
                r = container_process_new(c->host->event, socket_path, run_on_monitor_event, run, &run->process);
        if (r >= 0)
                r = container_process_watch(run->process, TAKE_FD(pidfd));
        fd_close(pidfd);
        ContainerRun *adopted = c->run = TAKE(run);
        if (r < 0) {
                run_find_out(adopted);
                run_end_recorded(adopted, true);
        }
        return 0;
}

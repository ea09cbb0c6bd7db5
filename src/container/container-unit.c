/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The unit of a container: see container-unit.h. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "container/container-service.h"
#include "container/container-unit.h"
#include "util/fs.h"
#include "util/strv.h"

#define SLICE "machine.slice"
#define STOP_MARGIN_SEC 15 /* for the monitor to report and tear down after it has killed */
#define TRANSIENT_DIR "/run/systemd/transient" /* a file of each transient unit that PID 1 has loaded */
#define UNITS_DIR "/run/systemd/units"
#define LOG_LINK_PREFIX "log-rate-limit-burst:"

/* Docker's default devices. Nodes may be made (images hold some), but only these opened. */
static const UnitDevice devices[] = {
        { "char-*",       "m"   }, { "block-*",      "m"   }, { "/dev/null",    "rwm" }, { "/dev/zero",    "rwm" },
        { "/dev/full",    "rwm" }, { "/dev/random",  "rwm" }, { "/dev/urandom", "rwm" }, { "/dev/tty",     "rwm" },
        { "/dev/ptmx",    "rwm" }, { "char-pts",     "rwm" },
};

static const char *container_slice(const Container *c) {
        return c->settings.cgroup_parent ? c->settings.cgroup_parent : SLICE;
}

int container_unit_describe(const Container *c, pid_t monitor, char **description, TransientUnit *ret) {
        /* Its mounts in namespaces keep no host from unmounting; the monitor's last word goes there by its name. */
        static char *const mounts[] = { (char *) BERTH_STATEDIR, NULL };
        /* At a shutdown, first that one says that it is one, then containers stop, then whoever records their ends. */
        static char *const after[] = { (char *) "berthd.service", NULL };
        static char *const before[] = { (char *) "berth-shutdown.service", NULL };
        int32_t timeout = c->config.stop_timeout;

        if (asprintf(description, "Container %s (%s)", c->name, c->settings.image) < 0)
                return -ENOMEM;
        *ret = (TransientUnit) {
                .name = c->unit,
                .description = *description,
                .slice = container_slice(c),
                .timeout_stop_usec = timeout < 0 ? UINT64_MAX : (uint64_t) (timeout + STOP_MARGIN_SEC) * 1000000,
                .pid = monitor,
                .devices = devices,
                .n_devices = N_ELEMENTS(devices),
                .limits = &c->config.limits.unit,
                .needs_mounts = mounts,
                .after = after,
                .before = before,
                .stdin_fd = -EBADF,
                .stdout_fd = -EBADF,
        };
        return 0;
}

/* As PID 1 writes it for services. A number, as large as there is, since daemon/log-limit.h tries with another one whether numbers count. */
int container_unit_lift_log_limit(const Container *c) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, UNITS_DIR "/" LOG_LINK_PREFIX "%s", c->unit) < 0)
                return -ENOMEM;
        return symlink("4294967295", path) < 0 && errno != EEXIST ? -errno : 0;
}

/* A monitor that has told of the end may still wait for journald to read the last lines. */
static bool unit_exists(const char *unit) {
        _cleanup_free_ char *path = NULL;

        return asprintf(&path, TRANSIENT_DIR "/%s", unit) >= 0 && access(path, F_OK) >= 0;
}

bool container_unit_sweep_log_links(ContainerHost *host) {
        DIR *dir = opendir(UNITS_DIR);
        bool all = true;

        if (!dir)
                return true;
        for (struct dirent *e; (e = readdir(dir));) {
                const char *unit = startswith(e->d_name, LOG_LINK_PREFIX);
                if (!unit || !startswith(unit, "berth-") || !strstr(unit, ".scope") || host->unit_in_use(host, unit))
                        continue;
                if (unit_exists(unit))
                        all = false;
                else
                        (void) unlinkat(dirfd(dir), e->d_name, 0);
        }
        closedir(dir);
        return all;
}

void container_unit_kill(const Container *c) {
        /* In a service systemd may have started the next monitor already, which waits for us beside these. */
        static const char *const in_scope[] = { "", NULL }, *const in_service[] = { "payload/", "exec/", NULL };
        _cleanup_free_ char *slice = NULL;

        if (!c->unit || slice_cgroup(container_slice(c), &slice) < 0)
                return;
        for (const char *const *dir = container_unit_is_service(c->unit) ? in_service : in_scope; *dir; dir++) {
                _cleanup_free_ char *path = NULL;
                if (asprintf(&path, "/sys/fs/cgroup%s/%s/%scgroup.kill", slice, c->unit, *dir) < 0)
                        return;
                _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
                if (fd >= 0)
                        (void) fd_write_all(fd, "1", 1); /* nothing there any more: nothing to kill */
        }
}

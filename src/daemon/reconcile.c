/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* At the start of berthd: what is on disk and what runs become containers again, what ended meanwhile is recorded,
 * and what a crash left half-made is removed (docs/architecture.md, "Crash rule"). */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "container/container-bundle.h"
#include "container/container-run.h"
#include "container/container-service.h"
#include "daemon/manager.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"

#define MONITORS_USEC 1000000u /* how long monitors may take to say how far their runs are */

/* Calls `what` for each directory entry of ROOT/containers; the entry may go meanwhile. */
static int each_entry(Manager *m, const char *root, void (*what)(Manager *m, int dir_fd, const char *name)) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/containers", root) < 0)
                return -ENOMEM;
        int fd = fs_open_dir(AT_FDCWD, path);
        if (fd < 0)
                return fd;
        DIR *dir = fdopendir(fd);
        if (!dir) {
                int r = negative_errno();
                fd_close(fd);
                return r;
        }
        for (struct dirent *e; (e = readdir(dir));)
                if (e->d_name[0] != '.')
                        what(m, fd, e->d_name);
        closedir(dir);
        return 0;
}

/* Into the trash if it is on the same file system, else away at once: what is in RUNDIR is small. */
static void discard(Manager *m, int dir_fd, const char *name) {
        char trash[NAME_MAX + 32];
        static unsigned serial;
        int r = 0;

        snprintf(trash, sizeof(trash), "left-%i-%u", (int) getpid(), serial++);
        if (renameat(dir_fd, name, m->trash_fd, trash) < 0)
                r = errno == EXDEV ? fs_remove_tree(dir_fd, name) : -errno;
        if (r < 0)
                log_warning("%s, which is nobody's, cannot be removed: %s", name, strerror(-r));
}

static void load(Manager *m, int dir_fd, const char *name) {
        Container *c;
        int r;

        _cleanup_close_ int fd = fs_open_dir(dir_fd, name);
        if (fd < 0 || !container_id_is_valid(name) || manager_container_by_id(m, name))
                return;
        r = container_load(&m->host, fd, name, &c);
        if (r == -EBADMSG)
                log_warning("container %s: its container.json cannot be used", name);
        if (r < 0)
                return;
        r = container_load_result(c, fd);
        if (r < 0 && r != -ENOENT)
                log_warning("container %s: how its last run ended is not known: its state.json cannot be used",
                            c->name);
        manager_add(m, c);
}

/* That a container is gone, once more: who removed it may have been killed before it could say so. */
static void tell_removed(Manager *m, const char *id) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, CONTAINER_PATH_PREFIX "/%s", id) >= 0)
                (void) sd_bus_emit_interfaces_removed(m->host.bus, path, CONTAINER_INTERFACE, NULL);
}

/* What a removed container has become: ID.N, see container.c. */
static void find_trash(Manager *m) {
        char id[CONTAINER_ID_LENGTH + 1];
        int fd = fs_open_dir(m->trash_fd, ".");
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                fd_close(fd);
                return;
        }
        for (struct dirent *e; (e = readdir(dir));) {
                if (strcspn(e->d_name, ".") != CONTAINER_ID_LENGTH)
                        continue;
                snprintf(id, sizeof(id), "%.*s", CONTAINER_ID_LENGTH, e->d_name);
                if (container_id_is_valid(id) && !manager_container_by_id(m, id))
                        tell_removed(m, id);
        }
        closedir(dir);
}

static void sweep(Manager *m, int dir_fd, const char *name) {
        Container *c = container_id_is_valid(name) ? manager_container_by_id(m, name) : NULL;

        if (c)
                return;
        /* One that was there and cannot be read may be a later version's, or a bad disk's: only what never was whole
         * goes. */
        _cleanup_free_ char *file = NULL;
        if (asprintf(&file, "%s/container.json", name) >= 0 && faccessat(dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                return;
        if (container_id_is_valid(name)) /* before: what is told by its name must not have lost it */
                tell_removed(m, name);
        discard(m, dir_fd, name);
}

/* The end of a run is recorded, but its bundle is still there: it may not have been told. */
static void tell_end(Container *c, int bundle_fd) {
        ContainerResult result;

        if (container_result_read(bundle_fd, c->result.run_id, &result) < 0) { /* killed, or never got as far */
                result = c->result;
                c->result = (ContainerResult) { 0 };
        }
        container_ended(c, &result);
}

/* One that has not run may have been made by a berthd that was killed before it could say so. */
static void tell_added(Container *c) {
        _cleanup_free_ char *path = NULL;

        if (container_bus_path(c, &path) >= 0)
                (void) sd_bus_emit_object_added(c->host->bus, path);
}

/* A run that was under way when the last berthd ended. */
static void take_up(Manager *m, Container *c) {
        _cleanup_(run_record_done) RunRecord record = { 0 };
        _cleanup_free_ char *path = NULL;
        int r;

        if (container_bundle_path(c, NULL, &path) < 0)
                return;
        _cleanup_close_ int bundle_fd = fs_open_dir(AT_FDCWD, path);
        if (bundle_fd < 0)
                return;
        r = container_bundle_load_run(bundle_fd, &record);
        if (r < 0) { /* never got as far */
                container_bundle_remove(c);
                c->remove_wanted = c->settings.auto_remove && r != -ENOENT; /* created, it waits for its one start */
                return;
        }
        if (streq(record.run_id, c->result.run_id)) {
                tell_end(c, bundle_fd);
                return;
        }
        r = container_run_adopt(c, bundle_fd, &record);
        if (r < 0)
                log_error("container %s: its run cannot be taken up: %s", c->name, strerror(-r));
}

/* A run that was under way when the machine went down: its bundle is gone, the mark is not. */
static void record_lost_run(Container *c) {
        ContainerResult result;
        int r = container_lost_run(c, &result);

        if (r > 0)
                container_ended(c, &result);
        else if (r < 0)
                log_warning("container %s: how its last run ended is not known: %s", c->name, strerror(-r));
}

/* Also of a container whose files cannot be read. */
static bool has_files(Manager *m, const char *id) {
        _cleanup_free_ char *path = NULL;

        return asprintf(&path, "%s/containers/%s", m->host.statedir, id) < 0 || access(path, F_OK) >= 0;
}

/* A drop-in of berth@NAME.service that we have written. If there is no container at all, this may be the wrong store. */
static void check_service(const char *name, const char *id, void *userdata) {
        Manager *m = userdata;
        Container *c = container_id_is_valid(id) ? manager_container_by_id(m, id) : NULL;
        int r = 0;

        if (!c && m->containers && !has_files(m, id))
                container_service_remove(name);
        else if (!c)
                return;
        else if (!streq(c->name, name))
                r = container_service_rename(c, name);
        if (r < 0)
                log_warning("container %s: what starts it with the machine is still under its old name %s: %s", c->name,
                            name, strerror(-r));
}

int manager_load(Manager *m) {
        int r;

        if ((r = each_entry(m, m->host.statedir, load)) < 0 || (r = each_entry(m, m->host.rundir, load)) < 0)
                return r;
        /* Before the first start is asked for: how a container logs depends on it. It was asked long ago. */
        return unit_manager_wait_version(m->host.units);
}

/* Before the first call is handled: a container that runs is not to be seen as one that is about to. All have been connected to
 * by now, so the time is that of the slowest, not the sum. */
static void wait_for_monitors(Manager *m) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        uint64_t until = (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000 + MONITORS_USEC;
        for (Container *c = m->containers, *next; c; c = next) {
                next = c->next;
                if (c->run)
                        container_run_settle(c->run, until);
        }
}

int manager_reconcile(Manager *m) {
        int r;

        find_trash(m);
        if ((r = each_entry(m, m->host.statedir, sweep)) < 0 || (r = each_entry(m, m->host.rundir, sweep)) < 0)
                return r;
        for (Container *c = m->containers, *next; c; c = next) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                next = c->next;
                take_up(m, c);
                if (!c->run && c->state == CONTAINER_CREATED && !*c->result.run_id)
                        tell_added(c);
                if (!c->run && c->state != CONTAINER_REMOVING)
                        record_lost_run(c);
                /* --rm, and created only to run once: that is over. */
                if (c->state != CONTAINER_REMOVING && c->remove_wanted && !c->run && container_remove(c, &error) < 0)
                        log_error("%s", error.message);
        }
        r = container_service_each(check_service, m);
        if (r < 0)
                log_warning("services of containers that are gone may be left in " BERTH_SYSTEMUNITDIR ": %s",
                            strerror(-r));
        m->host.trashed(&m->host);
        wait_for_monitors(m);
        return 0;
}

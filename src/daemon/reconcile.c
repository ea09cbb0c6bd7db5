/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* At the start of berthd: what is on disk and what runs become containers again, what ended meanwhile is recorded,
 * and what a crash left half-made is removed (docs/architecture.md, "Crash rule"). */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "container/container-bundle.h"
#include "container/container-run.h"
#include "container/container-service.h"
#include "daemon/manager.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"

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

static void sweep(Manager *m, int dir_fd, const char *name) {
        Container *c = container_id_is_valid(name) ? manager_container_by_id(m, name) : NULL;

        if (c)
                return;
        /* One that was there and cannot be read may be a later version's, or a bad disk's: only what never was whole
         * goes. */
        _cleanup_free_ char *file = NULL;
        if (asprintf(&file, "%s/container.json", name) >= 0 && faccessat(dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                return;
        discard(m, dir_fd, name);
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
        if (r < 0 || streq(record.run_id, c->result.run_id)) { /* never got as far, or its end is recorded already */
                container_bundle_remove(c);
                c->remove_wanted = c->settings.auto_remove && r != -ENOENT; /* created, it waits for its one start */
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

int manager_reconcile(Manager *m) {
        int r;

        if ((r = each_entry(m, m->host.statedir, load)) < 0 || (r = each_entry(m, m->host.rundir, load)) < 0 ||
            (r = each_entry(m, m->host.statedir, sweep)) < 0 || (r = each_entry(m, m->host.rundir, sweep)) < 0)
                return r;
        for (Container *c = m->containers, *next; c; c = next) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                next = c->next;
                take_up(m, c);
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
        /* Before the first start is asked for: how a container logs depends on it. It was asked long ago. */
        r = unit_manager_wait_version(m->host.units);
        return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service of a container: see container-service.h. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "container/container-service.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/service.h"
#include "wire/wire.h"

#define WANTS_DIR "multi-user.target.wants"
#define TEMPLATE BERTH_UNITDIR "/" SERVICE_PREFIX SERVICE_SUFFIX
#define DROPIN_FILE "50-berth.conf"
#define PARKED_LINK "parked" /* what is not *.conf systemd leaves alone */
#define MARK "# Of container "
#define POLICY_LINE "Restart=on-abnormal\n" /* of a container whose policy wants a service, and of no other */
#define DROPIN_SIZE_MAX 65536
#define STOP_MARGIN_SEC 15 /* as of a scope */
#define RETIRE_TIMEOUT_USEC (120 * 1000000u)
#define REFUSED_STATUS 125

/* --- Names --- */

bool container_wants_service(const Container *c) {
        return c->settings.restart &&
               (streq(c->settings.restart, "always") || streq(c->settings.restart, "unless-stopped"));
}

int container_service_unit(const char *name, char **ret) {
        return asprintf(ret, SERVICE_PREFIX "%s" SERVICE_SUFFIX, name) < 0 ? -ENOMEM : 0;
}

bool container_unit_is_service(const char *unit) {
        return unit && startswith(unit, SERVICE_PREFIX);
}

/* Where systemd looks, and in there what belongs to one service. */
typedef struct ServiceFiles {
        int units_fd;
        char *dropin_dir, *dropin, *link, *parked; /* relative to it */
} ServiceFiles;

static void files_done(ServiceFiles *f) {
        fd_close(f->units_fd);
        free(f->dropin_dir);
        free(f->dropin);
        free(f->link);
        free(f->parked);
}

static int files_init(ServiceFiles *f, const char *name) {
        *f = (ServiceFiles) { .units_fd = fs_open_dir(AT_FDCWD, BERTH_SYSTEMUNITDIR) };
        if (f->units_fd < 0)
                return f->units_fd;
        if (asprintf(&f->dropin_dir, SERVICE_PREFIX "%s" SERVICE_SUFFIX ".d", name) < 0 ||
            asprintf(&f->dropin, "%s/" DROPIN_FILE, f->dropin_dir) < 0 ||
            asprintf(&f->parked, "%s/" PARKED_LINK, f->dropin_dir) < 0 ||
            asprintf(&f->link, WANTS_DIR "/" SERVICE_PREFIX "%s" SERVICE_SUFFIX, name) < 0)
                return -ENOMEM;
        return 0;
}

/* Whose the drop-in is: 1 and its id; 0: there is none, or it is not ours. */
static int dropin_read(const ServiceFiles *f, char id[CONTAINER_ID_LENGTH + 1], char **ret_text) {
        _cleanup_free_ char *text = NULL;
        int r = fs_read_file(f->units_fd, f->dropin, DROPIN_SIZE_MAX, &text, NULL);
        const char *rest = r < 0 ? NULL : startswith(text, MARK);

        if (!rest || strlen(rest) < CONTAINER_ID_LENGTH)
                return r < 0 && r != -ENOENT ? r : 0;
        memcpy(id, rest, CONTAINER_ID_LENGTH);
        id[CONTAINER_ID_LENGTH] = '\0';
        if (ret_text)
                *ret_text = TAKE(text);
        return 1;
}

/* --- Files --- */

static int limits_text(const Container *c, char **ret) {
        UnitLimits limits = c->config.limits.unit;

        unit_limits_leave_unlimited(&limits); /* as the template has it */
        return unit_limits_format(&limits, ret);
}

/* 1: *ret is what is to be there; 0: nothing is. */
static int dropin_text(const Container *c, char **ret) {
        _cleanup_free_ char *limits = NULL, *slice = NULL, *policy = NULL;
        int32_t timeout = c->config.stop_timeout;
        char seconds[32] = "infinity";
        int r = limits_text(c, &limits);

        if (r < 0)
                return r;
        if (timeout >= 0)
                snprintf(seconds, sizeof(seconds), "%lld", (long long) timeout + STOP_MARGIN_SEC);
        if (container_wants_service(c) &&
            asprintf(&policy,
                     "TimeoutStopSec=%s\n"
                     "# Restarts are the monitor's business; should it be killed itself, it comes back.\n"
                     POLICY_LINE "RestartSec=1s\n", seconds) < 0)
                return -ENOMEM;
        if (c->settings.cgroup_parent && asprintf(&slice, "Slice=%s\n", c->settings.cgroup_parent) < 0)
                return -ENOMEM;
        if (!policy && !slice && !*limits)
                return 0;
        r = asprintf(ret,
                     MARK "%s, written by berthd and removed with it. What you add goes into another file here.\n"
                     "[Service]\n%s%s%s",
                     c->id, policy ? policy : "", slice ? slice : "", limits);
        return r < 0 ? -ENOMEM : 1;
}

static int sync_below(int dir_fd, const char *path) {
        _cleanup_close_ int fd = fs_open_dir(dir_fd, path);

        return fd < 0 ? fd : fs_sync_dir(fd);
}

static int make_dir(int dir_fd, const char *path) {
        int r = fs_mkdir(dir_fd, path, 0755);

        if (r >= 0 && fchmodat(dir_fd, path, 0755, 0) < 0) /* whatever the umask */
                r = -errno;
        return r;
}

static int link_make(const ServiceFiles *f) {
        int r = make_dir(f->units_fd, WANTS_DIR);

        if (r >= 0 && symlinkat(TEMPLATE, f->units_fd, f->link) < 0 && errno != EEXIST)
                r = -errno;
        return r < 0 ? r : sync_below(f->units_fd, WANTS_DIR);
}

/* 1: moved; 0: there was none. */
static int link_move(const ServiceFiles *f, const char *from, const char *to) {
        if (renameat(f->units_fd, from, f->units_fd, to) < 0)
                return errno == ENOENT ? 0 : -errno;
        int r = sync_below(f->units_fd, WANTS_DIR), q = sync_below(f->units_fd, f->dropin_dir);
        return r < 0 ? r : q < 0 ? q : 1;
}

/* systemd notices a new directory by the time of this one, which the kernel writes in ticks of several milliseconds:
 * two changes within one would be one. */
static void touch(int dir_fd) {
        struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };

        clock_gettime(CLOCK_REALTIME, &times[1]);
        (void) futimens(dir_fd, times); /* a minute later it makes no difference */
}

static int dropin_write(const ServiceFiles *f, const char *text, WriteFlags flags) {
        int r = make_dir(f->units_fd, f->dropin_dir);

        if (r >= 0)
                r = fs_write_file(f->units_fd, f->dropin, text, strlen(text), 0644, flags);
        if (r >= 0 && flags & WRITE_SYNC)
                r = fs_sync_dir(f->units_fd);
        if (r >= 0)
                touch(f->units_fd);
        return r;
}

static void dropin_remove(const ServiceFiles *f) {
        (void) unlinkat(f->units_fd, f->dropin, 0);
        (void) unlinkat(f->units_fd, f->dropin_dir, AT_REMOVEDIR); /* unless somebody else's settings are in it */
}

static void files_remove(const ServiceFiles *f) {
        (void) unlinkat(f->units_fd, f->link, 0);
        (void) unlinkat(f->units_fd, f->parked, 0);
        dropin_remove(f); /* last: while it is there, the rest is found again */
}

/* Which is made once, so that who disables it is heard; `before`: the drop-in so far. */
static int link_settle(const Container *c, const ServiceFiles *f, const char *before) {
        bool wanted = before && strstr(before, POLICY_LINE);

        if (container_wants_service(c))
                return wanted ? link_move(f, f->parked, f->link) : link_make(f);
        if (wanted) { /* its policy was another one */
                (void) unlinkat(f->units_fd, f->link, 0);
                (void) unlinkat(f->units_fd, f->parked, 0);
        }
        return 0;
}

int container_service_install(const Container *c) {
        _cleanup_(files_done) ServiceFiles f = { .units_fd = -EBADF };
        _cleanup_free_ char *text = NULL, *present = NULL;
        char id[CONTAINER_ID_LENGTH + 1];
        int r, wanted;

        if ((wanted = dropin_text(c, &text)) < 0)
                return wanted;
        if ((r = files_init(&f, c->name)) < 0 || (r = dropin_read(&f, id, &present)) < 0)
                return wanted == 0 && r == -ENOENT ? 0 : r;
        if (r == 0 || !streq(id, c->id))
                present = (free(present), NULL); /* another one's, or nobody's */
        r = link_settle(c, &f, present);
        if (r < 0 || streq_null(present, text))
                return MIN_OF(r, 0);
        if (wanted == 0) {
                if (present)
                        dropin_remove(&f);
                return present ? 1 : 0;
        }
        r = dropin_write(&f, text, WRITE_SYNC);
        return r < 0 ? r : 1;
}

int container_service_prepare(const Container *c) {
        _cleanup_(files_done) ServiceFiles f = { .units_fd = -EBADF };
        _cleanup_free_ char *text = NULL;
        int r;

        if (container_wants_service(c) || (r = dropin_text(c, &text)) == 0)
                return 0;
        if (r < 0 || (r = files_init(&f, c->name)) < 0)
                return r;
        return dropin_write(&f, text, 0); /* what a power cut takes of it, the start of the service brings back */
}

/* Not by the shutdown; nor one that somebody has sent a signal, and that the shutdown has stopped since. */
static bool was_stopped_by_hand(const ContainerResult *result) {
        if (!result->stopped_by)
                return result->stopped_by_hand;
        return streq(result->stopped_by, "client") || streq(result->stopped_by, "systemd");
}

void container_service_ended(const Container *c) {
        if (was_stopped_by_hand(&c->result))
                container_service_park(c);
}

void container_service_park(const Container *c) {
        _cleanup_(files_done) ServiceFiles f = { .units_fd = -EBADF };
        int r;

        if (!container_wants_service(c) || !streq(c->settings.restart, "unless-stopped"))
                return;
        r = files_init(&f, c->name);
        if (r >= 0)
                r = link_move(&f, f.link, f.parked);
        if (r < 0)
                log_warning("container %s: it was stopped by hand, but will start with the machine: %s", c->name,
                            strerror(-r));
}

int container_service_rename(const Container *c, const char *old_name) {
        _cleanup_(files_done) ServiceFiles from = { .units_fd = -EBADF }, to = { .units_fd = -EBADF };
        char id[CONTAINER_ID_LENGTH + 1];
        _cleanup_free_ char *text = NULL;
        struct stat st;
        int r;

        if ((r = files_init(&from, old_name)) < 0 || (r = files_init(&to, c->name)) < 0)
                return r;
        bool enabled = fstatat(from.units_fd, from.link, &st, AT_SYMLINK_NOFOLLOW) >= 0;
        bool parked = fstatat(from.units_fd, from.parked, &st, AT_SYMLINK_NOFOLLOW) >= 0;
        r = dropin_read(&from, id, NULL);
        if (r < 0 || (!enabled && r == 0))
                return MIN_OF(r, 0);
        if (enabled)
                r = link_make(&to);
        if (r >= 0) {
                r = dropin_text(c, &text);
                if (r > 0)
                        r = dropin_write(&to, text, WRITE_SYNC);
                if (r >= 0 && parked && symlinkat(TEMPLATE, to.units_fd, to.parked) < 0 && errno != EEXIST)
                        r = -errno;
        }
        if (r >= 0)
                files_remove(&from);
        return r;
}

void container_service_remove(const char *name) {
        _cleanup_(files_done) ServiceFiles f = { .units_fd = -EBADF };

        if (files_init(&f, name) >= 0)
                files_remove(&f);
}

int container_service_each(void (*what)(const char *name, const char *id, void *userdata), void *userdata) {
        DIR *dir = opendir(BERTH_SYSTEMUNITDIR);

        if (!dir)
                return errno == ENOENT ? 0 : -errno;
        for (struct dirent *e; (e = readdir(dir));) {
                _cleanup_(files_done) ServiceFiles f = { .units_fd = -EBADF };
                const char *rest = startswith(e->d_name, SERVICE_PREFIX);
                size_t n = rest ? strlen(rest) : 0, suffix = strlen(SERVICE_SUFFIX ".d");
                char id[CONTAINER_ID_LENGTH + 1];

                if (n <= suffix || !streq(rest + n - suffix, SERVICE_SUFFIX ".d"))
                        continue;
                _cleanup_free_ char *name = strndup(rest, n - suffix);
                if (name && files_init(&f, name) >= 0 && dropin_read(&f, id, NULL) > 0)
                        what(name, id, userdata);
        }
        closedir(dir);
        return 0;
}

/* --- The unit --- */

typedef struct Retirement {
        ContainerHost *host;
        char unit[];
} Retirement;

static void on_retired(int result, const char *text, void *userdata) {
        Retirement *r = userdata;

        unit_reset_failed(r->host->units, r->unit); /* a failed unit is kept until somebody has seen it */
        free(r);
}

void container_service_retire(ContainerHost *host, const char *unit) {
        Retirement *r = malloc(sizeof(Retirement) + strlen(unit) + 1);

        if (!r)
                return;
        r->host = host;
        strcpy(r->unit, unit);
        if (unit_stop(host->units, unit, RETIRE_TIMEOUT_USEC, on_retired, r, NULL) < 0)
                free(r);
}

/* --- Its monitor, asking --- */

void service_caller_done(ServiceCaller *caller) {
        caller->fd = fd_close(caller->fd);
        caller->pidfd = fd_close(caller->pidfd);
}

static int caller_answer(ServiceCaller *caller, ServiceType type, const char *text, const int *fds, size_t n_fds) {
        ServiceMessage m = { .magic = SERVICE_MAGIC, .type = type };

        if (type == SERVICE_REFUSED)
                m.value = REFUSED_STATUS;
        snprintf(m.text, sizeof(m.text), "%s", text);
        int r = wire_send(caller->fd, &m, sizeof(m), fds, n_fds);
        service_caller_done(caller);
        return r;
}

int service_caller_give(ServiceCaller *caller, int bundle_fd, int listen_fd) {
        return caller_answer(caller, SERVICE_BUNDLE, "", (int[]) { bundle_fd, listen_fd }, 2);
}

void service_caller_refuse(ServiceCaller *caller, const char *text) {
        (void) caller_answer(caller, SERVICE_REFUSED, text, NULL, 0); /* one that has gone need not know */
}

void service_caller_put_off(ServiceCaller *caller) {
        (void) caller_answer(caller, SERVICE_AGAIN, "", NULL, 0);
}

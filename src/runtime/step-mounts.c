/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: the mounts of the configuration. tmpfs and binds are the monitor's, as the host's root; proc, sysfs, mqueue
 * and devpts are made by the init, which is in the namespaces that they show; the cgroup tree has to wait until the
 * init is in its cgroup. */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/fs.h"
#include "util/io.h"
#include "util/strv.h"

static const struct {
        const char *type;
        const char *kernel; /* the kernel's name of it */
        Phase phase;
} kinds[] = {
        { "bind",    NULL,      PHASE_INSIDE },
        { "tmpfs",   "tmpfs",   PHASE_INSIDE },
        { "proc",    "proc",    PHASE_INIT   },
        { "sysfs",   "sysfs",   PHASE_INIT   },
        { "mqueue",  "mqueue",  PHASE_INIT   },
        { "devpts",  "devpts",  PHASE_INIT   },
        { "cgroup2", "cgroup2", PHASE_GO     },
        { "cgroup",  "cgroup2", PHASE_GO     }, /* the specification's name for whatever the host has */
};

/* sysfs shows a network; where that is the host's, only the host may mount it: what the host has is bound. */
static bool is_host_sysfs(const Launch *l, const RuntimeMount *m) {
        return streq(m->type, "sysfs") && launch_has_userns(l) && !(l->config->namespaces & CLONE_NEWNET);
}

static bool is_bind(const Launch *l, const RuntimeMount *m) {
        return streq(m->type, "bind") || strv_contains(m->options, "bind") || strv_contains(m->options, "rbind") ||
               is_host_sysfs(l, m);
}

/* The row of `kinds`, or -1. */
static int kind_of(const Launch *l, const RuntimeMount *m) {
        if (is_bind(l, m))
                return 0;
        for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
                if (streq(kinds[i].type, m->type))
                        return (int) i;
        return -1;
}

/* Sources are the host's: found before anything of the container is mounted. */
int step_binds(Launch *l) {
        l->binds = calloc(l->config->n_mounts + 1, sizeof(int));
        if (!l->binds)
                return -ENOMEM;
        for (size_t i = 0; i < l->config->n_mounts; i++)
                l->binds[i] = -EBADF;
        for (size_t i = 0; i < l->config->n_mounts; i++) {
                const RuntimeMount *m = l->config->mounts + i;
                const char *source = is_host_sysfs(l, m) ? "/sys" : m->source;
                MountFlags flags = { 0 };

                if (kind_of(l, m) < 0)
                        return launch_refuse(l, 125, -EOPNOTSUPP, "cannot mount %s on %s: not supported", m->type,
                                             m->destination);
                if (!is_bind(l, m))
                        continue;
                for (char **o = m->options; o && *o; o++)
                        if (!mount_flags_take(&flags, *o))
                                return launch_refuse(l, 125, -EOPNOTSUPP, "cannot bind %s: no such option: %s",
                                                     m->destination, *o);
                if (!source)
                        return launch_refuse(l, 125, -EINVAL, "cannot bind on %s: no source", m->destination);
                /* Relative: in the bundle, as the specification has it. */
                l->binds[i] =
                        mount_clone(l->bundle_fd, source, flags.recursive, flags.idmap ? launch_userns(l) : -EBADF);
                if (l->binds[i] < 0)
                        return launch_fail(l, l->binds[i], "bind %s", source);
                struct mount_attr attr = { .attr_set = flags.set & ~(uint64_t) MOUNT_ATTR__ATIME };
                unsigned recurse = flags.recursive ? AT_RECURSIVE : 0; /* read-only is all of it */
                if (attr.attr_set && mount_setattr(l->binds[i], "", AT_EMPTY_PATH | recurse, &attr, sizeof(attr)) < 0)
                        return launch_fail(l, -errno, "set the options of %s", m->destination);
        }
        return 0;
}

/* Ids among a file system's options are the container's; the monitor mounts with the host's. */
static int shift_ids(const Launch *l, char *const *options, char ***ret) {
        _cleanup_strv_ char **shifted = NULL;
        int r;

        for (char *const *o = options; o && *o; o++) {
                const char *uid = startswith(*o, "uid="), *gid = startswith(*o, "gid=");
                uint32_t id, first = uid ? launch_root_uid(l) : launch_root_gid(l);

                if (!uid && !gid)
                        r = strv_extend(&shifted, *o);
                else if (parse_u32(uid ?: gid, &id) < 0 || (launch_has_userns(l) && id >= l->config->uid_map.size))
                        return -EINVAL;
                else
                        r = strv_extendf(&shifted, "%s=%u", uid ? "uid" : "gid", first + id);
                if (r < 0)
                        return r;
        }
        *ret = TAKE(shifted);
        return 0;
}

/* What is masked in them, and written to in their name, is found by path: on the way there must be nothing that could
 * lead elsewhere a moment later. As runc. */
static int check_ordinary(const Launch *l, const char *path) {
        _cleanup_close_ int fd = fs_openat2(l->root, path, O_PATH | O_DIRECTORY, 0,
                                            RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
        return fd >= 0 || fd == -ENOENT ? 0 : fd == -ELOOP ? -ENOTDIR : fd;
}

static int mount_one(Launch *l, const RuntimeMount *m, const char *kernel, bool shift) {
        _cleanup_strv_ char **shifted = NULL;
        char why[160] = "";
        int r;

        if (shift) {
                r = shift_ids(l, m->options, &shifted);
                if (r < 0)
                        return launch_fail(l, r, "use the options of %s", m->destination);
        }
        if (streq(kernel, "proc") || streq(kernel, "sysfs")) {
                r = check_ordinary(l, m->destination);
                if (r < 0)
                        return launch_fail(l, r, "mount %s on %s", m->type, m->destination);
        }
        _cleanup_close_ int fd = mount_new(kernel, m->source, shift ? shifted : m->options, why);
        if (fd < 0)
                return launch_fail(l, fd, "mount %s%s%s%s", m->type, *why ? " (" : "", why, *why ? ")" : "");
        r = mount_attach(fd, l->root, m->destination, true);
        return r < 0 ? launch_fail(l, r, "mount %s on %s", m->type, m->destination) : 0;
}

static int bind_one(Launch *l, const RuntimeMount *m, int fd) {
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        r = mount_attach(fd, l->root, m->destination, S_ISDIR(st.st_mode));
        return r < 0 ? launch_fail(l, r, "bind on %s", m->destination) : 0;
}

static bool is_below(const char *path, const char *directory) {
        const char *rest = startswith(path, directory);

        return rest && *rest == '/';
}

/* A bind is attached with the monitor's mounts, but for one below something that the init has yet to mount. */
static Phase phase_of(const Launch *l, size_t i) {
        const RuntimeMount *m = l->config->mounts + i;
        int kind = kind_of(l, m);

        for (size_t k = 0; kind == 0 && k < i; k++) {
                const RuntimeMount *above = l->config->mounts + k;
                if (kinds[kind_of(l, above)].phase == PHASE_INIT && is_below(m->destination, above->destination))
                        return PHASE_AFTER;
        }
        return kinds[kind].phase;
}

/* In the configuration's order, as far as they belong to this phase. */
static int mount_phase(Launch *l, Phase phase) {
        for (size_t i = 0; i < l->config->n_mounts; i++) {
                const RuntimeMount *m = l->config->mounts + i;
                int kind = kind_of(l, m), r;

                if (kind < 0 || phase_of(l, i) != phase)
                        continue;
                r = kind == 0 ? bind_one(l, m, l->binds[i])
                              : mount_one(l, m, kinds[kind].kernel, phase == PHASE_INSIDE);
                if (r < 0)
                        return r;
        }
        return 0;
}

int step_mounts(Launch *l) {
        return mount_phase(l, PHASE_INSIDE);
}

bool launch_has_late_binds(const Launch *l) {
        for (size_t i = 0; i < l->config->n_mounts; i++)
                if (phase_of(l, i) == PHASE_AFTER)
                        return true;
        return false;
}

int step_binds_late(Launch *l) {
        fd_close(l->root);
        l->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC); /* the container's: it has been pivoted to */
        return l->root < 0 ? -errno : mount_phase(l, PHASE_AFTER);
}

int step_mounts_own(Launch *l) {
        return mount_phase(l, PHASE_INIT);
}

/* The namespace is made here: one made before the move would show the way from the old cgroup to the new, for ever. */
int step_cgroup(Launch *l) {
        if ((l->config->namespaces & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
                return launch_fail(l, -errno, "make a cgroup namespace");
        l->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (l->root < 0)
                return -errno;
        int r = mount_phase(l, PHASE_GO);
        l->root = fd_close(l->root);
        return r;
}

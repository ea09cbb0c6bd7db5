/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Step: what is in a container's /dev, when that is a file system of its own. The nodes are made and not bound: the
 * monitor is root in the initial user namespace, so they work, they belong to the container's root as in Docker, and
 * nobody can touch the host's inodes through them. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/fs.h"
#include "util/io.h"
#include "util/strv.h"

static const struct {
        const char *name;
        unsigned major, minor;
} nodes[] = {
        { "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
        const char *name, *target;
} links[] = {
        { "fd", "/proc/self/fd" },         { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
        { "stderr", "/proc/self/fd/2" },   { "core", "/proc/kcore" },      { "ptmx", "pts/ptmx" },
};

/* The last one counts: what is bound on top of ours is somebody's directory. */
static bool has_own_dev(const RuntimeConfig *c) {
        bool own = false;

        for (size_t i = 0; i < c->n_mounts; i++)
                if (streq(c->mounts[i].destination, "/dev"))
                        own = streq(c->mounts[i].type, "tmpfs");
        return own;
}

int step_dev(Launch *l) {
        if (!has_own_dev(l->config))
                return 0;
        _cleanup_close_ int dev = fs_open_in_root(l->root, "/dev", O_PATH | O_DIRECTORY, 0);
        if (dev < 0)
                return dev;
        for (size_t i = 0; i < N_ELEMENTS(nodes); i++)
                if (mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0 &&
                    errno != EEXIST) /* something of that name is bound there, as somebody asked */
                        return launch_fail(l, -errno, "make /dev/%s", nodes[i].name);
        for (size_t i = 0; i < N_ELEMENTS(links); i++) {
                /* The host's /proc still is what "/" leads to. */
                if (streq(links[i].name, "core") && access(links[i].target, F_OK) < 0)
                        continue;
                if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
                        return launch_fail(l, -errno, "make /dev/%s", links[i].name);
        }
        return 0;
}

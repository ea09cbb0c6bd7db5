/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: the root file system, an overlay of the image's layers and the container's own directory. Each is attached,
 * id-mapped, on a scratch tmpfs in the init's mount namespace, since kernels before 6.13 take no detached mounts for
 * layers; the scratch goes with the old root when the init pivots. mount(2) and not fsconfig(2): a string of the latter
 * has at most 255 bytes, a page has room for the names of more layers than overlayfs takes, and it is the same on every
 * kernel. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/fs.h"
#include "util/io.h"
#include "util/strv.h"

#define LAYERS_MAX 500 /* OVL_MAX_STACK */

/* index and metacopy would leave marks in the upper directory that only this overlay understands; a directory that is
 * renamed is copied, as in Docker. */
#define OVERLAY_OPTIONS "index=off,metacopy=off,redirect_dir=off"

static bool is_volatile(const Launch *l) {
        const char *value = runtime_config_annotation(l->config, "volatile");
        return value && streq(value, "true");
}

/* An overlay that was volatile is not mounted again, since a crash of the host may have torn it. This one was not:
 * whoever survives a crash of the host is not volatile. */
static int forget_last_run(const char *state) {
        _cleanup_close_ int fd = fs_open_dir(AT_FDCWD, state);
        return fd < 0 ? fd : fs_remove_tree(fd, "work/work/incompat");
}

int step_layers(Launch *l) {
        const char *layers = runtime_config_annotation(l->config, "layers");
        const char *state = runtime_config_annotation(l->config, "state");
        _cleanup_strv_ char **paths = NULL;
        int r;

        if (!layers || !state)
                return launch_refuse(l, 125, -EINVAL, "the configuration names no layers");
        r = *layers ? strv_split(layers, ':', &paths) : 0;
        if (r < 0)
                return r;
        size_t n = strv_length(paths);
        if (n > LAYERS_MAX)
                return launch_refuse(l, 125, -E2BIG, "the image has %zu layers, more than the %i that overlayfs takes",
                                     n, LAYERS_MAX);
        l->layers = calloc(n + 1, sizeof(int));
        if (!l->layers)
                return -ENOMEM;
        for (; l->n_layers < n; l->n_layers++) {
                r = mount_clone(AT_FDCWD, paths[l->n_layers], false, launch_userns(l));
                if (r < 0)
                        return launch_fail(l, r, "map the ids of layer %s", paths[l->n_layers]);
                l->layers[l->n_layers] = r;
        }
        r = is_volatile(l) ? forget_last_run(state) : 0;
        if (r < 0)
                return launch_fail(l, r, "use %s again", state);
        l->state = mount_clone(AT_FDCWD, state, false, launch_userns(l));
        return l->state < 0 ? launch_fail(l, l->state, "map the ids of %s", state) : 0;
}

/* A directory of the scratch, with a mount on it. */
static int attach_at(int scratch, const char *name, int mount_fd) {
        if (mkdirat(scratch, name, 0700) < 0)
                return -errno;
        return move_mount(mount_fd, "", scratch, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

static int make_scratch(void) {
        static char *const options[] = { (char *) "mode=0700", NULL };
        char why[160];
        _cleanup_close_ int scratch = mount_new("tmpfs", "scratch", options, why);

        if (scratch < 0)
                return scratch;
        /* On top of "/": whoever has a root directory already does not see it, and nothing is hidden. */
        if (move_mount(scratch, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(scratch) < 0)
                return -errno;
        return TAKE_FD(scratch);
}

/* Where overlayfs cannot make its work directory it says so in the kernel's log alone, and mounts read-only. */
static int check_writable(Launch *l) {
        struct statfs fs;

        if (fstatfs(l->root, &fs) < 0)
                return -errno;
        if (!(fs.f_flags & ST_RDONLY))
                return 0;
        return launch_refuse(l, 125, -EROFS, "the container's own layer cannot be written to: is the disk that holds %s full?",
                             runtime_config_annotation(l->config, "state"));
}

int step_rootfs(Launch *l) {
        char options[256 + LAYERS_MAX * 4], *end = options;
        int r;

        if (!launch_has_userns(l) && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno; /* with one, the kernel has cut the ties to the host itself */
        _cleanup_close_ int scratch = make_scratch();
        if (scratch < 0)
                return scratch;
        /* volatile: without it the last unmount writes out all of the file system that the upper directory is on. */
        end += snprintf(options, sizeof(options), "upperdir=s/upper,workdir=s/work," OVERLAY_OPTIONS "%s,lowerdir=",
                        is_volatile(l) ? ",volatile" : "");
        for (size_t i = 0; i < l->n_layers; i++) {
                char name[24];
                snprintf(name, sizeof(name), "%zu", i + 1);
                r = attach_at(scratch, name, l->layers[i]);
                if (r < 0)
                        return launch_fail(l, r, "attach layer %s", name);
                end += snprintf(end, sizeof(options) - (size_t) (end - options), "%s%s", i > 0 ? ":" : "", name);
        }
        if (l->n_layers == 0) { /* an image of nothing, which overlayfs does not take */
                if (mkdirat(scratch, "0", 0755) < 0)
                        return -errno;
                (void) strcpy(end, "0");
        }
        r = attach_at(scratch, "s", l->state);
        if (r < 0)
                return launch_fail(l, r, "attach the container's directory");
        if (mkdirat(scratch, "r", 0700) < 0)
                return -errno;
        /* A device node in an image is no way to the host's devices; those of /dev have a file system of their own. */
        if (mount("overlay", "r", "overlay", launch_has_userns(l) ? MS_NODEV : 0, options) < 0)
                return launch_fail(l, -errno, "mount the overlay of %zu layers", l->n_layers);
        l->root = openat(scratch, "r", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return l->root < 0 ? -errno : check_writable(l);
}

/* As Docker: a link, where the image has nothing of that name. Before anything is mounted on /etc. */
int step_mtab(Launch *l) {
        _cleanup_close_ int etc = target_open(l->root, "/etc", true);

        if (etc < 0)
                return etc;
        return symlinkat("/proc/mounts", etc, "mtab") < 0 && errno != EEXIST ? -errno : 0;
}

/* As Docker: made if missing, for the container's root. What it is, or whether it may be entered, shows later. */
int step_directory_make(Launch *l) {
        int fd = target_open(l->root, l->process->cwd, true);
        if (fd < 0)
                return launch_fail(l, fd, "make the working directory %s", l->process->cwd);
        fd_close(fd);
        return 0;
}

int step_root_readonly(Launch *l) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

        if (!l->config->root_readonly)
                return 0;
        return mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

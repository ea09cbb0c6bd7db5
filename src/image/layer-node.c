/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes one file, directory, link or node of a layer: see layer-writer.h. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/layer-path.h"
#include "image/layer-writer.h"
#include "util/io.h"

static int node_fault(LayerWriter *w, int error, const char *what, const LayerPlace *place) {
        return fault_set_errno(w->fault, error, "Cannot %s %s", what, place->path);
}

/* trusted.* and overlayfs' own are orders to the host's kernel; what else exists (security.selinux, ACLs) belongs to
 * the host that made it. */
static bool xattr_is_wanted(const char *name) {
        if (streq(name, "security.capability"))
                return true;
        return startswith(name, "user.") && !startswith(name, "user.overlay.");
}

static int set_xattrs(LayerWriter *w, struct archive_entry *e, const LayerPlace *place, int fd) {
        const char *name;
        const void *value;
        size_t size;

        archive_entry_xattr_reset(e);
        while (archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK) {
                if (!xattr_is_wanted(name) || fsetxattr(fd, name, value, size, 0) >= 0)
                        continue;
                /* A file system without user.* attributes can still hold the image; without capabilities it cannot. */
                if (errno == EOPNOTSUPP && startswith(name, "user."))
                        continue;
                return fault_set_errno(w->fault, -errno, "Cannot set the attribute \"%.64s\" of %s", name, place->path);
        }
        return 0;
}

/* The order is the kernel's: a change of owner drops set-user-ID bits and capabilities. */
int layer_node_set(LayerWriter *w, struct archive_entry *e, const LayerPlace *place, int fd) {
        mode_t mode = archive_entry_perm(e) & 07777;
        const struct timespec times[2] = {
                { .tv_nsec = UTIME_OMIT },
                { .tv_sec = archive_entry_mtime(e), .tv_nsec = archive_entry_mtime_nsec(e) },
        };
        bool is_dir = archive_entry_filetype(e) == AE_IFDIR;
        int r;

        if ((is_dir || w->parent_setgid || archive_entry_uid(e) != 0 || archive_entry_gid(e) != 0) &&
            fchown(fd, (uid_t) archive_entry_uid(e), (gid_t) archive_entry_gid(e)) < 0)
                return node_fault(w, -errno, "set the owner of", place);
        if ((is_dir || (mode & 07000)) && fchmod(fd, mode) < 0)
                return node_fault(w, -errno, "set the mode of", place);
        r = set_xattrs(w, e, place, fd);
        if (r < 0)
                return r;
        if (!is_dir && futimens(fd, times) < 0)
                return node_fault(w, -errno, "set the time of", place);
        return 0;
}

/* The same without a descriptor: for symlinks and nodes, which are not opened. */
static int set_unopened(LayerWriter *w, struct archive_entry *e, const LayerPlace *place) {
        const struct timespec times[2] = {
                { .tv_nsec = UTIME_OMIT },
                { .tv_sec = archive_entry_mtime(e), .tv_nsec = archive_entry_mtime_nsec(e) },
        };

        if (fchownat(place->parent_fd, place->name, (uid_t) archive_entry_uid(e), (gid_t) archive_entry_gid(e),
                     AT_SYMLINK_NOFOLLOW) < 0)
                return node_fault(w, -errno, "set the owner of", place);
        if (archive_entry_filetype(e) != AE_IFLNK &&
            fchmodat(place->parent_fd, place->name, archive_entry_perm(e) & 07777, 0) < 0)
                return node_fault(w, -errno, "set the mode of", place);
        if (utimensat(place->parent_fd, place->name, times, AT_SYMLINK_NOFOLLOW) < 0)
                return node_fault(w, -errno, "set the time of", place);
        return 0;
}

static int write_at(int fd, const char *data, size_t size, uint64_t offset) {
        while (size > 0) {
                ssize_t n = pwrite(fd, data, size, (off_t) offset);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                data += n;
                size -= (size_t) n;
                offset += (uint64_t) n;
        }
        return 0;
}

static int write_data(LayerWriter *w, TarStream *s, const LayerPlace *place, int fd, uint64_t size) {
        const void *data;
        size_t n;
        uint64_t offset, end = 0;
        int r;

        while ((r = tar_stream_data(s, &data, &n, &offset)) > 0) {
                if (offset > size || n > size - offset)
                        return fault_set(w->fault, -EBADMSG, "The archive is damaged: %s has more data than its size",
                                         place->path);
                r = write_at(fd, data, n, offset);
                if (r < 0)
                        return node_fault(w, r, "write", place);
                end = MAX_OF(end, offset + n);
        }
        if (r >= 0 && end < size && ftruncate(fd, (off_t) size) < 0) /* a hole at the end */
                return node_fault(w, -errno, "write", place);
        return r;
}

static int make_file(LayerWriter *w, TarStream *s, struct archive_entry *e, LayerPlace *place) {
        la_int64_t size = archive_entry_size(e);
        mode_t mode = archive_entry_perm(e) & 0777;
        int r, replaced = 0;

        if (size < 0 || (uint64_t) size > LAYER_FILE_SIZE_MAX)
                return fault_set(w->fault, -EBADMSG, "The file %s claims a size of %lld bytes", place->path,
                                 (long long) size);
        _cleanup_close_ int fd =
                openat(place->parent_fd, place->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0 && errno == EEXIST) {
                r = layer_node_remove(w, place);
                if (r < 0)
                        return r;
                replaced = 1;
                fd = openat(place->parent_fd, place->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        }
        if (fd < 0)
                return node_fault(w, -errno, "create", place);
        r = write_data(w, s, place, fd, (uint64_t) size);
        if (r < 0)
                return r;
        w->size += (uint64_t) size;
        r = layer_node_set(w, e, place, fd);
        return r < 0 ? r : replaced;
}

/* A directory that is there already keeps what is in it. */
static int make_dir(LayerWriter *w, TarStream *s, struct archive_entry *e, LayerPlace *place) {
        struct stat st;
        int r, replaced = 0;

        if (mkdirat(place->parent_fd, place->name, 0700) < 0) {
                if (errno != EEXIST)
                        return node_fault(w, -errno, "create the directory", place);
                if (fstatat(place->parent_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return node_fault(w, -errno, "look at", place);
                if (!S_ISDIR(st.st_mode)) {
                        r = layer_node_remove(w, place);
                        if (r < 0)
                                return r;
                        replaced = 1;
                        if (mkdirat(place->parent_fd, place->name, 0700) < 0)
                                return node_fault(w, -errno, "create the directory", place);
                }
        }
        _cleanup_close_ int fd = openat(place->parent_fd, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return node_fault(w, -errno, "open the directory", place);
        r = layer_node_set(w, e, place, fd);
        return r < 0 ? r : replaced;
}

/* Whatever needs one system call to be there. */
typedef int (*Create)(LayerWriter *w, struct archive_entry *e, const LayerPlace *place);

static int create_symlink(LayerWriter *w, struct archive_entry *e, const LayerPlace *place) {
        const char *target = archive_entry_symlink(e);
        return target && symlinkat(target, place->parent_fd, place->name) >= 0 ? 0 : target ? -errno : -EBADMSG;
}

static int create_node(LayerWriter *w, struct archive_entry *e, const LayerPlace *place) {
        mode_t type = archive_entry_filetype(e);
        dev_t device = type == AE_IFIFO ? 0 : archive_entry_rdev(e);
        return mknodat(place->parent_fd, place->name, type | 0600, device) < 0 ? -errno : 0;
}

static int create(LayerWriter *w, struct archive_entry *e, LayerPlace *place, Create f) {
        int r, replaced = 0;

        r = f(w, e, place);
        if (r == -EEXIST) {
                r = layer_node_remove(w, place);
                if (r < 0)
                        return r;
                replaced = 1;
                r = f(w, e, place);
        }
        return r < 0 ? r : replaced;
}

static int make_symlink(LayerWriter *w, TarStream *s, struct archive_entry *e, LayerPlace *place) {
        int replaced = create(w, e, place, create_symlink);

        if (replaced < 0)
                return node_fault(w, replaced, "create the symlink", place);
        int r = set_unopened(w, e, place);
        return r < 0 ? r : replaced;
}

static int make_node(LayerWriter *w, TarStream *s, struct archive_entry *e, LayerPlace *place) {
        int replaced = create(w, e, place, create_node);

        /* Where devices are forbidden (a sandbox, a user namespace) the image goes without: containers have a /dev of
         * their own. */
        if (replaced == -EPERM && archive_entry_filetype(e) != AE_IFIFO) {
                w->skipped_devices++;
                return 0;
        }
        if (replaced < 0)
                return node_fault(w, replaced, "create the node", place);
        int r = set_unopened(w, e, place);
        return r < 0 ? r : replaced;
}

/* The target's directory is resolved inside the layer; a symlink at its end is linked itself. */
static int make_hardlink(LayerWriter *w, struct archive_entry *e, LayerPlace *place) {
        const char *name = archive_entry_hardlink(e), *why;
        LayerPath target;
        LayerPlace source = { 0 };
        int r, replaced = 0;

        r = layer_path_parse(name, &target, &why);
        if (r >= 0 && target.kind != LAYER_PATH_ENTRY)
                r = -EINVAL, why = "that is no file";
        if (r < 0)
                return fault_set(w->fault, -EBADMSG, "The hard link %.200s to \"%.200s\" is refused: %s", place->path,
                                 name, why);
        if (streq(target.path, place->path))
                return 0;
        /* The writer keeps one parent: this place's descriptor has to live beside it. */
        _cleanup_close_ int parent_fd = fcntl(place->parent_fd, F_DUPFD_CLOEXEC, 0);
        if (parent_fd < 0)
                return node_fault(w, -errno, "create the hard link", place);
        place->parent_fd = parent_fd;
        r = layer_writer_parent(w, target.path, false, &source);
        if (r < 0)
                return fault_set_errno(w->fault, r, "Cannot link %.200s to %.200s in the layer", place->path,
                                       target.path);
        r = linkat(source.parent_fd, source.name, parent_fd, place->name, 0) < 0 ? -errno : 0;
        if (r == -EEXIST) {
                r = layer_node_remove(w, place);
                if (r < 0)
                        return r;
                replaced = 1;
                r = linkat(source.parent_fd, source.name, parent_fd, place->name, 0) < 0 ? -errno : 0;
        }
        if (r < 0)
                return fault_set_errno(w->fault, r, "Cannot link %.200s to %.200s in the layer", place->path,
                                       target.path);
        return replaced;
}

static const struct {
        mode_t type;
        int (*make)(LayerWriter *w, TarStream *s, struct archive_entry *e, LayerPlace *place);
} makers[] = {
        { AE_IFREG, make_file    },
        { AE_IFDIR, make_dir     },
        { AE_IFLNK, make_symlink },
        { AE_IFCHR, make_node    },
        { AE_IFBLK, make_node    },
        { AE_IFIFO, make_node    },
};

/* 1: something else of that name made room. */
int layer_node_make(LayerWriter *w, TarStream *s, struct archive_entry *e, LayerPlace *place) {
        if (archive_entry_hardlink(e))
                return make_hardlink(w, e, place);
        for (size_t i = 0; i < N_ELEMENTS(makers); i++)
                if (archive_entry_filetype(e) == makers[i].type)
                        return makers[i].make(w, s, e, place);
        return fault_set(w->fault, -EBADMSG, "The entry %s is of an unknown kind", place->path);
}

/* A whiteout speaks of lower layers only: what this layer itself has under that name stays, and hides them. */
int layer_whiteout_make(LayerWriter *w, LayerPlace *place) {
        struct stat st;

        if (mknodat(place->parent_fd, place->name, S_IFCHR, makedev(0, 0)) >= 0)
                return 0;
        if (errno != EEXIST)
                return node_fault(w, -errno, "create the whiteout of", place);
        if (fstatat(place->parent_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return node_fault(w, -errno, "look at", place);
        return S_ISDIR(st.st_mode) ? layer_writer_add_opaque(w, place->path) : 0;
}

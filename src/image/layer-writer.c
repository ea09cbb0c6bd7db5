/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a layer's entries go: see layer-writer.h. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "image/layer-path.h"
#include "image/layer-writer.h"
#include "util/fs.h"

/* Room for the lists in a report, with quotes and commas. */
#define REPORT_SIZE_MAX (6U << 20)

void layer_writer_init(LayerWriter *w, int root_fd, Fault *fault) {
        *w = (LayerWriter){ .fault = fault, .root_fd = root_fd, .parent_fd = -EBADF };
}

static void forget_parent(LayerWriter *w) {
        free(w->parent_path);
        w->parent_path = NULL;
        w->parent_fd = fd_close(w->parent_fd);
}

void layer_writer_clear(LayerWriter *w) {
        forget_parent(w);
        layer_dirs_clear(&w->dirs);
        strv_free(w->opaque);
        strv_free(w->implicit);
        *w = (LayerWriter){ .root_fd = -EBADF, .parent_fd = -EBADF };
}

/* -E2BIG: the report has no room for it. */
static int tell(LayerWriter *w, char ***list, const char *path) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = layer_path_escape(path, &text);
        if (r < 0)
                return r;
        w->report_size += strlen(text) + 4;
        if (w->report_size > REPORT_SIZE_MAX)
                return -E2BIG;
        return strv_consume(list, TAKE(text));
}

int layer_writer_add_opaque(LayerWriter *w, const char *path) {
        int r = tell(w, &w->opaque, path);

        if (r == -E2BIG)
                return fault_set(w->fault, r, "The layer hides the content of too many directories");
        return r < 0 ? fault_set_errno(w->fault, r, "Cannot note the directory %s", path) : 0;
}

static int note_dir(LayerWriter *w, const char *path, const struct timespec *mtime) {
        int r = layer_dirs_add(&w->dirs, path, mtime);

        if (r == -E2BIG)
                return fault_set(w->fault, r, "The layer has too many directories");
        return r < 0 ? fault_set_errno(w->fault, r, "Cannot note the directory %s", path) : 0;
}

static int open_dir(LayerWriter *w, const char *path) {
        return fs_open_in_root(w->root_fd, path[0] ? path : ".", O_RDONLY | O_DIRECTORY, 0);
}

/* The length of the `n`th prefix that ends before a slash: prefix 0 is "". */
static size_t prefix_length(const char *path, size_t n) {
        const char *p = path;

        for (; n > 0; n--) {
                p += *p == '/';
                p += strcspn(p, "/");
        }
        return (size_t) (p - path);
}

/* Makes the missing end of a directory's path. A prefix of a path that exists exists: so the place where it ends is
 * found by halving, and a deep path costs no more than its length. */
static int make_parents(LayerWriter *w, const char *path) {
        _cleanup_free_ char *prefix = strdup(path);
        size_t exists = 0, missing = 1;
        int r;

        if (!prefix)
                return fault_set_errno(w->fault, -ENOMEM, "Cannot create %s", path);
        for (const char *p = path; *p; p++)
                missing += *p == '/';
        while (missing - exists > 1) {
                size_t middle = (exists + missing) / 2, n = prefix_length(path, middle);
                prefix[n] = '\0';
                r = open_dir(w, prefix);
                prefix[n] = path[n];
                if (r < 0 && r != -ENOENT)
                        return fault_set_errno(w->fault, r, "Cannot create what is in %s", path);
                if (r >= 0)
                        exists = middle;
                else
                        missing = middle;
                fd_close(r);
        }
        size_t begin = prefix_length(path, exists);
        prefix[begin] = '\0';
        _cleanup_close_ int fd = open_dir(w, prefix);
        prefix[begin] = path[begin];
        if (fd < 0)
                return fault_set_errno(w->fault, fd, "Cannot create what is in %s", path);
        for (const char *p = path + begin; *p;) {
                p += *p == '/';
                size_t name = (size_t) (p - path), end = name + strcspn(p, "/");
                prefix[end] = '\0';
                /* What is there but could not be opened is a symlink to nowhere. */
                if (mkdirat(fd, prefix + name, 0755) < 0)
                        return fault_set_errno(w->fault, -errno, "Cannot create the directory %s", prefix);
                int next = openat(fd, prefix + name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (next < 0)
                        return fault_set_errno(w->fault, -errno, "Cannot open the directory %s", prefix);
                fd_close(fd);
                fd = next;
                r = note_dir(w, prefix, NULL);
                if (r < 0)
                        return r;
                prefix[end] = path[end];
                p += strcspn(p, "/");
        }
        return 0;
}

int layer_writer_parent(LayerWriter *w, const char *path, bool make, LayerPlace *ret) {
        const char *slash = strrchr(path, '/');
        size_t n = slash ? (size_t) (slash - path) : 0;
        struct stat st;

        ret->path = path;
        ret->name = slash ? slash + 1 : path;
        if (!w->parent_path || strncmp(w->parent_path, path, n) != 0 || w->parent_path[n]) {
                _cleanup_free_ char *parent = strndup(path, n);
                if (!parent)
                        return fault_set_errno(w->fault, -ENOMEM, "Cannot create %s", path);
                int fd = open_dir(w, parent);
                if (fd == -ENOENT && make) {
                        int r = make_parents(w, parent);
                        if (r < 0)
                                return r;
                        fd = open_dir(w, parent);
                }
                if (fd < 0) /* what that means to the entry is told by whoever only looks */
                        return make ? fault_set_errno(w->fault, fd, "Cannot create %s in its directory", path) : fd;
                forget_parent(w);
                w->parent_fd = fd;
                w->parent_path = TAKE(parent);
                w->parent_setgid = fstat(fd, &st) < 0 || (st.st_mode & S_ISGID);
        }
        ret->parent_fd = w->parent_fd;
        return 0;
}

int layer_node_remove(LayerWriter *w, LayerPlace *place) {
        struct stat st;
        int r;

        if (fstatat(place->parent_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : fault_set_errno(w->fault, -errno, "Cannot look at %s", place->path);
        place->replaced_whiteout = S_ISCHR(st.st_mode) && st.st_rdev == 0;
        r = fs_remove_tree(place->parent_fd, place->name);
        return r < 0 ? fault_set_errno(w->fault, r, "Cannot replace %s", place->path) : 0;
}

static int note_ids(LayerWriter *w, struct archive_entry *e, const char *path) {
        la_int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e);

        if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
                return fault_set(w->fault, -EBADMSG, "The owner of %s is not a number of 32 bits", path);
        w->max_id = MAX_OF(w->max_id, (uint32_t) MAX_OF(uid, gid));
        return 0;
}

static int add_entry(LayerWriter *w, TarStream *s, struct archive_entry *e, const char *path) {
        LayerPlace place = { 0 };
        bool is_dir = archive_entry_filetype(e) == AE_IFDIR && !archive_entry_hardlink(e);
        struct timespec mtime = { .tv_sec = archive_entry_mtime(e), .tv_nsec = archive_entry_mtime_nsec(e) };
        int r;

        r = layer_writer_parent(w, path, true, &place);
        if (r < 0)
                return r;
        r = layer_node_make(w, s, e, &place);
        if (r < 0)
                return r;
        /* A path that led through what was replaced may lead elsewhere now. `path` may not be used with this parent
         * again. */
        if (r > 0)
                forget_parent(w);
        if (!is_dir)
                return 0;
        if (place.replaced_whiteout) {
                r = layer_writer_add_opaque(w, path);
                if (r < 0)
                        return r;
        }
        return note_dir(w, path, &mtime);
}

static int add_root(LayerWriter *w, struct archive_entry *e) {
        LayerPlace place = { .path = "/", .name = ".", .parent_fd = w->root_fd };
        struct timespec mtime = { .tv_sec = archive_entry_mtime(e), .tv_nsec = archive_entry_mtime_nsec(e) };
        int r;

        if (archive_entry_filetype(e) != AE_IFDIR || archive_entry_hardlink(e))
                return fault_set(w->fault, -EBADMSG, "The layer's root is not a directory in it");
        r = layer_node_set(w, e, &place, w->root_fd);
        return r < 0 ? r : note_dir(w, "", &mtime);
}

static int add_whiteout(LayerWriter *w, const char *path) {
        LayerPlace place = { 0 };
        int r;

        r = layer_writer_parent(w, path, true, &place);
        return r < 0 ? r : layer_whiteout_make(w, &place);
}

/* An opaque directory exists, also when the archive has it only by this mark. */
static int add_opaque(LayerWriter *w, const char *path) {
        LayerPlace place = { 0 };
        char inside[PATH_MAX + 2];
        int r;

        snprintf(inside, sizeof(inside), "%s/x", path);
        r = path[0] ? layer_writer_parent(w, inside, true, &place) : 0;
        return r < 0 ? r : layer_writer_add_opaque(w, path);
}

int layer_writer_add(LayerWriter *w, TarStream *s, struct archive_entry *e) {
        const char *name = archive_entry_pathname(e), *why;
        LayerPath path;
        int r;

        if (++w->entries > LAYER_ENTRIES_MAX)
                return fault_set(w->fault, -E2BIG, "The layer has more than %u entries", LAYER_ENTRIES_MAX);
        if (!name)
                return fault_set(w->fault, -EBADMSG, "Entry %llu has no name", (unsigned long long) w->entries);
        r = layer_path_parse(name, &path, &why);
        if (r < 0)
                return fault_set(w->fault, -EBADMSG, "The entry \"%.200s\" is refused: %s", name, why);
        if (path.kind == LAYER_PATH_ENTRY || path.kind == LAYER_PATH_ROOT) {
                r = note_ids(w, e, path.path);
                if (r < 0)
                        return r;
        }
        switch (path.kind) {
        case LAYER_PATH_ROOT:
                return add_root(w, e);
        case LAYER_PATH_ENTRY:
                return add_entry(w, s, e, path.path);
        case LAYER_PATH_WHITEOUT:
                return add_whiteout(w, path.path);
        case LAYER_PATH_OPAQUE:
                return add_opaque(w, path.path);
        case LAYER_PATH_NOTHING:
                return 0;
        }
        return -EINVAL;
}

int layer_writer_finish(LayerWriter *w) {
        bool root_has_entry = false;
        int r;

        forget_parent(w);
        layer_dirs_settle(&w->dirs);
        for (size_t i = 0; i < w->dirs.n; i++) {
                const LayerDir *d = &w->dirs.items[i];
                const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, d->mtime };

                root_has_entry = root_has_entry || !d->path[0];
                if (!d->has_entry) {
                        /* Too many to tell: the rest keeps root's ownership, which is all that Docker gives any of
                         * them. */
                        r = tell(w, &w->implicit, d->path);
                        if (r < 0 && r != -E2BIG)
                                return fault_set_errno(w->fault, r, "Cannot note the directory %s", d->path);
                        continue;
                }
                _cleanup_close_ int fd = open_dir(w, d->path);
                if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
                        continue; /* replaced by something else later on */
                if (fd < 0)
                        return fault_set_errno(w->fault, fd, "Cannot open the directory %s", d->path);
                if (futimens(fd, times) < 0)
                        return fault_set_errno(w->fault, -errno, "Cannot set the time of %s", d->path);
        }
        if (!root_has_entry) {
                r = tell(w, &w->implicit, "");
                if (r < 0 && r != -E2BIG)
                        return fault_set_errno(w->fault, r, "Cannot note the root directory");
        }
        return 0;
}

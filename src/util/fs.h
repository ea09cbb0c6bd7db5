/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files: bounded reads, writes that are whole or not there, directories, trees. Paths are relative to a directory
 * descriptor (AT_FDCWD works). Where a tree may hold what came from outside, use openat2 with RESOLVE_IN_ROOT or
 * RESOLVE_BENEATH: fs_open_beneath, fs_open_in_root. */
#pragma once

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "util/io.h"

/* openat2(2). Returns a descriptor (close-on-exec always) or negative errno. */
int fs_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* Never leaves dir_fd: no "..", no absolute path, and no symlink is followed at all. */
int fs_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);

/* Resolves as if dir_fd were "/": symlinks are followed inside it, magic links never. */
int fs_open_in_root(int dir_fd, const char *path, int flags, mode_t mode);

/* Reads a regular file of at most max bytes; -EFBIG beyond, -EINVAL if it is no regular file. */
int fs_read_file(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size);

typedef enum WriteFlags {
        WRITE_SYNC = 1 << 0, /* fsync the file before the rename and the directory after: it survives power loss */
} WriteFlags;

/* Writes a temporary file beside it and renames: readers see the old content or the new. Mode as given. */
int fs_write_file(int dir_fd, const char *path, const void *data, size_t size, mode_t mode, WriteFlags flags);

/* fsync of a directory. */
int fs_sync_dir(int dir_fd);

/* mkdir that takes an existing directory for success (not a symlink to one). */
int fs_mkdir(int dir_fd, const char *path, mode_t mode);

/* mkdir -p of an absolute or relative path of our own making. */
int fs_mkdir_all(const char *path, mode_t mode);

/* Opens a directory O_DIRECTORY|O_NOFOLLOW. */
int fs_open_dir(int dir_fd, const char *path);

/* Removes the tree at `path`, never following a symlink or crossing a mount point. 0 also if there was none.
 * Uses a fixed number of descriptors whatever the depth. For trees that may be large see fs_remove_some. */
int fs_remove_tree(int dir_fd, const char *path);

/* One slice of emptying the directory `trash_fd`: unlinks at most `budget` entries. 1: there is more, 0: empty now. A
 * subdirectory that is not empty is moved up into the trash itself, so neither stack nor descriptors grow with
 * depth. */
int fs_remove_some(int trash_fd, unsigned budget);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the files of one layer below a directory, and nothing outside of it whatever the archive says: every path is
 * resolved by openat2(RESOLVE_IN_ROOT). Needs root or its CHOWN DAC_OVERRIDE FOWNER FSETID SETFCAP MKNOD. umask must be
 * 0. */
#pragma once

#include "image/layer-dirs.h"
#include "image/tar-stream.h"
#include "util/strv.h"

#define LAYER_ENTRIES_MAX   (16U << 20)
#define LAYER_FILE_SIZE_MAX (UINT64_C(1) << 44)

typedef struct LayerWriter {
        Fault *fault;      /* borrowed */
        int root_fd;       /* borrowed */
        /* the directory of the last entry, since the next one is mostly in the same */
        char *parent_path; /* NULL: none */
        int parent_fd;
        bool parent_setgid;
        LayerDirs dirs;

        /* what there is to tell in the end */
        uint64_t size;     /* of all regular files together */
        uint64_t entries;
        uint32_t max_id;   /* the greatest uid or gid */
        uint64_t skipped_devices;
        char **opaque;     /* directories, escaped as layer-path.h says */
        char **implicit;   /* directories without an entry; "" is the root */
        size_t report_size;
} LayerWriter;

/* root_fd: an empty directory. */
void layer_writer_init(LayerWriter *w, int root_fd, Fault *fault);
void layer_writer_clear(LayerWriter *w);

/* Makes what the entry says, with the data that follows it in the stream. */
int layer_writer_add(LayerWriter *w, TarStream *s, struct archive_entry *e);
/* Sets the times of directories and fills in what is to be told. */
int layer_writer_finish(LayerWriter *w);

/* Between layer-writer.c, which finds the place, and layer-node.c, which makes one object there. */
typedef struct LayerPlace {
        const char *path; /* for messages */
        const char *name; /* the last component */
        int parent_fd;
        bool replaced_whiteout;
} LayerPlace;

int layer_node_make(LayerWriter *w, TarStream *s, struct archive_entry *e, LayerPlace *place);
/* Sets owner, mode, extended attributes; the time too, unless it is a directory. */
int layer_node_set(LayerWriter *w, struct archive_entry *e, const LayerPlace *place, int fd);
/* Makes room for something else of that name. */
int layer_node_remove(LayerWriter *w, LayerPlace *place);
int layer_whiteout_make(LayerWriter *w, LayerPlace *place);
int layer_writer_add_opaque(LayerWriter *w, const char *path);
/* The directory of `path`, a descriptor that the writer owns. Without `make` a missing one is no fault yet. */
int layer_writer_parent(LayerWriter *w, const char *path, bool make, LayerPlace *ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tar archive from a descriptor, compressed or not: one thread reads and decompresses, one hashes what comes out, and
 * the caller takes the entries from libarchive, which only reads the format: it opens and writes nothing. */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "image/fault.h"
#include "oci/digest.h"

typedef enum TarStreamFlags {
        TAR_STREAM_HASH = 1 << 0, /* both digests are wanted */
} TarStreamFlags;

typedef struct TarStream TarStream;

typedef struct TarStreamResult {
        OciDigest digest, diff_id; /* of the input as it came, of the tar archive */
        uint64_t size;             /* of the input */
        const char *suffix;        /* "", "+gzip", "+zstd" */
} TarStreamResult;

/* The descriptors are borrowed until tar_stream_finish(). What is read is also written to copy_fd, if that is >= 0. */
int tar_stream_new(int fd, int copy_fd, TarStreamFlags flags, Fault *fault, TarStream **ret);
/* If the stream was not read to its end, its threads and memory stay until the process ends: they may be waiting for a
 * client that sends nothing, and a worker that failed is about to exit. */
TarStream *tar_stream_free(TarStream *s);
DEFINE_FREEP(TarStream, tar_stream_free)

/* 1: an entry, good until the next call. 0: the end of the archive. Negative: the fault is set. */
int tar_stream_next(TarStream *s, struct archive_entry **ret);
/* 1: a piece of the current entry's data, for this offset (what lies between pieces is a hole), 0: its end. */
int tar_stream_data(TarStream *s, const void **ret_data, size_t *ret_size, uint64_t *ret_offset);
/* Reads what follows the archive's end, so that the digests cover all of it. */
int tar_stream_finish(TarStream *s, TarStreamResult *ret);

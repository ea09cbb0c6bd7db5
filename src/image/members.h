/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The members of an image archive: each regular file is stored under its digest in blobs/ and remembered by its name;
 * links are remembered as names only and looked up here, never on the file system. */
#pragma once

#include "image/tar-stream.h"

#define MEMBERS_MAX            (1U << 16)
#define MEMBERS_NAMES_SIZE_MAX (16U << 20)

typedef struct Member {
        char *name;    /* plain: without "./" */
        size_t order;
        char *link;    /* the plain name it stands for, or NULL */
        OciDigest digest;
        uint64_t size;
        uint8_t magic[4]; /* its first bytes */
} Member;

typedef struct Members {
        int blobs_fd;
        Fault *fault; /* borrowed */
        Member *items;
        size_t n, room, names_size;
} Members;

/* Reads the archive to its end. A file named blobs/sha256/HEX must have that digest. */
int members_read(Members *m, int archive_fd, int blobs_fd, Fault *fault);
void members_clear(Members *m);

/* Follows links, up to a few. NULL: not there, and not a file. */
const Member *members_find(const Members *m, const char *name);
/* "+gzip", "+zstd" or "": how the media type of such a layer ends. */
const char *member_suffix(const Member *member);

/* Reads a blob of at most max bytes. */
int blob_read(int blobs_fd, const OciDigest *digest, size_t max, char **ret, size_t *ret_size);
/* The size of a blob; -ENOENT. */
int blob_size(int blobs_fd, const OciDigest *digest, uint64_t *ret);
/* Stores a blob of our own making, synced by the caller's syncfs. */
int blob_write(int blobs_fd, const void *data, size_t size, OciDigest *ret);

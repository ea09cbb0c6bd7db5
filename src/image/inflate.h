/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A descriptor's bytes, decompressed as they come: plain, gzip (ISA-L) or zstd, told apart by their first bytes. Works
 * on pipes. What was read can be hashed and copied to a file on the way. Used by one thread at a time. */
#pragma once

#include "image/fault.h"
#include "oci/hash.h"

typedef enum InflateFlags {
        INFLATE_HASH = 1 << 0, /* the digest of the compressed input is wanted */
} InflateFlags;

typedef struct Inflate Inflate;

/* The descriptors are borrowed. copy_fd < 0: no copy. */
int inflate_new(int fd, int copy_fd, InflateFlags flags, Inflate **ret);
Inflate *inflate_free(Inflate *i);
DEFINE_FREEP(Inflate, inflate_free)

/* Up to `size` bytes of output; 0 at the end; negative errno with the fault set. -EBADMSG: damaged or cut off. */
ssize_t inflate_read(Inflate *i, void *data, size_t size, Fault *fault);

/* After the end. 0: it was plain, the digest is that of the output. */
int inflate_digest(Inflate *i, OciDigest *ret);
uint64_t inflate_input_size(const Inflate *i);
/* "", "+gzip" or "+zstd": what is added to a layer's media type. */
const char *inflate_suffix(const Inflate *i);

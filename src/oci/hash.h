/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making digests: SHA-256 over a stream, by OpenSSL. A library of its own, since only workers hash: berthd and the
 * monitor link none of it. */
#pragma once

#include "oci/digest.h"

typedef struct OciHash OciHash;

int oci_hash_new(OciHash **ret);
OciHash *oci_hash_free(OciHash *h);
DEFINE_FREEP(OciHash, oci_hash_free)

int oci_hash_update(OciHash *h, const void *data, size_t size);
/* The digest of what was seen; the hash then begins anew. */
int oci_hash_finish(OciHash *h, OciDigest *ret);

int oci_hash_buffer(const void *data, size_t size, OciDigest *ret);

/* The chain id of a layer (image-spec, config.md): parent is NULL for the lowest layer. */
int oci_chain_id(const OciDigest *parent, const OciDigest *diff_id, OciDigest *ret);

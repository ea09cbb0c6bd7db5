/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256: see hash.h. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "oci/hash.h"

struct OciHash {
        EVP_MD_CTX *context;
};

int oci_hash_new(OciHash **ret) {
        _cleanup_(oci_hash_freep) OciHash *h = calloc(1, sizeof(OciHash));

        if (!h)
                return -ENOMEM;
        h->context = EVP_MD_CTX_new();
        if (!h->context)
                return -ENOMEM;
        if (EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) != 1)
                return -EIO;
        *ret = TAKE(h);
        return 0;
}

OciHash *oci_hash_free(OciHash *h) {
        if (h)
                EVP_MD_CTX_free(h->context);
        free(h);
        return NULL;
}

int oci_hash_update(OciHash *h, const void *data, size_t size) {
        return EVP_DigestUpdate(h->context, data, size) == 1 ? 0 : -EIO;
}

int oci_hash_finish(OciHash *h, OciDigest *ret) {
        uint8_t bytes[EVP_MAX_MD_SIZE];

        if (EVP_DigestFinal_ex(h->context, bytes, NULL) != 1 || EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) != 1)
                return -EIO;
        oci_digest_from_bytes(bytes, ret);
        return 0;
}

int oci_hash_buffer(const void *data, size_t size, OciDigest *ret) {
        uint8_t bytes[EVP_MAX_MD_SIZE];

        if (EVP_Digest(data, size, bytes, NULL, EVP_sha256(), NULL) != 1)
                return -EIO;
        oci_digest_from_bytes(bytes, ret);
        return 0;
}

int oci_chain_id(const OciDigest *parent, const OciDigest *diff_id, OciDigest *ret) {
        char text[2 * OCI_DIGEST_LENGTH + 2];

        if (!parent) {
                *ret = *diff_id;
                return 0;
        }
        int n = snprintf(text, sizeof(text), "%s %s", parent->text, diff_id->text);
        return oci_hash_buffer(text, (size_t) n, ret);
}

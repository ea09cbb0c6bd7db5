/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A digest as text (image-spec, descriptor.md). sha256 only: nothing else is in use, and an unknown algorithm cannot be
 * checked. */
#pragma once

#include "util/macro.h"

#define OCI_DIGEST_PREFIX "sha256:"
#define OCI_DIGEST_LENGTH (7 + 64)

/* Always whole and valid: "sha256:" and 64 lower-case hex digits; all NUL before it was set. */
typedef struct OciDigest {
        char text[OCI_DIGEST_LENGTH + 1];
} OciDigest;

/* -EINVAL: malformed; -EOPNOTSUPP: well-formed, but of another algorithm. */
int oci_digest_parse(const char *text, OciDigest *ret);
/* The 64 hex digits alone. */
int oci_digest_parse_hex(const char *hex, OciDigest *ret);
void oci_digest_from_bytes(const uint8_t bytes[32], OciDigest *ret);

static inline const char *oci_digest_hex(const OciDigest *d) {
        return d->text + 7;
}
bool oci_digest_equal(const OciDigest *a, const OciDigest *b);
/* 64 lower-case hex digits and nothing else. */
bool oci_hex_is_valid(const char *text);

/* For field tables: the member is an OciDigest. */
struct json_object;
int json_to_digest(struct json_object *value, void *member);

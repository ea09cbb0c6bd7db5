/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests as text: see digest.h. */
#include "oci/digest.h"
#include "util/json.h"
#include "util/strv.h"

#define HEX_DIGITS "0123456789abcdef"

bool oci_hex_is_valid(const char *text) {
        return strspn(text, HEX_DIGITS) == 64 && text[64] == '\0';
}

int oci_digest_parse_hex(const char *hex, OciDigest *ret) {
        if (!oci_hex_is_valid(hex))
                return -EINVAL;
        memcpy(ret->text, OCI_DIGEST_PREFIX, 7);
        memcpy(ret->text + 7, hex, 65);
        return 0;
}

int oci_digest_parse(const char *text, OciDigest *ret) {
        const char *hex = startswith(text, OCI_DIGEST_PREFIX);

        if (hex)
                return oci_digest_parse_hex(hex, ret);
        size_t algorithm = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+._-");
        if (algorithm == 0 || text[algorithm] != ':' || strspn(text + algorithm + 1, HEX_DIGITS) < 32)
                return -EINVAL;
        return -EOPNOTSUPP;
}

void oci_digest_from_bytes(const uint8_t bytes[32], OciDigest *ret) {
        memcpy(ret->text, OCI_DIGEST_PREFIX, 7);
        for (size_t i = 0; i < 32; i++) {
                ret->text[7 + 2 * i] = HEX_DIGITS[bytes[i] >> 4];
                ret->text[8 + 2 * i] = HEX_DIGITS[bytes[i] & 15];
        }
        ret->text[OCI_DIGEST_LENGTH] = '\0';
}

bool oci_digest_equal(const OciDigest *a, const OciDigest *b) {
        return memcmp(a->text, b->text, sizeof(a->text)) == 0;
}

int json_to_digest(json_object *value, void *member) {
        if (!json_object_is_type(value, json_type_string) ||
            json_object_get_string_len(value) != (int) strlen(json_object_get_string(value)))
                return -EINVAL;
        return oci_digest_parse(json_object_get_string(value), member);
}

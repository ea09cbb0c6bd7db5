/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids: see container-id.h. */
#include <string.h>
#include <sys/random.h>

#include "container/container-id.h"

#define HEX "0123456789abcdef"

static int random_hex(char *ret, size_t digits) {
        uint8_t bytes[CONTAINER_ID_LENGTH / 2];

        if (getrandom(bytes, digits / 2, 0) != (ssize_t) (digits / 2))
                return negative_errno();
        for (size_t i = 0; i < digits; i++)
                ret[i] = HEX[(bytes[i / 2] >> (i % 2 ? 0 : 4)) & 0xf];
        ret[digits] = '\0';
        return 0;
}

int container_id_new(char ret[static CONTAINER_ID_LENGTH + 1]) {
        int r;

        do
                r = random_hex(ret, CONTAINER_ID_LENGTH);
        while (r >= 0 && strspn(ret, "0123456789") >= CONTAINER_SHORT_ID_LENGTH);
        return r;
}

int run_id_new(char ret[static 33]) {
        return random_hex(ret, 32);
}

bool container_id_is_prefix(const char *s) {
        size_t n = strlen(s);

        return n > 0 && n <= CONTAINER_ID_LENGTH && strspn(s, HEX) == n;
}

bool container_id_is_valid(const char *s) {
        return strlen(s) == CONTAINER_ID_LENGTH && container_id_is_prefix(s);
}

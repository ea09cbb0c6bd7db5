/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that detach: see detach-keys.h. */
#include <string.h>

#include "cli/detach-keys.h"

/* The code of one key, of which the name is not terminated. Negative errno. */
static int key_code(const char *name, size_t length) {
        static const char controls[] = "@abcdefghijklmnopqrstuvwxyz[\\]^_";
        const char *control;

        if (length == 1)
                return (unsigned char) name[0];
        if (length == 3 && memcmp(name, "DEL", 3) == 0)
                return 127;
        if (length != 6 || memcmp(name, "ctrl-", 5) != 0)
                return -EINVAL;
        control = strchr(controls, name[5]);
        return control ? (int) (control - controls) : -EINVAL;
}

int detach_keys_parse(const char *text, DetachKeys *ret) {
        DetachKeys d = { .n = 0 };

        if (!text || !*text)
                text = DETACH_KEYS_DEFAULT;
        for (;;) {
                size_t length = strcspn(text, ",");
                int code = key_code(text, length);
                if (code < 0 || d.n == DETACH_KEYS_MAX)
                        return -EINVAL;
                d.keys[d.n++] = (unsigned char) code;
                if (!text[length])
                        break;
                text += length + 1;
        }
        *ret = d;
        return 0;
}

/* Of the first n keys: how many at the end are a beginning again. */
static size_t overlap(const DetachKeys *d, size_t n) {
        size_t length = n - 1;

        while (memcmp(d->keys, d->keys + n - length, length) != 0)
                length--;
        return length;
}

bool detach_keys_filter(DetachKeys *d, const char *typed, size_t size, char *ret, size_t *ret_size) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++) {
                unsigned char c = (unsigned char) typed[i];
                while (d->n_held > 0 && d->keys[d->n_held] != c) {
                        size_t still = overlap(d, d->n_held), passed = d->n_held - still;
                        memcpy(ret + n, d->keys, passed);
                        n += passed;
                        d->n_held = still;
                }
                if (d->n > 0 && d->keys[d->n_held] == c)
                        d->n_held++;
                else
                        ret[n++] = (char) c;
                if (d->n > 0 && d->n_held == d->n) {
                        d->n_held = 0;
                        *ret_size = n;
                        return true;
                }
        }
        *ret_size = n;
        return false;
}

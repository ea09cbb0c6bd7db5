/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8: see utf8.h. */
#include <stddef.h>
#include <stdint.h>

#include "util/utf8.h"

/* How many bytes the character at p has; 0 if what is there is none. */
static size_t character_size(const unsigned char *p) {
        uint32_t least, c = *p;
        size_t size;

        if (c < 0x80)
                return 1;
        if (c >= 0xc2 && c < 0xe0)
                size = 2, least = 0x80, c &= 0x1f;
        else if (c >= 0xe0 && c < 0xf0)
                size = 3, least = 0x800, c &= 0x0f;
        else if (c >= 0xf0 && c < 0xf5)
                size = 4, least = 0x10000, c &= 0x07;
        else
                return 0;
        for (size_t i = 1; i < size; i++) {
                if ((p[i] & 0xc0) != 0x80) /* also the end of the string */
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        return c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : size;
}

bool utf8_is_valid(const char *s) {
        const unsigned char *p = (const unsigned char *) s;

        while (*p) {
                size_t size = character_size(p);
                if (size == 0)
                        return false;
                p += size;
        }
        return true;
}

void utf8_make_line(char *s) {
        unsigned char *p = (unsigned char *) s;

        while (*p) {
                size_t size = character_size(p);
                if (size == 0 || *p < ' ' || *p == 127) {
                        *p = '?';
                        size = 1;
                }
                p += size;
        }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8: see utf8.h. */
#include <stdint.h>

#include "util/utf8.h"

bool utf8_is_valid(const char *s) {
        const unsigned char *p = (const unsigned char *) s;

        while (*p) {
                uint32_t least, c = *p++;
                int more;

                if (c < 0x80)
                        continue;
                if (c >= 0xc2 && c < 0xe0)
                        more = 1, least = 0x80, c &= 0x1f;
                else if (c >= 0xe0 && c < 0xf0)
                        more = 2, least = 0x800, c &= 0x0f;
                else if (c >= 0xf0 && c < 0xf5)
                        more = 3, least = 0x10000, c &= 0x07;
                else
                        return false;
                for (; more > 0; more--, p++) {
                        if ((*p & 0xc0) != 0x80) /* also the end of the string */
                                return false;
                        c = c << 6 | (*p & 0x3f);
                }
                if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                        return false;
        }
        return true;
}

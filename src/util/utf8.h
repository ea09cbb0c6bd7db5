/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8, as D-Bus and JSON demand it of every string. */
#pragma once

#include <stdbool.h>

/* No overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool utf8_is_valid(const char *s);

/* Makes of any text one line of UTF-8: a '?' for each byte that is neither part of a character nor printable. Texts for
 * D-Bus or JSON go through it that were cut at a size, or hold what came from outside. */
void utf8_make_line(char *s);

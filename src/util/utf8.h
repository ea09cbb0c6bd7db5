/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8, as D-Bus and JSON demand it of every string. */
#pragma once

#include <stdbool.h>

/* No overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool utf8_is_valid(const char *s);

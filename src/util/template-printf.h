/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Go's Printf for the values of a template: %v %s %q %d %x %X %o %b %c %t %e %f %g %T %%, flags + - # 0 and blank,
 * width and precision, also as `*`. Mistakes show in the text as Go shows them: %!d(string=x), %!s(MISSING), %!(EXTRA
 * int=1). */
#pragma once

#include "util/template-node.h"

void template_printf(Text *out, Value format, const Value *args, size_t n);

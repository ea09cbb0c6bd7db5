/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Docker's flags that have no meaning here: they are known, so that who uses them is told why, and never taken in silence. */
#pragma once

#include "cli/args.h"

typedef struct RefusedFlag {
        const char *flag;
        bool is_bool;    /* takes no value */
        unsigned verbs;  /* OptionVerbs */
        const char *why; /* the end of a line */
} RefusedFlag;

extern const RefusedFlag refused_flags[];
extern const size_t n_refused_flags;

/* The row that refuses it; help does not show it. */
void refused_flag_arg(const RefusedFlag *f, Arg *ret);

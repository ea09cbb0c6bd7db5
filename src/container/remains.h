/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What remains of a --rm container for two minutes: its exit code, a symlink RUNDIR/remains/ID to the number. Whoever
 * waited for it when berthd died, or whose answer died with berthd, asks the next one, and by then it may be gone. */
#pragma once

#include "util/macro.h"

/* On disk before the container's files go. Too old ones go as well. */
int remains_add(const char *rundir, const char *id, int32_t exit_code);
/* -ENOENT: nothing is known of such a one. */
int remains_get(const char *rundir, const char *id, int32_t *ret_exit_code);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the filter for a set of capabilities is kept. Building one costs 16 ms, so it is built once, by berth-seccomp, and named after all
 * that it depends on: the profile, the capabilities its rules look at, the machine, the kernel as far as the rules look at it, and the
 * libseccomp that made it. A file under such a name is right for ever; a change of any of these is another name. */
#pragma once

#include "util/macro.h"

/* CACHEDIR/seccomp/KEY.bpf for a container whose bounding set is `capabilities` (1 << CAP_*). Cheap: opens and parses nothing. */
int seccomp_cache_path(uint64_t capabilities, char **ret);

/* Is a whole filter there? If not, `berth-seccomp MASK PATH` makes it (MASK: `capabilities` in hexadecimal). */
bool seccomp_cache_has(const char *path);

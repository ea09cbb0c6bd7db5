/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which uids and gids a container gets: 65,536 of its own, aligned, from the range that systemd sets aside for
 * containers (systemd.io/UIDS-GIDS), none of them delegated to a user or known to the host. */
#pragma once

#include "util/macro.h"

#define ID_RANGE_SIZE 65536u
#define ID_RANGE_FIRST 524288u
#define ID_RANGE_LAST 1879048191u

/* Is the range at `base` taken by somebody else? */
typedef bool (*IdRangeTaken)(uint32_t base, void *userdata);

/* Ranges that containers have given back lately. To ask NSS about ids costs more than all else of a start, and what
 * the host did not know a few minutes ago it will not have handed out since. Zero is an empty one. */
typedef struct IdRangeSpares {
        struct { uint32_t base; uint64_t until; } ranges[32];
        size_t n;
} IdRangeSpares;

void id_range_give_back(IdRangeSpares *spares, uint32_t base);

/* Picks a range: a spare one, or one from a place derived from `seed` on. `subuid` and `subgid` are the paths of the
 * two files. `spares` may be NULL. -ENOSPC: none is free. */
int id_range_pick(const char *seed, const char *subuid, const char *subgid, IdRangeSpares *spares, IdRangeTaken taken,
                  void *userdata, uint32_t *ret);

/* Does the text of /etc/subuid give out an id of the range at `base`? Lines that cannot be read are passed over. */
bool id_range_is_delegated(const char *text, uint32_t base);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ranges of ids: see id-range.h. */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <time.h>

#include "container/id-range.h"
#include "util/fs.h"
#include "util/strv.h"

#define SUBID_SIZE_MAX (4u * 1024 * 1024)
#define SPARE_SEC 300

/* "name:first:count" */
static bool line_overlaps(const char *line, size_t length, uint32_t base) {
        char copy[256];
        uint64_t first, count;

        if (length >= sizeof(copy))
                return false;
        memcpy(copy, line, length);
        copy[length] = '\0';
        char *a = strchr(copy, ':'), *b = a ? strchr(a + 1, ':') : NULL;
        if (!b)
                return false;
        *b = '\0';
        if (parse_u64(a + 1, &first) < 0 || parse_u64(b + 1, &count) < 0 || count == 0)
                return false;
        if (first > UINT32_MAX)
                return false;
        return first < (uint64_t) base + ID_RANGE_SIZE && (count > UINT64_MAX - first || first + count > base);
}

bool id_range_is_delegated(const char *text, uint32_t base) {
        while (*text) {
                size_t length = strcspn(text, "\n");
                if (line_overlaps(text, length, base))
                        return true;
                text += length;
                text += *text == '\n';
        }
        return false;
}

/* A machine of systemd-nspawn shows here, as does a directory service that hands out such ids. */
static bool host_knows(uint32_t base) {
        struct passwd user, *found_user;
        struct group group, *found_group;
        char buffer[4096];

        return (getpwuid_r((uid_t) base, &user, buffer, sizeof(buffer), &found_user) == 0 && found_user) ||
               (getgrgid_r((gid_t) base, &group, buffer, sizeof(buffer), &found_group) == 0 && found_group);
}

static uint32_t hash(const char *s) {
        uint32_t h = 2166136261u; /* FNV-1a */

        for (; *s; s++)
                h = (h ^ (uint8_t) *s) * 16777619u;
        return h;
}

static uint64_t now_sec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec;
}

void id_range_give_back(IdRangeSpares *spares, uint32_t base) {
        if (spares->n == N_ELEMENTS(spares->ranges)) /* the oldest goes */
                memmove(&spares->ranges[0], &spares->ranges[1], --spares->n * sizeof(spares->ranges[0]));
        spares->ranges[spares->n].base = base;
        spares->ranges[spares->n++].until = now_sec() + SPARE_SEC;
}

typedef struct Reserved {
        char *users, *groups;
        IdRangeTaken taken;
        void *userdata;
} Reserved;

static void reserved_done(Reserved *r) {
        free(r->users);
        free(r->groups);
}

static bool is_reserved(const Reserved *r, uint32_t base) {
        return (r->taken && r->taken(base, r->userdata)) || (r->users && id_range_is_delegated(r->users, base)) ||
               (r->groups && id_range_is_delegated(r->groups, base));
}

int id_range_pick(const char *seed, const char *subuid, const char *subgid, IdRangeSpares *spares, IdRangeTaken taken,
                  void *userdata, uint32_t *ret) {
        const uint32_t n_slots = (ID_RANGE_LAST + 1 - ID_RANGE_FIRST) / ID_RANGE_SIZE, start = hash(seed) % n_slots;
        _cleanup_(reserved_done) Reserved reserved = { .taken = taken, .userdata = userdata };
        int r;

        r = fs_read_file(AT_FDCWD, subuid, SUBID_SIZE_MAX, &reserved.users, NULL);
        if (r < 0 && r != -ENOENT)
                return r;
        r = fs_read_file(AT_FDCWD, subgid, SUBID_SIZE_MAX, &reserved.groups, NULL);
        if (r < 0 && r != -ENOENT)
                return r;
        for (uint64_t now = now_sec(); spares && spares->n > 0;) {
                uint32_t base = spares->ranges[--spares->n].base;
                if (spares->ranges[spares->n].until >= now && !is_reserved(&reserved, base)) {
                        *ret = base;
                        return 0;
                }
        }
        for (uint32_t i = 0; i < n_slots; i++) {
                uint32_t base = ID_RANGE_FIRST + (start + i) % n_slots * ID_RANGE_SIZE;
                if (!is_reserved(&reserved, base) && !host_knows(base)) {
                        *ret = base;
                        return 0;
                }
        }
        return -ENOSPC;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* USER[:GROUP] to ids: see container-user.h. */
#include <stdio.h>
#include <string.h>

#include "runtime/container-user.h"
#include "util/strv.h"

#define FIELDS_MAX 7
#define GROUPS_MAX 65536 /* NGROUPS_MAX */

/* A piece of the file's text, not terminated. */
typedef struct Piece {
        const char *start;
        size_t size;
} Piece;

static bool piece_is(Piece p, const char *s) {
        return strlen(s) == p.size && memcmp(p.start, s, p.size) == 0;
}

static bool piece_to_id(Piece p, uint32_t *ret) {
        char digits[16];

        if (p.size == 0 || p.size >= sizeof(digits))
                return false;
        memcpy(digits, p.start, p.size);
        digits[p.size] = '\0';
        return parse_u32(digits, ret) >= 0 && *ret != UINT32_MAX; /* -1 is "no change" to the kernel */
}

/* The next piece up to a separator; false at the end. */
static bool piece_next(Piece *rest, char separator, Piece *ret) {
        if (!rest->start)
                return false;
        const char *end = memchr(rest->start, separator, rest->size);
        size_t n = end ? (size_t) (end - rest->start) : rest->size;
        *ret = (Piece) { rest->start, n };
        *rest = end ? (Piece) { end + 1, rest->size - n - 1 } : (Piece) { 0 };
        return true;
}

/* The next line with at least `wanted` fields; those that it lacks are empty. */
static bool line_next(Piece *text, size_t wanted, Piece fields[static FIELDS_MAX]) {
        Piece line;

        while (piece_next(text, '\n', &line)) {
                size_t n = 0;
                while (n < FIELDS_MAX && piece_next(&line, ':', fields + n))
                        n++;
                for (size_t i = n; i < FIELDS_MAX; i++)
                        fields[i] = (Piece) { 0 };
                if (n >= wanted)
                        return true;
        }
        return false;
}

static Piece piece_of(const char *text) {
        return text ? (Piece) { text, strlen(text) } : (Piece) { 0 };
}

/* passwd: name:password:uid:gid:gecos:home:shell. 1: found. */
static int find_user(const char *passwd, const char *name, bool numeric, uint32_t uid, ContainerUser *u,
                     char **ret_name) {
        Piece text = piece_of(passwd), f[FIELDS_MAX];

        while (line_next(&text, 4, f)) {
                uint32_t entry_uid, entry_gid;
                if (!piece_to_id(f[2], &entry_uid) || !piece_to_id(f[3], &entry_gid))
                        continue;
                if (numeric ? entry_uid != uid : !piece_is(f[0], name))
                        continue;
                u->uid = entry_uid;
                u->gid = entry_gid;
                *ret_name = strndup(f[0].start, f[0].size);
                if (f[5].size > 0) {
                        free(u->home);
                        u->home = strndup(f[5].start, f[5].size);
                }
                return *ret_name && u->home ? 1 : -ENOMEM;
        }
        return 0;
}

/* group: name:password:gid:members. */
static bool find_group(const char *group, const char *name, bool numeric, uint32_t gid, uint32_t *ret) {
        Piece text = piece_of(group), f[FIELDS_MAX];

        while (line_next(&text, 3, f))
                if (piece_to_id(f[2], ret) && (numeric ? *ret == gid : piece_is(f[0], name)))
                        return true;
        return false;
}

static int add_group(ContainerUser *u, uint32_t gid) {
        if (u->n_groups >= GROUPS_MAX)
                return -E2BIG;
        if ((u->n_groups & (u->n_groups - 1)) == 0) { /* doubles whenever a power of two is full */
                uint32_t *more = realloc(u->groups, MAX_OF(u->n_groups * 2, (size_t) 1) * sizeof(uint32_t));
                if (!more)
                        return -ENOMEM;
                u->groups = more;
        }
        u->groups[u->n_groups++] = gid;
        return 0;
}

static int find_memberships(const char *group, const char *name, ContainerUser *u) {
        Piece text = piece_of(group), f[FIELDS_MAX], member;

        while (line_next(&text, 4, f)) {
                uint32_t gid;
                if (!piece_to_id(f[2], &gid))
                        continue;
                for (Piece list = f[3]; piece_next(&list, ',', &member);) {
                        if (!piece_is(member, name))
                                continue;
                        int r = add_group(u, gid);
                        if (r < 0)
                                return r;
                        break;
                }
        }
        return 0;
}

void container_user_clear(ContainerUser *u) {
        free(u->groups);
        free(u->home);
        *u = (ContainerUser) { 0 };
}

int container_user_resolve(const char *passwd, const char *group, const char *spec, ContainerUser *ret,
                           char why[static 256]) {
        _cleanup_(container_user_clear) ContainerUser u = { .home = strdup("/") };
        _cleanup_free_ char *user = strndup(spec, strcspn(spec, ":")), *name = NULL;
        const char *wanted_group = spec[strcspn(spec, ":")] ? spec + strcspn(spec, ":") + 1 : "";
        uint32_t uid = 0, gid = 0;
        int r;

        if (!u.home || !user)
                return -ENOMEM;
        bool numeric = !*user || piece_to_id(piece_of(user), &uid); /* no user at all: root */
        r = find_user(passwd, user, numeric, uid, &u, &name);
        if (r < 0)
                return r;
        if (r == 0 && !numeric) {
                snprintf(why, 256, "unable to find user %.128s: no matching entries in passwd file", user);
                return -EINVAL;
        }
        if (r == 0)
                u.uid = uid;

        if (*wanted_group) {
                bool number = piece_to_id(piece_of(wanted_group), &gid);
                if (!find_group(group, wanted_group, number, gid, &u.gid)) {
                        if (!number) {
                                snprintf(why, 256, "unable to find group %.128s: no matching entries in group file",
                                         wanted_group);
                                return -EINVAL;
                        }
                        u.gid = gid;
                }
        } else if (name) {
                r = find_memberships(group, name, &u);
                if (r < 0)
                        return r;
        }
        *ret = u;
        u = (ContainerUser) { 0 };
        return 0;
}

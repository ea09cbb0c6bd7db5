/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who `USER[:GROUP]` is, by an image's own /etc/passwd and /etc/group. Docker's rules: a number is always an id, the
 * first entry that fits counts, without a group the user's supplementary groups are taken, a number needs no entry, a
 * name does. Text in, ids out. */
#pragma once

#include "util/macro.h"

typedef struct ContainerUser {
        uint32_t uid, gid;
        uint32_t *groups; /* supplementary */
        size_t n_groups;
        char *home;       /* never NULL after success */
} ContainerUser;

/* `passwd` and `group` are the files' text, NULL where there is none. -EINVAL: `why` says it in Docker's words. */
int container_user_resolve(const char *passwd, const char *group, const char *spec, ContainerUser *ret,
                           char why[static 256]);
void container_user_clear(ContainerUser *u);

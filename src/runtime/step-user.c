/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Step: who the process is to be. The image's own passwd and group are read here and nowhere else: by the child, after
 * it has pivoted, so what lies in them or where they point can only concern the container. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime/container-user.h"
#include "runtime/launch.h"
#include "util/fs.h"
#include "util/strv.h"

#define PASSWD_SIZE_MAX (16 * 1024 * 1024)

/* A missing file is no text. */
static int read_text(Launch *l, const char *path, char **ret) {
        int r = fs_read_file(AT_FDCWD, path, PASSWD_SIZE_MAX, ret, NULL);
        return r < 0 && r != -ENOENT && r != -ENOTDIR ? launch_fail(l, r, "read %s of the container", path) : 0;
}

/* Docker: run answers 125, exec 126. */
static int refuse(Launch *l, const char *why) {
        return launch_refuse(l, l->joins ? 126 : 125, -EINVAL, "%s", why);
}

static int check_id(Launch *l, const char *kind, uint32_t id, const RuntimeIdMap *map) {
        char why[256];

        if (map->size == 0 || id < map->size)
                return 0;
        snprintf(why, sizeof(why),
                 "%s %u is above %u, the last of the container's own ids; with --userns=host it has all of the host's",
                 kind, id, map->size - 1);
        return refuse(l, why);
}

/* The primary group too, as in Docker since CVE-2022-36109: who gives it up, as a set-group-ID program does, is still
 * kept out where this group is. Then the user's own groups and those of the configuration. */
static int merge_groups(Launch *l, const ContainerUser *u) {
        size_t n = 1 + u->n_groups + l->process->n_groups;

        l->groups = calloc(n, sizeof(uint32_t));
        if (!l->groups)
                return -ENOMEM;
        l->groups[0] = u->gid;
        if (u->n_groups)
                memcpy(l->groups + 1, u->groups, u->n_groups * sizeof(uint32_t));
        if (l->process->n_groups)
                memcpy(l->groups + 1 + u->n_groups, l->process->groups, l->process->n_groups * sizeof(uint32_t));
        l->n_groups = n;
        return 0;
}

int step_user(Launch *l) {
        _cleanup_free_ char *passwd = NULL, *group = NULL, *numbers = NULL, *home = NULL;
        _cleanup_(container_user_clear) ContainerUser u = { 0 };
        const RuntimeProcess *p = l->process;
        char why[256];
        int r;

        r = read_text(l, "/etc/passwd", &passwd);
        if (r >= 0)
                r = read_text(l, "/etc/group", &group);
        if (r < 0)
                return r;
        if (!p->username && asprintf(&numbers, "%u:%u", p->uid, p->gid) < 0)
                return -ENOMEM;
        r = container_user_resolve(passwd, group, p->username ?: numbers, &u, why);
        if (r == -EINVAL)
                return refuse(l, why);
        if (r >= 0)
                r = merge_groups(l, &u);
        if (r >= 0)
                r = check_id(l, "user", u.uid, &l->config->uid_map);
        if (r >= 0)
                r = check_id(l, "group", u.gid, &l->config->gid_map);
        for (size_t i = 0; r >= 0 && i < l->n_groups; i++)
                r = check_id(l, "group", l->groups[i], &l->config->gid_map);
        if (r < 0)
                return r;
        l->uid = u.uid;
        l->gid = u.gid;

        r = strv_copy(p->env, &l->env);
        if (r >= 0 && !strv_env_get(l->env, "HOME"))
                r = asprintf(&home, "HOME=%s", u.home) < 0 ? -ENOMEM : strv_env_set(&l->env, home);
        return r;
}

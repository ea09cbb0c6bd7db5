/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking up a caller: see caller.h. */
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "daemon/caller.h"
#include "util/cgroup.h"
#include "util/fs.h"
#include "util/strv.h"

/* Of the file alone: a name service may be far away, and hang. */
static void look_up_name(uid_t uid, Caller *c) {
        FILE *f = fopen("/etc/passwd", "re");
        struct passwd *p;

        while (f && (p = fgetpwent(f)))
                if (p->pw_uid == uid) {
                        caller_set_text(c->user, sizeof(c->user), p->pw_name);
                        break;
                }
        if (f)
                fclose(f);
}

void caller_unit_of(const char *cgroups, char *ret, size_t size) {
        static const char *const kinds[] = { ".service", ".scope" };
        _cleanup_free_ char *cgroup = NULL;
        char name[256];

        *ret = '\0';
        if (cgroup_path_parse(cgroups, &cgroup) < 0)
                return;
        for (const char *path = cgroup + 1; *path; path += strspn(path, "/")) {
                size_t n = strcspn(path, "/");
                snprintf(name, sizeof(name), "%.*s", (int) MIN_OF(n, sizeof(name) - 1), path);
                for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
                        size_t k = strlen(kinds[i]);
                        if (strlen(name) > k && streq(name + strlen(name) - k, kinds[i]))
                                caller_set_text(ret, size, name);
                }
                path += n;
        }
}

void caller_look_up(pid_t pid, uid_t uid, Caller *ret) {
        _cleanup_free_ char *command = NULL, *cgroups = NULL;
        char path[64];

        *ret = (Caller) { .pid = pid, .uid = uid };
        look_up_name(uid, ret);
        snprintf(path, sizeof(path), "/proc/%i/comm", (int) pid);
        if (fs_read_file(AT_FDCWD, path, 64, &command, NULL) >= 0) {
                command[strcspn(command, "\n")] = '\0';
                caller_set_text(ret->command, sizeof(ret->command), command);
        }
        snprintf(path, sizeof(path), "/proc/%i/cgroup", (int) pid);
        if (fs_read_file(AT_FDCWD, path, 65536, &cgroups, NULL) >= 0)
                caller_unit_of(cgroups, ret->unit, sizeof(ret->unit));
}

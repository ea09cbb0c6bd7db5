/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BUNDLE/monitor: see identity.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "monitor/identity.h"
#include "util/fs.h"
#include "util/process.h"
#include "util/strv.h"

#define FILE_MAX ((size_t) 4096)

void identity_done(Identity *i) {
        free(i->cgroup);
        i->cgroup = NULL;
}

/* A ".." among its names would lead elsewhere; within a name it is a name: berth-a..b.scope. */
static bool climbs(const char *path) {
        for (const char *p = path; (p = strstr(p, "/.."));) {
                p += strlen("/..");
                if (*p == '/' || *p == '\0')
                        return true;
        }
        return false;
}

int identity_read(int bundle_fd, Identity *ret) {
        _cleanup_free_ char *text = NULL;
        char *pid, *start, *cgroup, *state = NULL;
        uint64_t start_time;
        int32_t number;
        int r = fs_read_file(bundle_fd, "monitor", FILE_MAX, &text, NULL);

        if (r < 0)
                return r;
        pid = strtok_r(text, " ", &state);
        start = strtok_r(NULL, " ", &state);
        cgroup = strtok_r(NULL, "\n", &state);
        if (!pid || !start || !cgroup || parse_i32(pid, &number) < 0 || parse_u64(start, &start_time) < 0)
                return -EBADMSG;
        if (number <= 1 || cgroup[0] != '/' || cgroup[1] == '\0' || climbs(cgroup))
                return -EBADMSG;
        cgroup = strdup(cgroup);
        if (!cgroup)
                return -ENOMEM;
        *ret = (Identity) { .pid = number, .start_time = start_time, .cgroup = cgroup };
        return 0;
}

int identity_write(int bundle_fd, const char *cgroup) {
        _cleanup_free_ char *text = NULL;
        int size = asprintf(&text, "%i %" PRIu64 " %s\n", (int) getpid(), process_start_time(getpid()), cgroup);

        return size < 0 ? -ENOMEM : fs_write_file(bundle_fd, "monitor", text, (size_t) size, 0600, 0);
}

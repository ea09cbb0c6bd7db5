/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc says of a process: see process.h. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "util/fs.h"
#include "util/process.h"
#include "util/strv.h"

uint64_t process_start_time(pid_t pid) {
        _cleanup_free_ char *text = NULL;
        char path[64], *p;
        uint64_t start;

        snprintf(path, sizeof(path), "/proc/%i/stat", (int) pid);
        if (fs_read_file(AT_FDCWD, path, 4096, &text, NULL) < 0)
                return 0;
        p = strrchr(text, ')'); /* the name before it may hold anything */
        for (int field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        if (!p)
                return 0;
        p[1 + strcspn(p + 1, " \n")] = '\0';
        return parse_u64(p + 1, &start) < 0 ? 0 : start;
}

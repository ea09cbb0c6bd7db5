/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups of processes: see cgroup.h. */
#include "util/cgroup.h"
#include "util/strv.h"

int cgroup_path_parse(const char *text, char **ret) {
        for (const char *line = text; *line;) {
                size_t n = strcspn(line, "\n");
                const char *path = startswith(line, "0::");
                if (path && *path == '/') {
                        *ret = strndup(path, n - 3);
                        return *ret ? 0 : -ENOMEM;
                }
                line += n + (line[n] == '\n');
        }
        return -ENXIO;
}

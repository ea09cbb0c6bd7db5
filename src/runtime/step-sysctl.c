/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Step: kernel parameters of the container's own namespaces. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime/launch.h"
#include "util/fs.h"
#include "util/io.h"
#include "util/strv.h"

/* Docker's value for this one is all groups there are; the kernel takes only such as the user namespace has. */
static const char *fitting_value(const Launch *l, const char *key, const char *value, char buffer[static 32]) {
        unsigned long long low, high;

        if (!launch_has_userns(l) || !streq(key, "net.ipv4.ping_group_range") ||
            sscanf(value, "%llu %llu", &low, &high) != 2)
                return value;
        if (high < l->config->gid_map.size)
                return value;
        snprintf(buffer, 32, "%llu %u", low, l->config->gid_map.size - 1);
        return buffer;
}

int step_sysctl(Launch *l) {
        for (char **s = l->config->sysctls; s && *s; s++) {
                size_t n = strcspn(*s, "=");
                _cleanup_free_ char *key = strndup(*s, n), *path = NULL;
                char buffer[32];

                if (!key || asprintf(&path, "/proc/sys/%s", key) < 0)
                        return -ENOMEM;
                if (strchr(key, '/'))
                        return launch_refuse(l, 125, -EINVAL, "cannot set kernel parameter %s: no such name", key);
                for (char *dot = path + strlen("/proc/sys/"); (dot = strchr(dot, '.'));)
                        *dot = '/';
                const char *value = fitting_value(l, key, *s + n + 1, buffer);
                _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
                int r = fd < 0 ? -errno : fd_write_all(fd, value, strlen(value));
                if (r < 0)
                        return launch_fail(l, r, "set kernel parameter %s to %s", key, value);
        }
        return 0;
}

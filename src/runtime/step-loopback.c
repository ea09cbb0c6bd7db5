/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Step: lo goes up, in a network of the container's own. */
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "runtime/launch.h"
#include "util/io.h"

int step_loopback(Launch *l) {
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

        if (!(l->config->namespaces & CLONE_NEWNET))
                return 0;
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

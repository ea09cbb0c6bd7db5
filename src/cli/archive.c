/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives that load and import hand to berthd: see archive.h. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/archive.h"
#include "cli/bus.h"
#include "util/io.h"
#include "util/strv.h"

#define PROGRESS_USEC 200000

int archive_open(const char *path, const char *verb) {
        struct stat st;
        int fd;

        if (!path && isatty(STDIN_FILENO)) {
                cli_error("requested %s from stdin, but stdin is a terminal: redirect an archive to it", verb);
                return -EINVAL;
        }
        fd = path ? open(path, O_RDONLY | O_CLOEXEC) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        if (fd < 0) {
                int r = -errno;
                cli_error("cannot open %s: %s", path ?: "standard input", strerror(-r));
                return r;
        }
        if (fstat(fd, &st) >= 0 && S_ISDIR(st.st_mode)) {
                cli_error("cannot %s %s: it is a directory, an archive is needed", verb, path ?: "standard input");
                fd_close(fd);
                return -EISDIR;
        }
        return fd;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        sd_bus_message **ret = userdata;

        *ret = sd_bus_message_ref(reply);
        return 0;
}

/* The worker reads the same open file: its position is ours to see. */
static void print_progress(int archive, off_t size) {
        off_t at = lseek(archive, 0, SEEK_CUR);

        if (at > 0 && at < size)
                fprintf(stderr, "\r%3d %%", (int) (at * 100 / size));
}

static int call_with_progress(sd_bus_message *m, int archive, off_t size, sd_bus_message **ret, sd_bus_error *error) {
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        sd_bus *bus = sd_bus_message_get_bus(m);
        int r;

        r = sd_bus_call_async(bus, NULL, m, on_reply, &reply, UINT64_MAX);
        while (r >= 0 && !reply) {
                r = sd_bus_process(bus, NULL);
                if (r == 0 && !reply) {
                        r = sd_bus_wait(bus, PROGRESS_USEC);
                        print_progress(archive, size);
                }
        }
        fprintf(stderr, "\r\033[K");
        if (r < 0 && !reply)
                return sd_bus_error_set(error, SD_BUS_ERROR_DISCONNECTED, NULL);
        if (sd_bus_message_is_method_error(reply, NULL))
                return sd_bus_error_copy(error, sd_bus_message_get_error(reply));
        *ret = TAKE(reply);
        return 0;
}

int archive_call(sd_bus_message *m, int archive, bool progress, sd_bus_message **ret, sd_bus_error *error) {
        struct stat st;

        if (progress && isatty(STDERR_FILENO) && fstat(archive, &st) >= 0 && S_ISREG(st.st_mode))
                return call_with_progress(m, archive, st.st_size, ret, error);
        return bus_call(m, ret, error);
}

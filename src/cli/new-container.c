/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What run and create have in common: see new-container.h. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/new-container.h"
#include "cli/session.h"
#include "util/io.h"
#include "util/strv.h"

int new_container_settings(int argc, char **argv) {
        _cleanup_free_ char *why = NULL;
        int r;

        r = string_replace(&arg_settings.image, argv[0]);
        if (r >= 0 && argc > 1)
                r = strv_copy(argv + 1, &arg_settings.command);
        if (r >= 0)
                r = container_settings_read_files(&arg_settings, &why);
        if (r >= 0)
                r = container_settings_validate(&arg_settings, &why);
        if (r >= 0)
                return 0;
        cli_error("%s", why ?: strerror(-r));
        return EXIT_OURS;
}

bool new_container_attaches(const char *stream) {
        return strv_contains(arg_settings.attach, stream);
}

int new_container_attach(void) {
        int r = 0;

        if (!arg_settings.attach) {
                r = strv_extend(&arg_settings.attach, "stdout");
                if (r >= 0)
                        r = strv_extend(&arg_settings.attach, "stderr");
        }
        if (r >= 0 && arg_settings.interactive && !new_container_attaches("stdin"))
                r = strv_extend(&arg_settings.attach, "stdin");
        if (r >= 0 && arg_settings.tty)
                arg_settings.console_size = session_console_size();
        return r;
}

int cidfile_open(const char *path, int *ret_fd) {
        *ret_fd = -EBADF;
        if (!path)
                return 0;
        *ret_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (*ret_fd >= 0)
                return 0;
        int r = -errno;
        if (r == -EEXIST)
                cli_error("container ID file found, make sure the other container isn't running or delete %s", path);
        else
                cli_error("cannot create the container ID file %s: %s", path, strerror(-r));
        return r;
}

int cidfile_close(const char *path, int fd, const char *id) {
        int r = 0;

        if (fd < 0)
                return 0;
        if (id)
                r = fd_write_all(fd, id, strlen(id));
        fd_close(fd);
        if (!id || r < 0)
                (void) unlink(path);
        if (r < 0)
                cli_error("cannot write the container ID file %s: %s", path, strerror(-r));
        return r;
}

int new_container_append(sd_bus_message *m) {
        int r = sd_bus_message_append(m, "s", arg_settings.image);

        return r < 0 ? r : container_settings_to_bus(&arg_settings, m);
}

int new_container_warnings(sd_bus_message *reply) {
        const char *warning;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(reply, 's', &warning)) > 0)
                cli_warning("%s", warning);
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

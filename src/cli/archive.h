/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives that load and import hand to berthd. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* Opens the file, or standard input for NULL, which must then be no terminal. A descriptor, or negative with a line
 * printed. */
int archive_open(const char *path, const char *verb);

/* bus_call; with `progress`, and where stderr is a terminal, says how far the reader of the archive is. */
int archive_call(sd_bus_message *m, int archive, bool progress, sd_bus_message **ret, sd_bus_error *error);

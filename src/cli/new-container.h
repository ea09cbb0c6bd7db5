/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What run and create have in common: completing the settings, the file of --cidfile. Errors are printed where they
 * are found. */
#pragma once

#include "cli/bus.h"
#include "cli/verb.h"

/* The alias of --network, a row for both. */
#define ARG_NET { "net", 0, ARG_STRING, &arg_settings.network, "network", NULL }

/* Image and command from the arguments, files read, everything checked. 0, or EXIT_OURS with a line printed. */
int new_container_settings(int argc, char **argv);

/* Settles what the container's maker is attached to, as docker does: what was asked for, else stdout and stderr; stdin
 * with -i in any case. Not for -d. */
int new_container_attach(void);
bool new_container_attaches(const char *stream);

/* Makes the file, which must not exist, before anything else is made. Without a path *ret_fd is -EBADF. */
int cidfile_open(const char *path, int *ret_fd);
/* Writes the id and closes; without an id the file is removed again. */
int cidfile_close(const char *path, int fd, const char *id);

/* Appends image and settings to a call of Run or CreateContainer. */
int new_container_append(sd_bus_message *m);
/* Prints the warnings that follow in the reply. */
int new_container_warnings(sd_bus_message *reply);

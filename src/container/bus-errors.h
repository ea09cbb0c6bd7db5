/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of wire/errors.h as sd-bus wants it: from then on sd_bus_error_set(), and a call that is answered with one of
 * these errors, return its errno. */
#pragma once

#include <systemd/sd-bus.h>

#include "util/macro.h"

/* Once in the life of a process. */
int bus_errors_register(void);

/* sd_bus_error_setf() for a text that holds what a client sent, or a cut of it: for a text that is not UTF-8 sd-bus sends
 * no answer at all, and its caller waits for ever. */
int bus_refuse(sd_bus_error *error, const char *name, const char *format, ...) _printf_(3, 4);

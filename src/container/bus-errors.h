/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of wire/errors.h as sd-bus wants it: from then on sd_bus_error_set(), and a call that is answered with one of
 * these errors, return its errno. */
#pragma once

/* Once in the life of a process. */
int bus_errors_register(void);

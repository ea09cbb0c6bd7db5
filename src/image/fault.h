/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Fault is why a worker gave up: an errno and one line for the person who gave it the archive. The first one set
 * stays: what fails after it fails because of it. */
#pragma once

#include "util/macro.h"

typedef struct Fault {
        int error; /* negative errno, 0: none */
        char *text;
} Fault;

/* Both return `error`. Control characters in the text, which may quote an archive's names, become '?'. */
int fault_set(Fault *f, int error, const char *format, ...) _printf_(3, 4);
/* The same, with ": No such file or directory" added from the errno. */
int fault_set_errno(Fault *f, int error, const char *format, ...) _printf_(3, 4);
void fault_clear(Fault *f);

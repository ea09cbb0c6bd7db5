/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a worker gave up: see fault.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "image/fault.h"

#define FAULT_TEXT_MAX 1024

static void set(Fault *f, int error, bool with_errno, const char *format, va_list ap) {
        char text[FAULT_TEXT_MAX];

        if (f->error < 0)
                return;
        f->error = error;
        vsnprintf(text, sizeof(text), format, ap);
        for (char *p = text; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7f)
                        *p = '?';
        if (asprintf(&f->text, "%s%s%s", text, with_errno ? ": " : "", with_errno ? strerror(-error) : "") < 0)
                f->text = NULL;
}

int fault_set(Fault *f, int error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        set(f, error, false, format, ap);
        va_end(ap);
        return error;
}

int fault_set_errno(Fault *f, int error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        set(f, error, true, format, ap);
        va_end(ap);
        return error;
}

void fault_clear(Fault *f) {
        free(f->text);
        *f = (Fault){ 0 };
}

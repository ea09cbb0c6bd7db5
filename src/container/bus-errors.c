/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The map of errors: see bus-errors.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "container/bus-errors.h"
#include "util/macro.h"
#include "util/utf8.h"
#include "wire/errors.h"

int bus_errors_register(void) {
        /* sd-bus keeps the pointer. */
        sd_bus_error_map *map = calloc(n_berth_errors, sizeof(sd_bus_error_map));
        size_t n = 0;

        if (!map)
                return -ENOMEM;
        for (; berth_errors[n].name; n++)
                map[n] = (sd_bus_error_map) SD_BUS_ERROR_MAP(berth_errors[n].name, berth_errors[n].error);
        map[n] = (sd_bus_error_map) SD_BUS_ERROR_MAP_END;
        int r = sd_bus_error_add_map(map);
        if (r < 0)
                free(map);
        return r;
}

int bus_refuse(sd_bus_error *error, const char *name, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;
        utf8_make_line(text);
        return sd_bus_error_set(error, name, text);
}

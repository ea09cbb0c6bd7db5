/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounds of a call: see bus-bounds.h. */
#include <string.h>

#include "container/bus-bounds.h"
#include "util/io.h"
#include "util/macro.h"
#include "wire/errors.h"

typedef struct Amount {
        size_t strings, bytes;
} Amount;

static bool is_too_much(const Amount *a) {
        return a->strings > BUS_STRINGS_MAX || a->bytes > BUS_BYTES_MAX;
}

#define ITEM_SIZE 8 /* of what is no text: about what it takes */

/* Numbers in one piece, of which a call may hold megabytes. */
static bool is_numbers(char type, const char *contents) {
        return type == 'a' && strlen(contents) == 1 && strchr("ynqiuxtd", contents[0]);
}

/* Everything of the container that has been entered. The bus itself limits the depth to 64. */
static int measure(sd_bus_message *m, Amount *a) {
        const char *contents, *text;
        const void *numbers;
        size_t size;
        char type;
        int fd, r;

        while ((r = sd_bus_message_peek_type(m, &type, &contents)) > 0) {
                if (is_too_much(a))
                        return -E2BIG;
                if (strchr("sog", type)) {
                        r = sd_bus_message_read_basic(m, type, &text);
                        a->strings++;
                        a->bytes += r >= 0 ? strlen(text) : 0;
                } else if (type == SD_BUS_TYPE_UNIX_FD) {
                        r = sd_bus_message_read_basic(m, type, &fd);
                        a->bytes += ITEM_SIZE;
                        if (r > 0)
                                fd_set_no_linger(fd); /* our close of it may be the last */
                } else if (contents && is_numbers(type, contents)) {
                        r = sd_bus_message_read_array(m, contents[0], &numbers, &size);
                        a->bytes += r > 0 ? size : 0;
                } else if (contents) {
                        a->bytes += ITEM_SIZE;
                        r = sd_bus_message_enter_container(m, type, contents);
                        if (r >= 0)
                                r = measure(m, a);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(m);
                } else {
                        a->bytes += ITEM_SIZE;
                        r = sd_bus_message_skip(m, (char[]) { type, '\0' });
                }
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : is_too_much(a) ? -E2BIG : 0;
}

int bus_message_check_bounds(sd_bus_message *m, sd_bus_error *error) {
        Amount a = { 0 };
        int r;

        r = measure(m, &a);
        if (r == -E2BIG)
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION,
                                         "The call holds more than %d strings or %d bytes; "
                                         "no command line is that long.",
                                         BUS_STRINGS_MAX, BUS_BYTES_MAX);
        if (r >= 0)
                r = sd_bus_message_rewind(m, true);
        return r < 0 ? r : 0;
}

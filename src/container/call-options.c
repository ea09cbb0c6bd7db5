/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of single calls: see call-options.h. */
#include "container/bus-errors.h"
#include "container/call-options.h"
#include "util/strv.h"
#include "wire/errors.h"

static int read_value(sd_bus_message *m, const char *type, void *member) {
        const char *text;
        int number, r;

        switch (type[0]) {
        case 'b':
                r = sd_bus_message_read(m, "v", "b", &number);
                if (r >= 0)
                        *(bool *) member = number;
                return r;
        case 'i':
                return sd_bus_message_read(m, "v", "i", member);
        case 't':
                return sd_bus_message_read(m, "v", "t", member);
        case 's':
                r = sd_bus_message_read(m, "v", "s", &text);
                return r < 0 ? r : string_replace(member, text);
        default:
                r = sd_bus_message_enter_container(m, 'v', type);
                if (r < 0)
                        return r;
                char **v = NULL;
                r = sd_bus_message_read_strv(m, &v);
                if (r < 0)
                        return r;
                strv_free(*(char ***) member);
                *(char ***) member = v;
                return sd_bus_message_exit_container(m);
        }
}

int call_options_read(sd_bus_message *m, const CallOption *table, size_t n, void *target, sd_bus_error *error) {
        const char *key, *type;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                size_t i = 0;
                r = sd_bus_message_read(m, "s", &key);
                if (r < 0)
                        return r;
                while (i < n && !streq(table[i].key, key))
                        i++;
                if (i == n)
                        return bus_refuse(error, BERTH_ERROR_BAD_OPTION, "There is no option \"%.64s\" here.",
                                          key);
                r = sd_bus_message_peek_type(m, NULL, &type);
                if (r < 0)
                        return r;
                if (!streq(type, table[i].type))
                        return bus_refuse(error, BERTH_ERROR_BAD_OPTION,
                                          "The option \"%s\" has type %s, not %.16s.", key, table[i].type, type);
                r = read_value(m, table[i].type, (char *) target + table[i].offset);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

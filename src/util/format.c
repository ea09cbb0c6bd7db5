/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For people's eyes: see format.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/format.h"
#include "util/timestamp.h"

static _printf_(1, 2) char *text(const char *format, ...) {
        va_list ap;
        char *s = NULL;

        va_start(ap, format);
        int n = vasprintf(&s, format, ap);
        va_end(ap);
        return n < 0 ? NULL : s;
}

char *format_size(uint64_t bytes) {
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
        double size = (double) bytes;
        size_t unit = 0;

        while (size >= 999.5 && unit + 1 < N_ELEMENTS(units)) { /* 999.5 would print as 1e+03 */
                size /= 1000;
                unit++;
        }
        return text("%.3g%s", size, units[unit]);
}

char *format_duration(uint64_t seconds) {
        static const struct { uint64_t below, unit; const char *name; } spans[] = { /* hours from here on */
                { 48, 1, "hours" }, { 24 * 14, 24, "days" }, { 24 * 60, 24 * 7, "weeks" },
                { 24 * 365 * 2, 24 * 30, "months" },
        };
        uint64_t hours = (seconds + 1800) / 3600;

        if (seconds < 1)
                return strdup("Less than a second");
        if (seconds == 1)
                return strdup("1 second");
        if (seconds < 60)
                return text("%u seconds", (unsigned) seconds);
        if (seconds < 120)
                return strdup("About a minute");
        if (seconds < 3600)
                return text("%u minutes", (unsigned) (seconds / 60));
        if (hours == 1)
                return strdup("About an hour");
        for (size_t i = 0; i < N_ELEMENTS(spans); i++)
                if (hours < spans[i].below)
                        return text("%u %s", (unsigned) (hours / spans[i].unit), spans[i].name);
        return text("%llu years", (unsigned long long) (seconds / 3600 / 24 / 365));
}

char *format_ago(uint64_t usec, uint64_t now_usec) {
        _cleanup_free_ char *span = format_duration(now_usec > usec ? (now_usec - usec) / USEC_PER_SEC : 0);

        return span ? text("%s ago", span) : NULL;
}

static void write_json(FILE *f, json_object *value, unsigned level) {
        static const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
        bool first = true;

        switch (json_object_get_type(value)) {
        case json_type_object:
                if (json_object_object_length(value) == 0) {
                        fputs("{}", f);
                        return;
                }
                fputc('{', f);
                json_object_object_foreach(value, key, item) {
                        json_object *name = json_object_new_string(key); /* for its escapes */
                        fprintf(f, "%s\n%*s%s: ", first ? "" : ",", (int) (level + 1) * 4, "",
                                name ? json_object_to_json_string_ext(name, flags) : "\"\"");
                        json_object_put(name);
                        write_json(f, item, level + 1);
                        first = false;
                }
                fprintf(f, "\n%*s}", (int) level * 4, "");
                return;
        case json_type_array:
                if (json_object_array_length(value) == 0) {
                        fputs("[]", f);
                        return;
                }
                fputc('[', f);
                for (size_t i = 0; i < json_object_array_length(value); i++) {
                        fprintf(f, "%s\n%*s", i > 0 ? "," : "", (int) (level + 1) * 4, "");
                        write_json(f, json_object_array_get_idx(value, i), level + 1);
                }
                fprintf(f, "\n%*s]", (int) level * 4, "");
                return;
        default:
                fputs(json_object_to_json_string_ext(value, flags), f);
        }
}

char *format_json(json_object *value, unsigned level) {
        char *s = NULL;
        size_t size;
        FILE *f = open_memstream(&s, &size);

        if (!f)
                return NULL;
        write_json(f, value, level);
        if (fclose(f) != 0) {
                free(s);
                return NULL;
        }
        return s;
}

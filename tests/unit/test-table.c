/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists: alignment, formats, and values that want to break out of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/strv.h"
#include "util/table.h"

static const Column columns[] = {
        { "ID",         "CONTAINER ID", COLUMN_ID,      true  },
        { "Image",      "IMAGE",        COLUMN_TEXT,    true  },
        { "Command",    "COMMAND",      COLUMN_COMMAND, true  },
        { "RunningFor", "CREATED",      COLUMN_AGO,     true  },
        { "Names",      "NAMES",        COLUMN_TEXT,    true  },
        { "CreatedAt",  "CREATED AT",   COLUMN_TIME,    false },
        { "Size",       "SIZE",         COLUMN_SIZE,    false },
};

#define NOW (1700000000ULL * 1000000)
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void add(Table *t, const char *image, const char *command, const char *name) {
        static char *labels[] = { (char *) "a.b=c=d", (char *) "evil=\033]0;x\007", NULL };
        Cell *cells;

        assert_int_equal(table_add_row(t, labels, &cells), 0);
        cells[0].text = strdup(ID);
        cells[1].text = strdup(image);
        cells[2].text = strdup(command);
        cells[3].number = cells[5].number = NOW - 3600 * 1000000ULL;
        cells[4].text = name ? strdup(name) : NULL;
        cells[6].number = 1234567;
}

static char *print(const Table *t, const char *format, bool quiet, bool no_trunc) {
        TablePrint how = { .format = format, .quiet = quiet, .no_trunc = no_trunc, .now_usec = NOW };
        _cleanup_free_ char *error = NULL;
        char *out = NULL;
        size_t size;
        FILE *f = open_memstream(&out, &size);

        assert_non_null(f);
        int r = table_print(t, &how, f, &error);
        assert_int_equal(fclose(f), 0);
        if (r >= 0)
                return out;
        assert_int_equal(r, -EINVAL);
        assert_string_equal(out, ""); /* nothing, or all */
        free(out);
        return TAKE(error);
}

static void test_formats(void **state) {
        static const struct { const char *format; bool quiet, no_trunc; const char *result; } cases[] = {
                { NULL, false, false,
                  "CONTAINER ID   IMAGE     COMMAND                  CREATED             NAMES\n"
                  "0123456789ab   web       \"sleep 1\"                About an hour ago   a\n"
                  "0123456789ab   a-longer-one   \"/bin/sh -c 'while t\u2026\"   About an hour ago   "
                  "gr\u00f6\u00dfe\n" },
                { "table {{.ID}}\\t{{.Size}}", false, false,
                  "CONTAINER ID   SIZE\n0123456789ab   1.23MB\n0123456789ab   1.23MB\n" },
                { "table {{.Names}}", false, true, "NAMES\na\ngr\u00f6\u00dfe\n" },
                { "table {{upper .Names}}: {{.Label \"a.b\"}}", false, false,
                  "NAMES: a.b\nA: c=d\nGR\u00f6\u00dfE: c=d\n" },
                { "{{.Names}}\\t{{.Image}}\\n", false, false, "a\tweb\n\ngr\u00f6\u00dfe\ta-longer-one\n\n" },
                { "{{.CreatedAt}}", false, false, "2023-11-14 21:13:20 +0000 UTC\n2023-11-14 21:13:20 +0000 UTC\n" },
                { "{{.Label \"none\"}}|{{.Label \"evil\"}}", false, false, "|?]0;x?\n|?]0;x?\n" },
                { "  {{.Names}}  ", false, false, "a\ngr\u00f6\u00dfe\n" },
                { NULL, true, false, "0123456789ab\n0123456789ab\n" },
                { "table {{.Names}}", true, false, "0123456789ab\n0123456789ab\n" },
                { NULL, true, true, ID "\n" ID "\n" },
                { "{{.Names}}", true, false, "a\ngr\u00f6\u00dfe\n" }, /* a template of one's own wins */
                { "{{.Command}}", false, true, "\"sleep 1\"\n\"/bin/sh -c 'while true; do :; done'\"\n" },
                { "{{.Nope}}", false, false,
                  "template parsing error: template: :1:2: executing \"\" at <.Nope>: "
                  "can't evaluate field Nope in type row; "
                  "there are .Command .CreatedAt .ID .Image .Names .RunningFor .Size" },
                { "{{.Names", false, false, "template parsing error: template: :1: unclosed action" },
                { "table {{nope}}", false, false,
                  "template parsing error: template: :1: function \"nope\" not defined" },
        };
        _cleanup_(table_freep) Table *t = NULL;

        assert_int_equal(table_new(columns, N_ELEMENTS(columns), 0, &t), 0);
        add(t, "web", "sleep 1", "a");
        add(t, "a-longer-one", "/bin/sh -c 'while true; do :; done'", "gr\u00f6\u00dfe");
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *out = print(t, cases[i].format, cases[i].quiet, cases[i].no_trunc);
                if (i == 0) { /* the column is as wide as its widest cell */
                        assert_non_null(strstr(out, "IMAGE          COMMAND"));
                        assert_non_null(strstr(out, "web            \"sleep 1\""));
                } else
                        assert_string_equal(out, cases[i].result);
        }
}

static void test_json(void **state) {
        _cleanup_(table_freep) Table *t = NULL;

        assert_int_equal(table_new(columns, N_ELEMENTS(columns), 0, &t), 0);
        add(t, "web", "a \"b\"", "n");
        _cleanup_free_ char *out = print(t, "json", false, false);
        assert_string_equal(
                out, "{\"Command\":\"\\\"a \\\\\\\"b\\\\\\\"\\\"\","
                     "\"CreatedAt\":\"2023-11-14 21:13:20 +0000 UTC\",\"ID\":\"0123456789ab\","
                     "\"Image\":\"web\",\"Names\":\"n\",\"RunningFor\":\"About an hour ago\",\"Size\":\"1.23MB\"}\n");
}

/* A row stays one line, and nothing reaches the terminal that it would obey. */
static void test_hostile(void **state) {
        static const char *const texts[] = { "a\nb", "a\tb", "\033[2J", "\xc2\x9b" "31m", "\x7f", "\r", "{{.ID}}",
                                             "%s%n", "" };

        for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
                _cleanup_(table_freep) Table *t = NULL;
                assert_int_equal(table_new(columns, N_ELEMENTS(columns), 0, &t), 0);
                add(t, texts[i], texts[i], NULL);
                _cleanup_free_ char *out = print(t, NULL, false, true);
                size_t lines = 0;
                for (const char *p = out; *p; p++) {
                        lines += *p == '\n';
                        assert_true(*p == '\n' || (unsigned char) *p >= ' ');
                        assert_true(*p != '\x7f' && *p != '\t');
                }
                assert_int_equal(lines, 2);
                if (i != 3)
                        assert_null(strstr(out, "\xc2\x9b"));
        }
}

static void test_empty(void **state) {
        _cleanup_(table_freep) Table *t = NULL;

        assert_int_equal(table_new(columns, N_ELEMENTS(columns), 0, &t), 0);
        _cleanup_free_ char *table = print(t, NULL, false, false), *quiet = print(t, NULL, true, false),
                            *json = print(t, "json", false, false);
        assert_string_equal(table, "CONTAINER ID   IMAGE     COMMAND   CREATED   NAMES\n");
        assert_string_equal(quiet, "");
        assert_string_equal(json, "");
        /* A mistake shows even where there is no row to make it on. */
        _cleanup_free_ char *bad = print(t, "{{.Names", false, false);
        assert_string_equal(bad, "template parsing error: template: :1: unclosed action");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_formats),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_empty),
        };
        setenv("TZ", "UTC", 1);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

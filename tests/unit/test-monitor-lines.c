/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes into lines: where they are cut, however they arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/lines.h"

/* What was handed out, as text: `[piece/last/severity:data]`, with a < where the prefix was cut off, long runs shortened to their length. */
typedef struct Record {
        char text[1024];
        size_t used;
        char line_id[LINE_ID_SIZE];
        bool id_changed;
} Record;

static void record_line(void *userdata, const Line *line) {
        Record *r = userdata;

        char *end = r->text + r->used;
        size_t room = sizeof(r->text) - r->used;

        int n = snprintf(end, room, "[%i%s%i%s:", (int) line->piece, line->last ? "L" : "-", line->severity, line->cut ? "<" : "");
        if (line->size > 20)
                n += snprintf(end + n, room - (size_t) n, "#%zu]", line->size);
        else
                n += snprintf(end + n, room - (size_t) n, "%.*s]", (int) line->size, line->data);
        r->used += (size_t) n;
        assert_int_equal(line->piece > 0, line->line_id != NULL);
        if (line->piece == 1)
                strcpy(r->line_id, line->line_id);
        else if (line->piece > 1)
                assert_string_equal(r->line_id, line->line_id);
}

#define LONG ((size_t) 40000)

static const struct {
        const char *text; /* @ stands for LONG bytes, % for LINE_MAX_SIZE bytes */
        const char *result;
} cases[] = {
        { "",              ""                                                        },
        { "a\n",           "[0L-1:a]"                                                },
        { "a\nb\n\nc\n",   "[0L-1:a][0L-1:b][0L-1:][0L-1:c]"                         },
        { "a",             "[1--1:a]"                                                }, /* unfinished at the end */
        { "\r\n",          "[0L-1:\r]"                                               },
        { "<3>bad\n<8>x\n", "[0L3<:bad][0L-1:<8>x]"                                  },
        { "<3>\n<3\n",     "[0L3<:][0L-1:<3]"                                        },
        { "<1>a",          "[1-1<:a]"                                                },
        { " <1>a\n",       "[0L-1: <1>a]"                                            },
        { "@\nb\n",        "[1--1:#16384][2--1:#16384][3L-1:#7232][0L-1:b]"          },
        { "<0>@",          "[1-0<:#16381][2-0:#16384][3-0:#7235]"                    },
        { "%\n",           "[1--1:#16384][2L-1:]"                                    }, /* a newline after the cut */
        { "a\n%",          "[0L-1:a][1--1:#16384]"                                   },
};

static size_t expand(const char *text, char *ret) {
        size_t n = 0;

        for (; *text; text++) {
                size_t run = *text == '@' ? LONG : *text == '%' ? LINE_MAX_SIZE : 1;
                memset(ret + n, run > 1 ? 'x' : *text, run);
                n += run;
        }
        return n;
}

static void test_lines(void **state) {
        static char data[100000];
        static const size_t chunks[] = { SIZE_MAX, 1, 2, 3, 4096, 16383, 16384, 16385, 65536 };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                for (size_t j = 0; j < N_ELEMENTS(chunks); j++) {
                        Lines lines = { 0 };
                        Record record = { 0 };
                        size_t size = expand(cases[i].text, data);

                        for (size_t at = 0, n; at < size; at += n) {
                                n = MIN_OF(chunks[j], size - at);
                                assert_int_equal(lines_feed(&lines, data + at, n, record_line, &record), 0);
                                assert_true(lines.room <= LINE_MAX_SIZE);
                        }
                        lines_end(&lines, record_line, &record);
                        assert_string_equal(record.text, cases[i].result);
                        assert_null(lines.pending);
                }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

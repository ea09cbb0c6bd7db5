/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of containers as they are read back: who may have written them, what fields make of them, and how they come through a
 * worker's pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "logs/log-stream.h"
#include "util/io.h"
#include "util/strv.h"

static void test_origin(void **state) {
        static const struct { const char *cgroup, *unit; bool trusted; } cases[] = {
                { "/machine.slice/berth-web.scope/monitor", "berth-web.scope", true },
                { "/machine.slice/berth-web-0123456789ab.scope/monitor", "berth-web-0123456789ab.scope", true },
                { "/a.slice/a-b.slice/a-b-c.slice/berth-web.scope/monitor", "berth-web.scope", true },
                { "/berth-web.scope/monitor", "berth-web.scope", true },
                { "/machine.slice/berth@web.service/monitor", "berth@web.service", true },
                /* the container itself, and cgroups that it made and named */
                { "/machine.slice/berth-web.scope/payload", "berth-web.scope", false },
                { "/machine.slice/berth-web.scope/exec/1", "berth-web.scope", false },
                { "/machine.slice/berth-web.scope", "berth-web.scope", false },
                { "/machine.slice/berth-web.scope/payload/monitor", "berth-web.scope", false },
                { "/machine.slice/berth-evil.scope/payload/berth-web.scope/monitor", "berth-evil.scope", false },
                { "/machine.slice/berth-evil.scope/payload/berth-evil.scope/monitor", "berth-evil.scope", false },
                { "/machine.slice/berth-evil.scope/payload/x.slice/berth-evil.scope/monitor", "berth-evil.scope",
                  false },
                { "/machine.slice/berth-web.scope/monitor/x", "berth-web.scope", false },
                { "/machine.slice/berth-web.scope/monitor/", "berth-web.scope", false },
                /* other units */
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/berth-web.scope/monitor",
                  "user@1000.service", false },
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/berth-web.scope/monitor",
                  "berth-web.scope", false },
                { "/machine.slice/berth-web.scope/monitor", "berth-other.scope", false },
                { "/machine.slice/other.scope/monitor", "other.scope", false },
                { "/machine.slice/xberth-web.scope/monitor", "xberth-web.scope", false },
                { "/system.slice/berthd.service/monitor", "berthd.service", false },
                { "/system.slice/berth-spawn.service/monitor", "berth-spawn.service", false },
                { "/machine.slice/berth-web.service/monitor", "berth-web.service", false },
                { "/machine.slice/berth@web.scope/monitor", "berth@web.scope", false },
                { "/.slice/berth-web.scope/monitor", "berth-web.scope", false },
                { "machine.slice/berth-web.scope/monitor", "berth-web.scope", false },
                { "", "berth-web.scope", false },
                { "/", "berth-web.scope", false },
                { "/machine.slice", "berth-web.scope", false },
                { "/machine.slice/berth-web.scope/monitor", "", false },
                { "", "", false },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                if (log_origin_is_monitor(cases[i].cgroup, cases[i].unit) != cases[i].trusted)
                        fail_msg("%s of %s", cases[i].cgroup, cases[i].unit);
}

typedef struct Field {
        const char *name, *value;
} Field;

static int parse(LogParser *p, const Field *fields, const LogEntry **ret) {
        log_parser_begin(p);
        for (; fields->name; fields++)
                assert_int_equal(log_parser_field(p, fields->name, strlen(fields->name), fields->value, strlen(fields->value)), 0);
        return log_parser_end(p, 7, ret);
}

static void test_fields(void **state) {
        static const struct {
                Field fields[8];
                int result;
                const char *message, *details;
                bool is_stderr, is_partial;
                uint64_t nsec;
        } cases[] = {
                { { { "MESSAGE", "hello" }, { "CONTAINER_LOG_ORDINAL", "1" } }, 1, "hello", "", false, false, 7000 },
                { { { "CONTAINER_LOG_ORDINAL", "1" } }, 0 }, /* no message */
                { { { "MESSAGE", "started" } }, 0 }, /* a record about the container */
                { { { "MESSAGE", "" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "CONTAINER_STREAM", "stderr" }, { "PRIORITY", "6" } }, 1, "", "", true, false, 7000 },
                { { { "MESSAGE", "" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "CONTAINER_STREAM", "stdout" }, { "PRIORITY", "3" } }, 1, "", "", false, false, 7000 },
                { { { "MESSAGE", "" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "PRIORITY", "3" } }, 1, "", "", true, false, 7000 },
                { { { "MESSAGE", "x" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "CONTAINER_PARTIAL_MESSAGE", "true" } }, 1, "x", "", false, true, 7000 },
                /* the bytes that were written, wherever the field comes */
                { { { "CONTAINER_MESSAGE_PREFIX", "<3>" }, { "MESSAGE", "x" }, { "CONTAINER_LOG_ORDINAL", "1" } }, 1, "<3>x", "", false, false, 7000 },
                { { { "MESSAGE", "" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "CONTAINER_MESSAGE_PREFIX", "<7>" } }, 1, "<7>", "", false, false, 7000 },
                { { { "MESSAGE", "x" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "CONTAINER_MESSAGE_PREFIX", "<3" } }, 1, "x", "", false, false, 7000 },
                { { { "MESSAGE", "x" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "SYSLOG_TIMESTAMP", "1970-01-01T00:00:01.000000002Z" } }, 1, "x", "", false, false, 1000000002 },
                /* details: what is no field of a line itself */
                { { { "ZONE", "b c" }, { "MESSAGE", "x" }, { "A_B", "v,=\xc3\xa9" }, { "_PID", "1" }, { "IMAGE_NAME", "i" }, { "CONTAINER_LOG_ORDINAL", "1" } },
                  1, "x", "A_B=v%2C%3D%C3%A9,ZONE=b+c", false, false, 7000 },
                { { { "EMPTY", "" }, { "MESSAGE", "x" }, { "CONTAINER_LOG_ORDINAL", "1" } }, 1, "x", "EMPTY=", false, false, 7000 },
        };
        _cleanup_(log_parser_freep) LogParser *p = NULL;
        const LogEntry *e = NULL;

        assert_int_equal(log_parser_new(true, &p), 0);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                if (parse(p, cases[i].fields, &e) != cases[i].result)
                        fail_msg("case %zu", i);
                if (cases[i].result == 0)
                        continue;
                assert_int_equal(e->size, strlen(cases[i].message));
                assert_memory_equal(e->message, cases[i].message, e->size);
                assert_string_equal(e->details, cases[i].details);
                assert_int_equal(e->is_stderr, cases[i].is_stderr);
                assert_int_equal(e->is_partial, cases[i].is_partial);
                assert_true(e->is_first && !e->is_unwanted);
                assert_true(e->nsec == cases[i].nsec);
                assert_true(e->received == 7);
        }
}

static void test_pieces(void **state) {
        static const struct { Field fields[4]; bool is_first, is_unwanted; } cases[] = {
                { { { "MESSAGE", "" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "CONTAINER_PARTIAL_ORDINAL", "1" } }, true, false },
                { { { "MESSAGE", "" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "CONTAINER_PARTIAL_ORDINAL", "2" } }, false, false },
                { { { "MESSAGE", "" }, { "CONTAINER_LOG_ORDINAL", "1" }, { "CONTAINER_PARTIAL_ORDINAL", "11" } }, false, false },
                { { { "MESSAGE", "" }, { "CONTAINER_LOG_ORDINAL", "1" }, { LOG_FIELD_UNWANTED, "1" } }, true, true },
        };
        _cleanup_(log_parser_freep) LogParser *p = NULL;
        const LogEntry *e = NULL;

        assert_int_equal(log_parser_new(false, &p), 0);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                assert_int_equal(parse(p, cases[i].fields, &e), 1);
                assert_int_equal(e->is_first, cases[i].is_first);
                assert_int_equal(e->is_unwanted, cases[i].is_unwanted);
        }
}

/* A pipe with this in it, and nobody who writes any more. */
static LogStream *stream_of(const char *data, size_t size) {
        LogStream *s = NULL;
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(fd_write_all(ends[1], data, size), 0);
        fd_close(ends[1]);
        assert_int_equal(log_stream_new(ends[0], false, &s), 0);
        return s;
}

#define TEXT "__REALTIME_TIMESTAMP=5\nMESSAGE=a\nCONTAINER_LOG_ORDINAL=1\n\n"
#define BINARY "CONTAINER_LOG_ORDINAL=2\nMESSAGE\n\x03\0\0\0\0\0\0\0b\n\n\n\n"
#define RECORD "MESSAGE=started\n\n"

static void test_stream(void **state) {
        static const struct {
                const char *data;
                size_t size;
                const char *lines; /* the messages, a | behind each */
                int result;        /* after the last of them */
        } cases[] = {
#define CASE(text, lines, result) { text, sizeof(text) - 1, lines, result }
                CASE("\n", "", 0),
                CASE(TEXT "\n", "a|", 0),
                CASE(TEXT BINARY TEXT "\n", "a|b\n\n|a|", 0),
                CASE(RECORD TEXT RECORD "\n", "a|", 0),
                CASE(TEXT "\n" TEXT "\n", "a|a|", 0),
                /* cut off: somewhere, before it was said that these were all, behind that */
                CASE("", "", -ECONNRESET),
                CASE(TEXT, "a|", -ECONNRESET),
                CASE(TEXT "MESSAGE=a", "a|", -ECONNRESET),
                CASE(TEXT "MESSAGE\n\x03\0\0\0", "a|", -ECONNRESET),
                CASE(TEXT "\nMESSAGE=a\n", "a|", -ECONNRESET),
                /* none at all */
                CASE("MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff", "", -EBADMSG),
                CASE("MESSAGE\n\x01\0\0\0\0\0\0\0abc\n", "", -EBADMSG),
                CASE("__REALTIME_TIMESTAMP=x\n\n", "", -EBADMSG),
#undef CASE
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(log_stream_freep) LogStream *s = stream_of(cases[i].data, cases[i].size);
                char seen[64] = "";
                const LogEntry *e;
                size_t n = 0;
                int r;
                /* these are all; the stream's end is found after that */
                while ((r = log_stream_next(s, &e)) > 0 || (r == 0 && !log_stream_has_ended(s)))
                        if (r > 0)
                                n += (size_t) snprintf(seen + n, sizeof(seen) - n, "%.*s|", (int) e->size, e->message);
                if (r != cases[i].result || !streq(seen, cases[i].lines))
                        fail_msg("case %zu: %i, %s", i, r, seen);
                assert_int_equal(log_stream_has_ended(s), r != -EBADMSG);
        }
}

/* However the bytes arrive; and that it does not wait where the descriptor does not. */
static void test_stream_in_pieces(void **state) {
        static const char data[] = TEXT BINARY "\n";
        const LogEntry *e;
        LogStream *s = NULL;
        int ends[2];
        unsigned n = 0;

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(fd_set_nonblock(ends[0], true), 0);
        assert_int_equal(log_stream_new(ends[0], false, &s), 0);
        for (size_t i = 0; i < sizeof(data) - 1; i++) {
                assert_int_equal(log_stream_next(s, &e), 0);
                assert_false(log_stream_has_ended(s));
                assert_int_equal(write(ends[1], data + i, 1), 1);
                if ((i + 1 == strlen(TEXT)) || i + 3 == sizeof(data)) {
                        assert_int_equal(log_stream_next(s, &e), 1);
                        assert_true(e->ordinal == ++n);
                }
        }
        assert_int_equal(n, 2);
        assert_int_equal(log_stream_next(s, &e), 0); /* these were all for now */
        fd_close(ends[1]);
        assert_int_equal(log_stream_next(s, &e), 0);
        assert_true(log_stream_has_ended(s));
        log_stream_free(s);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_origin), cmocka_unit_test(test_fields), cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_stream), cmocka_unit_test(test_stream_in_pieces),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

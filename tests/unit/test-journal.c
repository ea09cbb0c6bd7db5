/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the monitor sends to journald: the encoding, batches, and that nothing is lost while journald is away. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor/journal.h"
#include "monitor/random-id.h"
#include "util/io.h"

static char directory[] = "/tmp/test-journal.XXXXXX", path[64];

/* A journald that takes what comes, as one text with all datagrams. */
typedef struct Sink {
        int fd;
        char *data;
        size_t size;
        unsigned n_datagrams;
} Sink;

static int sink_open(Sink *s) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        *s = (Sink) { .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) };
        strcpy(address.sun_path, path);
        (void) unlink(path);
        return bind(s->fd, (struct sockaddr *) &address, sizeof(address));
}

static void sink_close(Sink *s) {
        s->fd = fd_close(s->fd);
        free(s->data);
        (void) unlink(path);
}

static void sink_append(Sink *s, const char *data, size_t size) {
        s->data = realloc(s->data, s->size + size + 1);
        assert_non_null(s->data);
        memcpy(s->data + s->size, data, size);
        s->size += size;
        s->data[s->size] = '\0';
        s->n_datagrams++;
}

static void sink_read(Sink *s) {
        static char datagram[1024 * 1024];
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control;

        for (;;) {
                struct iovec iov = { .iov_base = datagram, .iov_len = sizeof(datagram) };
                struct msghdr m = {
                        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
                };
                ssize_t n = recvmsg(s->fd, &m, MSG_CMSG_CLOEXEC);
                if (n < 0)
                        return;
                assert_false(m.msg_flags & MSG_TRUNC);
                if (m.msg_controllen == 0) {
                        sink_append(s, datagram, (size_t) n);
                        continue;
                }
                int fd;
                struct stat st;
                memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
                assert_int_equal(n, 0);
                assert_int_equal(fstat(fd, &st), 0);
                char *content = malloc((size_t) st.st_size);
                assert_int_equal(pread(fd, content, (size_t) st.st_size, 0), st.st_size);
                sink_append(s, content, (size_t) st.st_size);
                free(content);
                fd_close(fd);
        }
}

/* Steps over one field and says whether it is `key`; at the blank line *key_size is 0. */
static const char *next_field(const char *p, const char **key, size_t *key_size, const char **value, size_t *size) {
        uint64_t length;

        *key = p;
        *key_size = strcspn(p, "\n=");
        if (*key_size == 0)
                return p + 1;
        assert_int_equal(p[*key_size], '\n');
        p += *key_size + 1;
        memcpy(&length, p, sizeof(length));
        *value = p + sizeof(length);
        *size = (size_t) le64toh(length);
        assert_int_equal((*value)[*size], '\n');
        return *value + *size + 1;
}

/* The value of field `wanted` in entry number `n`; NULL: it has none. */
static const char *field_of(const Sink *s, unsigned n, const char *wanted, size_t *ret_size) {
        const char *p = s->data, *end = s->data + s->size, *key, *value;
        size_t key_size, size;
        unsigned entry = 0;

        while (p < end) {
                p = next_field(p, &key, &key_size, &value, &size);
                if (key_size == 0)
                        entry++;
                else if (entry == n && strlen(wanted) == key_size && memcmp(key, wanted, key_size) == 0) {
                        *ret_size = size;
                        return value;
                }
        }
        return NULL;
}

static unsigned count_entries(const Sink *s) {
        const char *p = s->data, *key, *value;
        size_t key_size, size;
        unsigned n = 0;

        while (p && p < s->data + s->size) {
                p = next_field(p, &key, &key_size, &value, &size);
                n += key_size == 0;
        }
        return n;
}

static void check_field(const Sink *s, unsigned n, const char *key, const char *wanted) {
        size_t size = 0;
        const char *value = field_of(s, n, key, &size);

        if (!wanted) {
                assert_null(value);
                return;
        }
        assert_non_null(value);
        assert_int_equal(size, strlen(wanted));
        assert_memory_equal(value, wanted, size);
}

static Loop loop;
static bool was_empty;

static void on_empty(void *userdata) {
        was_empty = true;
        loop.quit = true;
}

static void stop_loop(void *userdata) {
        loop.quit = true;
}

/* Lets the loop work until the queue is empty, or for some time where it cannot become so. */
static void run_loop(uint64_t usec) {
        LoopTimer timer = { .handler = stop_loop };

        loop.quit = false;
        loop_timer_set(&loop, &timer, usec);
        assert_int_equal(loop_run(&loop), 0);
        loop_timer_clear(&loop, &timer);
}

static JournalLog new_log(void) {
        JournalLog log = { .epoch = "00112233445566778899aabbccddeeff" };

        assert_int_equal(loop_init(&loop), 0);
        assert_int_equal(journal_new(&loop, path, on_empty, NULL, &log.journal), 0);
        journal_set_batch(log.journal, JOURNAL_BATCH_MAX);
        assert_int_equal(journal_add_common(log.journal, "CONTAINER_NAME", "web"), 0);
        assert_int_equal(journal_add_common(log.journal, "IMAGE_DIGEST", ""), 0);
        return log;
}

static void free_log(JournalLog *log) {
        log->journal = journal_free(log->journal);
        loop_done(&loop);
}

static void test_fields(void **state) {
        static const char binary[] = { 'a', '\0', '\n', '=', (char) 0xff, '\x01' };
        const Line lines[] = {
                { .data = "hello", .size = 5, .last = true, .severity = -1 },
                { .data = binary, .size = sizeof(binary), .piece = 1, .line_id = "abc", .severity = 4, .cut = true },
                { .data = "", .size = 0, .piece = 2, .last = true, .line_id = "abc", .severity = 4 },
        };
        static const struct { unsigned entry; const char *key, *value; } cases[] = {
                { 0, "CONTAINER_NAME",            "web"                              },
                { 0, "IMAGE_DIGEST",              NULL                               }, /* empty: left out */
                { 0, "MESSAGE",                   "hello"                            },
                { 0, "PRIORITY",                  "6"                                },
                { 0, "CONTAINER_STREAM",          "stdout"                           },
                { 0, "CONTAINER_LOG_EPOCH",       "00112233445566778899aabbccddeeff" },
                { 0, "CONTAINER_LOG_ORDINAL",     "1"                                },
                { 0, "SYSLOG_TIMESTAMP",          "now"                              },
                { 0, "CONTAINER_PARTIAL_ID",      NULL                               },
                { 0, "CONTAINER_PARTIAL_MESSAGE", NULL                               },
                { 1, "PRIORITY",                  "4"                                }, /* the stream is told */
                { 1, "CONTAINER_STREAM",          "stderr"                           },
                { 0, "CONTAINER_MESSAGE_PREFIX",  NULL                               },
                { 1, "CONTAINER_MESSAGE_PREFIX",  "<4>"                              },
                { 2, "CONTAINER_MESSAGE_PREFIX",  NULL                               },
                { 1, "CONTAINER_PARTIAL_ID",      "abc"                              },
                { 1, "CONTAINER_PARTIAL_ORDINAL", "1"                                },
                { 1, "CONTAINER_PARTIAL_LAST",    "false"                            },
                { 1, "CONTAINER_PARTIAL_MESSAGE", "true"                             },
                { 2, "CONTAINER_PARTIAL_ORDINAL", "2"                                },
                { 2, "CONTAINER_PARTIAL_LAST",    "true"                             },
                { 2, "CONTAINER_PARTIAL_MESSAGE", NULL                               },
                { 2, "CONTAINER_LOG_ORDINAL",     "3"                                },
                { 2, "MESSAGE",                   ""                                 },
        };
        JournalLog log = new_log();
        Sink sink;
        size_t size = 0;

        assert_int_equal(sink_open(&sink), 0);
        journal_log_line(&log, LOG_STDOUT, "now", &lines[0]);
        journal_log_line(&log, LOG_STDERR, "now", &lines[1]);
        journal_log_line(&log, LOG_STDERR, "now", &lines[2]);
        journal_send(log.journal);
        sink_read(&sink);
        assert_int_equal(sink.n_datagrams, 1);
        assert_int_equal(count_entries(&sink), 3);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                check_field(&sink, cases[i].entry, cases[i].key, cases[i].value);
        const char *message = field_of(&sink, 1, "MESSAGE", &size);
        assert_int_equal(size, sizeof(binary));
        assert_memory_equal(message, binary, size);
        assert_true(was_empty);
        assert_true(journal_unread(log.journal) == 0);
        sink_close(&sink);
        free_log(&log);
}

/* A journald that reads the first entry of a datagram only, or one that nobody has asked yet. */
static void test_one_entry_a_datagram(void **state) {
        Line line = { .data = "x", .size = 1, .last = true, .severity = -1 };
        JournalLog log = new_log();
        Sink sink;

        journal_set_batch(log.journal, 1);
        assert_int_equal(sink_open(&sink), 0);
        for (int i = 0; i < 100; i++)
                journal_log_line(&log, LOG_STDOUT, "now", &line);
        journal_send(log.journal);
        while (!journal_is_empty(log.journal)) { /* not so many fit the sink's queue */
                sink_read(&sink);
                run_loop(USEC_PER_SEC / 20);
        }
        sink_read(&sink);
        assert_int_equal(sink.n_datagrams, 100);
        assert_int_equal(count_entries(&sink), 100);
        check_field(&sink, 99, "CONTAINER_LOG_ORDINAL", "100");
        sink_close(&sink);
        free_log(&log);
}

/* journald is not there, then it is, then it is started anew: all lines arrive, once, in order. */
static void test_journald_away(void **state) {
        JournalLog log = new_log();
        Line line = { .data = "x", .size = 1, .last = true, .severity = -1 };
        Sink sink;
        uint64_t before;

        while (!journal_is_full(log.journal)) {
                journal_log_line(&log, LOG_STDOUT, "now", &line);
                if (log.ordinal % 100 == 0)
                        journal_send(log.journal);
        }
        before = log.ordinal;
        assert_true(before > 1000);
        assert_false(journal_is_empty(log.journal));
        for (int round = 0; round < 2; round++) {
                unsigned seen = 0;
                assert_int_equal(sink_open(&sink), 0);
                while (!journal_is_empty(log.journal)) {
                        run_loop(USEC_PER_SEC / 20);
                        sink_read(&sink);
                }
                sink_read(&sink);
                seen = count_entries(&sink);
                assert_int_equal(seen, round == 0 ? before : 1);
                for (unsigned i = 0; i < seen; i += seen > 1 ? seen - 1 : 1) {
                        char wanted[24];
                        unsigned long long ordinal = round == 0 ? i + 1ull : (unsigned long long) before + 1;
                        snprintf(wanted, sizeof(wanted), "%llu", ordinal);
                        check_field(&sink, i, "CONTAINER_LOG_ORDINAL", wanted);
                }
                assert_true(sink.n_datagrams < MAX_OF(seen / 8, 2u));
                sink_close(&sink);
                if (round == 0) {
                        journal_log_line(&log, LOG_STDOUT, "now", &line);
                        journal_send(log.journal);
                        assert_false(journal_is_empty(log.journal));
                }
        }
        assert_int_equal(journal_lost(log.journal), 0);
        free_log(&log);
}

static void test_give_up(void **state) {
        JournalLog log = new_log();
        Line line = { .data = "x", .size = 1, .last = true, .severity = -1 };

        for (int i = 0; i < 100; i++)
                journal_log_line(&log, LOG_STDOUT, "now", &line);
        journal_send(log.journal);
        journal_give_up(log.journal);
        assert_true(journal_is_empty(log.journal));
        assert_false(journal_is_full(log.journal));
        journal_log_line(&log, LOG_STDOUT, "now", &line);
        journal_send(log.journal);
        assert_int_equal(journal_lost(log.journal), 101);
        assert_int_equal(log.ordinal, 101);
        free_log(&log);
}

/* What no socket buffer takes arrives as a file. */
static void test_too_large(void **state) {
        JournalLog log = new_log();
        size_t size = 24 * 1024 * 1024, got = 0;
        char *large = malloc(size);
        Sink sink;

        assert_non_null(large);
        memset(large, 'y', size);
        assert_int_equal(sink_open(&sink), 0);
        assert_true(journal_begin(log.journal) >= 0);
        assert_int_equal(journal_field(log.journal, "MESSAGE", large, size), 0);
        journal_end(log.journal);
        journal_send(log.journal);
        assert_true(journal_is_empty(log.journal));
        sink_read(&sink);
        const char *value = field_of(&sink, 0, "MESSAGE", &got);
        assert_non_null(value);
        assert_int_equal(got, size);
        assert_memory_equal(value, large, size);
        free(large);
        sink_close(&sink);
        free_log(&log);
}

static void test_timestamp(void **state) {
        char text[JOURNAL_TIMESTAMP_SIZE];

        journal_timestamp(text);
        assert_int_equal(strlen(text), strlen("2026-01-02T03:04:05.123456789Z"));
        assert_int_equal(text[10], 'T');
        assert_int_equal(text[29], 'Z');
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_one_entry_a_datagram),
                cmocka_unit_test(test_journald_away),
                cmocka_unit_test(test_give_up),
                cmocka_unit_test(test_too_large),
                cmocka_unit_test(test_timestamp),
        };

        if (!mkdtemp(directory))
                return EXIT_FAILURE;
        snprintf(path, sizeof(path), "%s/socket", directory);
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        (void) rmdir(directory);
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a client passes: streams that may not be, and calls that are larger than anybody needs. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "container/bus-bounds.h"
#include "container/client-streams.h"
#include "util/io.h"
#include "util/strv.h"
#include "wire/control.h"
#include "wire/errors.h"
#include "wire/monitor.h"
#include "wire/wire.h"

static sd_bus *bus;

static int setup(void **state) {
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, pair[0], pair[0]) >= 0);
        assert_true(sd_bus_set_anonymous(bus, true) >= 0 && sd_bus_negotiate_fds(bus, true) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        /* A message holds descriptors only once the other end has agreed to take some. */
        assert_true(write(pair[1], "OK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n", 52) == 52);
        while (sd_bus_process(bus, NULL) > 0)
                ;
        assert_true(sd_bus_can_send(bus, 'h') > 0);
        *state = NULL;
        return 0;
}

static int teardown(void **state) {
        bus = sd_bus_close_unref(bus);
        return 0;
}

static sd_bus_message *new_call(void) {
        sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_method_call(bus, &m, "org.berth1", "/org/berth1", "org.berth1.Manager", "Run") >=
                    0);
        return m;
}

static int count_fds(void) {
        int n = 0;

        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

typedef enum Kind {
        READ_END, WRITE_END, SOCKET, DATAGRAMS, PACKETS, LISTENING, DIRECTORY, REGULAR, DEVICE, PATH, EPOLL, MEMFD, TERMINAL
} Kind;

static int make(Kind kind) {
        int pair[2];

        switch (kind) {
        case READ_END:
        case WRITE_END:
                assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
                close(pair[kind == READ_END ? 1 : 0]);
                return pair[kind == READ_END ? 0 : 1];
        case SOCKET:
                assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
                close(pair[1]);
                return pair[0];
        case DATAGRAMS:
        case PACKETS:
                assert_int_equal(socketpair(AF_UNIX, kind == PACKETS ? SOCK_SEQPACKET : SOCK_DGRAM, 0, pair), 0);
                close(pair[1]);
                return pair[0];
        case LISTENING:
                pair[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                assert_int_equal(bind(pair[0], &(struct sockaddr) { .sa_family = AF_UNIX }, sizeof(sa_family_t)), 0);
                assert_int_equal(listen(pair[0], 1), 0);
                return pair[0];
        case EPOLL:
                return epoll_create1(EPOLL_CLOEXEC);
        case MEMFD:
                return memfd_create("stream", MFD_CLOEXEC);
        case TERMINAL:
                return posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        case DIRECTORY:
                return open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        case REGULAR:
                return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        case DEVICE:
                return open("/dev/null", O_RDWR | O_CLOEXEC);
        case PATH:
                return open("/dev/stdin", O_PATH | O_CLOEXEC);
        }
        return -EBADF;
}

static void test_streams(void **state) {
        static const struct { const char *name; Kind kind; const char *error; } cases[] = {
                { "stdin",  READ_END,  NULL                           },
                { "stdin",  SOCKET,    NULL                           },
                { "stdout", WRITE_END, NULL                           },
                { "stderr", SOCKET,    NULL                           },
                { "stdin",  WRITE_END, "stdin is the wrong end"       },
                { "stdout", READ_END,  "stdout is the wrong end"      },
                { "stdin",  DIRECTORY, "stdin is neither a pipe"      },
                { "stdin",  REGULAR,   "stdin is neither a pipe"      },
                { "stdout", DEVICE,    "stdout is neither a pipe"     },
                { "stderr", PATH,      "stderr is neither a pipe"     },
                { "stdout", DATAGRAMS, "stdout is a socket, but not"  },
                { "stdin",  PACKETS,   "stdin is a socket, but not"   },
                { "stdout", LISTENING, "stdout is a socket, but not"  },
                { "stdout", EPOLL,     "stdout is neither a pipe"     },
                { "stdout", MEMFD,     "stdout is neither a pipe"     },
                { "stdout", TERMINAL,  "stdout is neither a pipe"     },
                { "stdlog", READ_END,  "There is no stream \"stdlog\""},
                { "",       READ_END,  "There is no stream"           },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                ClientStreams s = CLIENT_STREAMS_NONE;
                sd_bus_message *m = new_call();
                int fd = make(cases[i].kind);

                assert_true(sd_bus_message_append(m, "a{sh}", 1, cases[i].name, fd) >= 0);
                assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
                close(fd);
                int before = count_fds(), r = client_streams_read(m, &s, &error);
                if (cases[i].error) {
                        assert_true(r < 0);
                        assert_string_equal(error.name, BERTH_ERROR_BAD_OPTION);
                        assert_non_null(strstr(error.message, cases[i].error));
                        assert_int_equal(count_fds(), before);
                } else {
                        assert_int_equal(r, 0);
                        assert_int_equal(count_fds(), before + 1);
                        client_streams_done(&s);
                }
                sd_bus_message_unref(m);
        }
}

static void test_twice(void **state) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        ClientStreams s = CLIENT_STREAMS_NONE;
        sd_bus_message *m = new_call();
        int fd = make(SOCKET);

        assert_true(sd_bus_message_append(m, "a{sh}", 2, "stdin", fd, "stdin", fd) >= 0);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        int before = count_fds();
        assert_true(client_streams_read(m, &s, &error) < 0);
        assert_non_null(strstr(error.message, "twice"));
        assert_int_equal(count_fds(), before);
        close(fd);
        sd_bus_message_unref(m);
}

/* What goes on to the monitor, in its order, and what the client hears when nothing comes of it. */
static void test_list_and_fail(void **state) {
        ClientStreams s = CLIENT_STREAMS_NONE;
        ControlMessage answer;
        int fds[4], client;
        size_t n;

        s.fds[0] = make(READ_END);
        s.fds[2] = make(WRITE_END);
        s.detached = true;
        client = client_streams_open(&s);
        assert_true(client >= 0);
        assert_int_equal(client_streams_list(&s, fds, &n), STREAM_STDIN | STREAM_STDERR | STREAM_DETACHED);
        assert_int_equal(n, 3);
        assert_int_equal(fds[0], s.control);
        assert_int_equal(fds[1], s.fds[0]);
        assert_int_equal(fds[2], s.fds[2]);
        client_streams_fail(&s, 125, "no unit");
        assert_int_equal(s.control, -EBADF);
        assert_int_equal(s.fds[0], -EBADF);
        assert_int_equal(wire_recv(client, &answer, sizeof(answer), NULL, NULL), 1);
        assert_int_equal(answer.type, CONTROL_FAILED);
        assert_int_equal(answer.value, 125);
        assert_string_equal(answer.text, "no unit");
        assert_int_equal(wire_recv(client, &answer, sizeof(answer), NULL, NULL), 0);
        close(client);
}

static void test_bounds(void **state) {
        static char long_text[BUS_BYTES_MAX + 2];
        static const struct { size_t strings, length; bool taken; } cases[] = {
                { 0,                   1,                  true  },
                { 100,                 10,                 true  },
                { BUS_STRINGS_MAX - 2, 1,                  true  }, /* with "image" and the key */
                { BUS_STRINGS_MAX - 1, 1,                  false },
                { 200000,              1,                  false },
                { 1,                   BUS_BYTES_MAX - 40, true  }, /* the same two words, and four containers */
                { 1,                   BUS_BYTES_MAX,      false },
                { 16,                  BUS_BYTES_MAX / 15, false },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                sd_bus_message *m = new_call();
                const char *image;

                memset(long_text, 'x', sizeof(long_text));
                long_text[cases[i].length] = '\0';
                assert_true(sd_bus_message_append(m, "s", "image") >= 0);
                assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
                assert_true(sd_bus_message_open_container(m, 'e', "sv") >= 0);
                assert_true(sd_bus_message_append(m, "s", "env") >= 0);
                assert_true(sd_bus_message_open_container(m, 'v', "as") >= 0);
                assert_true(sd_bus_message_open_container(m, 'a', "s") >= 0);
                for (size_t k = 0; k < cases[i].strings; k++)
                        assert_true(sd_bus_message_append(m, "s", long_text) >= 0);
                for (int depth = 0; depth < 4; depth++)
                        assert_true(sd_bus_message_close_container(m) >= 0);
                assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
                int r = bus_message_check_bounds(m, &error);
                assert_int_equal(r >= 0, cases[i].taken);
                if (r >= 0) { /* and nothing of it has been used up */
                        assert_true(sd_bus_message_read(m, "s", &image) > 0);
                        assert_string_equal(image, "image");
                } else
                        assert_string_equal(error.name, BERTH_ERROR_BAD_OPTION);
                sd_bus_message_unref(m);
        }
}

/* What is no text counts as well: one call could hold as many megabytes as the bus lets through. */
static void test_numbers(void **state) {
        static const struct { size_t size; bool taken; } cases[] = { { 4096, true }, { BUS_BYTES_MAX + 1, false } };
        static uint8_t bytes[BUS_BYTES_MAX + 1];

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                sd_bus_message *m = new_call();

                assert_true(sd_bus_message_append_array(m, 'y', bytes, cases[i].size) >= 0);
                assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
                assert_int_equal(bus_message_check_bounds(m, &error) >= 0, cases[i].taken);
                sd_bus_message_unref(m);
        }
}

/* Who passes a socket that lingers cannot make its last close wait, which may be berthd's. */
static void test_lingering(void **state) {
        struct linger linger = { .l_onoff = 1, .l_linger = 3600 };
        socklen_t size = sizeof(linger);
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sd_bus_message *m = new_call();

        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, size), 0);
        assert_true(sd_bus_message_append(m, "a{sv}", 1, "stdout", "h", fd) >= 0);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_int_equal(bus_message_check_bounds(m, NULL), 0);
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size), 0);
        assert_int_equal(linger.l_onoff, 0);
        sd_bus_message_unref(m);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_streams, setup, teardown),
                cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
                cmocka_unit_test(test_list_and_fail),
                cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
                cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_lingering, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

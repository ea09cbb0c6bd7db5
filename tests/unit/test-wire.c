/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages with descriptors: wrong sizes, too many descriptors, a peer that is gone. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/control.h"
#include "wire/wire.h"

static int count_fds(void) {
        int n = 0;
        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static void test_round_trip(void **state) {
        ControlMessage out = { .magic = CONTROL_MAGIC, .type = CONTROL_EXITED, .value = 7, .text = "bye" }, in;
        int pair[2], fds[2], got[4];
        size_t n_got = N_ELEMENTS(got);

        assert_int_equal(wire_pair(pair), 0);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(wire_send(pair[0], &out, sizeof(out), fds, 2), 0);
        assert_int_equal(wire_recv(pair[1], &in, sizeof(in), got, &n_got), 1);
        assert_int_equal(n_got, 2);
        assert_memory_equal(&in, &out, sizeof(out));
        assert_true(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
        wire_close_fds(got, n_got);
        wire_close_fds(fds, 2);
        wire_close_fds(pair, 2);
}

static void test_refusals(void **state) {
        static const struct { size_t size; size_t n_fds, room; int result; } cases[] = {
                { sizeof(ControlMessage), 0, 0, 1 },
                { sizeof(ControlMessage), 2, 2, 1 },
                { sizeof(ControlMessage), 2, 1, -EBADMSG }, /* one descriptor more than asked for */
                { sizeof(ControlMessage), 8, 0, -EBADMSG },
                { sizeof(ControlMessage) - 1, 0, 0, -EBADMSG },
                { sizeof(ControlMessage) - 1, 2, 4, -EBADMSG },
                { sizeof(ControlMessage) + 1, 1, 4, -EBADMSG },
                { 1, 0, 0, -EBADMSG },
        };
        static char buffer[sizeof(ControlMessage) + 16];

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                int pair[2], fds[8], got[8];
                size_t n_got = cases[i].room;
                ControlMessage in;

                assert_int_equal(wire_pair(pair), 0);
                for (size_t k = 0; k < N_ELEMENTS(fds); k++)
                        fds[k] = open("/dev/null", O_RDONLY | O_CLOEXEC);
                int before = count_fds();
                assert_int_equal(wire_send(pair[0], buffer, cases[i].size, fds, cases[i].n_fds), 0);
                int r = wire_recv(pair[1], &in, sizeof(in), got, &n_got);
                assert_int_equal(r, cases[i].result);
                if (r == 1)
                        wire_close_fds(got, n_got);
                assert_int_equal(count_fds(), before); /* nothing that was refused stays open */
                wire_close_fds(fds, N_ELEMENTS(fds));
                wire_close_fds(pair, 2);
        }
}

static void test_peer_gone(void **state) {
        ControlMessage m = { 0 };
        int pair[2];

        assert_int_equal(wire_pair(pair), 0);
        pair[0] = fd_close(pair[0]);
        assert_int_equal(wire_recv(pair[1], &m, sizeof(m), NULL, NULL), 0);
        assert_true(wire_send(pair[1], &m, sizeof(m), NULL, 0) < 0); /* and no SIGPIPE */
        wire_close_fds(pair, 2);
}

/* Whoever sends and goes, without having read what it was told, is heard all the same. */
static void test_last_words(void **state) {
        ControlMessage m = { .magic = CONTROL_MAGIC, .type = CONTROL_DETACH };
        int pair[2];

        assert_int_equal(wire_pair(pair), 0);
        assert_int_equal(wire_send(pair[0], &m, sizeof(m), NULL, 0), 0);
        assert_int_equal(wire_send(pair[1], &m, sizeof(m), NULL, 0), 0);
        pair[1] = fd_close(pair[1]);
        assert_int_equal(wire_recv(pair[0], &m, sizeof(m), NULL, NULL), 1);
        assert_int_equal(wire_recv(pair[0], &m, sizeof(m), NULL, NULL), 0);
        fd_close(pair[0]);
}

static void test_too_many_to_send(void **state) {
        int pair[2], fds[WIRE_FDS_MAX + 1] = { 0 };
        char c = 0;

        assert_int_equal(wire_pair(pair), 0);
        assert_int_equal(wire_send(pair[0], &c, 1, fds, N_ELEMENTS(fds)), -EINVAL);
        wire_close_fds(pair, 2);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_peer_gone),
                cmocka_unit_test(test_last_words),
                cmocka_unit_test(test_too_many_to_send),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

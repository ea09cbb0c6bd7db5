/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that a client passed: pipes and sockets of every kind that is legal, and what their owners may do to
 * them. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor/foreign.h"
#include "util/io.h"
#include "wire/wire.h"

/* Neither blocks nor changes flags, on pipes and sockets, full and empty. */
static void test_foreign(void **state) {
        static char data[1024 * 1024];

        for (int is_socket = 0; is_socket < 2; is_socket++) {
                int fds[2];
                if (is_socket)
                        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
                else
                        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
                assert_int_equal(foreign_read(fds[0], data, 10), -EAGAIN);
                ssize_t n, total = 0;
                while ((n = foreign_write(fds[1], data, sizeof(data))) > 0)
                        total += n;
                assert_int_equal(n, -EAGAIN);
                assert_true(total > 4096);
                assert_true(foreign_read(fds[0], data, sizeof(data)) > 0);
                for (int i = 0; i < 2; i++)
                        assert_false(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
                fd_close(fds[0]);
                assert_int_equal(foreign_write(fds[1], data, 10), -EPIPE);
                fd_close(fds[1]);
        }
}

/* The way of older kernels, on this one: what goes in comes out, nothing blocks, nothing stays in between. */
static void test_foreign_pipes(void **state) {
        static char sent[3 * 1024 * 1024], got[sizeof(sent)];
        size_t in = 0, out = 0;
        int fds[2];

        for (size_t i = 0; i < sizeof(sent); i++)
                sent[i] = (char) (i * 31 + i / 253);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(foreign_pipe_read(fds[0], got, 10), -EAGAIN);
        while (out < sizeof(sent)) {
                size_t size = MIN_OF((in % 7 + 1) * 10007, sizeof(sent) - in);
                ssize_t n = size > 0 ? foreign_pipe_write(fds[1], sent + in, size) : -EAGAIN;
                if (n > 0) {
                        in += (size_t) n;
                        continue;
                }
                assert_int_equal(n, -EAGAIN);
                n = foreign_pipe_read(fds[0], got + out, MIN_OF((out % 5 + 1) * 7001, sizeof(got) - out));
                assert_true(n > 0);
                out += (size_t) n;
        }
        assert_memory_equal(sent, got, sizeof(sent));
        for (int i = 0; i < 2; i++)
                assert_false(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
        assert_int_equal(foreign_pipe_write(fds[1], "end", 3), 3);
        fd_close(fds[1]);
        assert_int_equal(foreign_pipe_read(fds[0], got, 10), 3);
        assert_int_equal(foreign_pipe_read(fds[0], got, 10), 0);
        fd_close(fds[0]);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        fd_close(fds[0]);
        assert_int_equal(foreign_pipe_write(fds[1], "lost", 4), -EPIPE);
        fd_close(fds[1]);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0); /* what could not be written is not in the next one's way */
        assert_int_equal(foreign_pipe_write(fds[1], "new", 3), 3);
        assert_int_equal(read(fds[0], got, 10), 3);
        assert_memory_equal(got, "new", 3);
        wire_close_fds(fds, 2);
}

/* What went into a pipe in packet mode comes out whole, and nothing of it waits for the next client. */
static void test_foreign_packets(void **state) {
        static const char *const packets[] = { "one ", "two ", "three" };
        int packet_fds[2], other_fds[2];
        char got[64];

        assert_int_equal(pipe2(packet_fds, O_CLOEXEC | O_DIRECT), 0);
        assert_int_equal(pipe2(other_fds, O_CLOEXEC), 0);
        for (size_t i = 0; i < N_ELEMENTS(packets); i++)
                assert_int_equal(write(packet_fds[1], packets[i], strlen(packets[i])), strlen(packets[i]));
        size_t size = 0;
        ssize_t n;
        while ((n = foreign_pipe_read(packet_fds[0], got + size, sizeof(got) - size)) > 0)
                size += (size_t) n;
        assert_int_equal(n, -EAGAIN);
        assert_int_equal(size, 13);
        assert_memory_equal(got, "one two three", 13);
        assert_int_equal(foreign_pipe_write(other_fds[1], "for the other", 13), 13);
        assert_int_equal(read(other_fds[0], got, sizeof(got)), 13);
        assert_memory_equal(got, "for the other", 13);
        wire_close_fds(packet_fds, 2);
        wire_close_fds(other_fds, 2);
}

static bool lingers(int fd) {
        struct linger value;
        socklen_t size = sizeof(value);

        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size), 0);
        return value.l_onoff;
}

/* A connection whose owner wants to know that everything has arrived would hold us up with its last close. */
static void test_foreign_close_does_not_linger(void **state) {
        static const struct linger on = { .l_onoff = 1, .l_linger = 1000 };
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), pipe_fds[2];

        assert_int_equal(bind(server, (struct sockaddr *) &address, size), 0);
        assert_int_equal(listen(server, 1), 0);
        assert_int_equal(getsockname(server, (struct sockaddr *) &address, &size), 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &address, size), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &on, sizeof(on)), 0);
        assert_int_equal(foreign_check(fd), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &on, sizeof(on)), 0); /* it is its owner's, too */
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        assert_true(lingers(copy));
        assert_int_equal(foreign_close(fd), -EBADF);
        assert_int_equal(fcntl(fd, F_GETFD), -1);
        assert_false(lingers(copy));
        fd_close(copy);
        fd_close(server);

        assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(foreign_close(pipe_fds[i]), -EBADF);
                assert_int_equal(fcntl(pipe_fds[i], F_GETFD), -1);
        }
        assert_int_equal(foreign_close(-EBADF), -EBADF);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_foreign),
                cmocka_unit_test(test_foreign_pipes),
                cmocka_unit_test(test_foreign_packets),
                cmocka_unit_test(test_foreign_close_does_not_linger),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

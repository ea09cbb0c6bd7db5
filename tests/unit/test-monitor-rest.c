/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients that take their time: who is waited for, and how what is left at the end reaches them. */
#include <stdio.h>
#include <sys/stat.h>

#include "task-fixture.h"

static void tell(Peer *p, ControlType type, int value) {
        ControlMessage m = { .magic = CONTROL_MAGIC, .type = type, .value = value };

        assert_int_equal(wire_send(p->control, &m, sizeof(m), NULL, 0), 0);
        run_for(USEC_PER_SEC / 1000);
}

/* As the rest of the stream that has come so far; how many bytes. */
static size_t check_rest(Peer *p, int stream, size_t total) {
        static unsigned char data[65536];
        ControlMessage m;
        size_t n_fds = 1;
        int fd = -EBADF;

        assert_int_equal(wire_recv(p->control, &m, sizeof(m), &fd, &n_fds), 1);
        assert_int_equal(m.type, CONTROL_REST);
        assert_int_equal(m.value, stream);
        assert_int_equal(n_fds, 1);
        for (uint64_t left = m.rest.size, at = m.rest.at; left > 0;) {
                uint64_t size = MIN_OF(MIN_OF(left, m.rest.end - at), (uint64_t) sizeof(data));
                ssize_t n = pread(fd, data, (size_t) size, (off_t) at);
                assert_true(n > 0);
                for (ssize_t i = 0; i < n; i++)
                        assert_int_equal(data[i], "0123456\n"[total++ % 8]);
                left -= (uint64_t) n;
                at = (at + (uint64_t) n) % m.rest.end;
        }

        /* It is for reading. */
        struct stat st;
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0400);
        assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        assert_true(pwrite(fd, "x", 1, 0) < 0 && ftruncate(fd, 0) < 0);
        fd_close(fd);
        return total;
}

/* Who reads nothing until the end gets everything: its pipe's content, then the file. Nobody has waited for it. */
static void test_rest(void **state) {
        static const struct { const char *command; size_t size; const char *directory; } cases[] = {
                { COUNT_UP(65536),    65536,    NULL },       /* no more than the pipe holds */
                { COUNT_UP(100000),   100000,   NULL },       /* the buffer alone */
                { COUNT_UP(5000000),  5000000,  NULL },
                { COUNT_UP(5000000),  5000000,  "/var/tmp" },
                { COUNT_UP(60000000), 60000000, "/var/tmp" },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Task *t = start(cases[i].command, STREAM_STDOUT);
                size_t total = 0;
                Peer p;

                t->spill_directory = cases[i].directory;
                assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
                tell(&p, CONTROL_TAKES_REST, 0);
                run_to_end();
                assert_int_equal(backlog.n_spilled, 0);
                assert_null(backlog.spilled);
                while (!take(&p, &total))
                        ;
                if (total < cases[i].size)
                        total = check_rest(&p, STDOUT_FILENO, total);
                assert_int_equal(total, cases[i].size);
                check_message(p.control, CONTROL_EXITED, 0);
                check_end(p.control);
                peer_close(&p);
                task_free(t);
        }
}

/* After the ring's end it begins anew; here a reader that was behind, and stops. */
static void test_rest_around_the_end(void **state) {
        Task *t = start(COUNT_UP(120000000), STREAM_STDOUT);
        size_t total = 0;
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        tell(&p, CONTROL_TAKES_REST, 0);
        while (backlog.n_spilled < SPILL_MAX)
                run_for(USEC_PER_SEC / 100);
        while (total < 60000000 && !take(&p, &total)) /* the task may be over before: then the ring has begun anew, too */
                run_for(1);
        run_to_end();
        while (!take(&p, &total))
                ;
        assert_int_equal(check_rest(&p, STDOUT_FILENO, total), 120000000);
        check_message(p.control, CONTROL_EXITED, 0);
        peer_close(&p);
        task_free(t);
}

/* All that may be kept is kept, and there is always a little room in the buffer: the task waits. Nobody is detached. */
static void test_page_by_page(void **state) {
        Task *t = start(COUNT_UP(120000000), STREAM_STDOUT);
        size_t total = 0;
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        while (backlog.n_spilled < SPILL_MAX) { /* so slowly that it does not set the pace */
                assert_false(take_most(&p, &total, 4096));
                run_for(USEC_PER_SEC / 10);
        }
        for (int i = 0; i < 40; i++) {
                assert_false(take_most(&p, &total, 4096));
                run_for(USEC_PER_SEC / 100);
        }
        assert_in_range(spill_size(&p.client->output[LOG_STDOUT].spill), SPILL_MAX - CLIENT_BUFFER_MAX, SPILL_MAX + TASK_READ_SIZE);
        while (!take(&p, &total))
                run_for(1);
        run_to_end();
        assert_int_equal(total, 120000000);
        check_message(p.control, CONTROL_EXITED, 0);
        peer_close(&p);
        task_free(t);
}

/* Both streams, to who says only after the end that it takes them so. */
static void test_rest_asked_for_late(void **state) {
        Task *t = start("yes 0123456 | head -c 1000000 >&2; yes 0123456 | head -c 2000000; exit 5",
                        STREAM_STDOUT | STREAM_STDERR);
        size_t total = 0, total_errors = 0;
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT | STREAM_STDERR, &p), 0);
        while (!is_done)
                run_for(USEC_PER_SEC / 100);
        assert_false(is_idle);
        tell(&p, CONTROL_TAKES_REST, 0);
        run_to_end();
        while (!take(&p, &total))
                ;
        total = check_rest(&p, STDOUT_FILENO, total);
        p.output = fd_close(p.output);
        p.output = TAKE_FD(p.errors);
        while (!take(&p, &total_errors))
                ;
        total_errors = check_rest(&p, STDERR_FILENO, total_errors);
        assert_int_equal(total, 2000000);
        assert_int_equal(total_errors, 1000000);
        check_message(p.control, CONTROL_EXITED, 5);
        peer_close(&p);
        task_free(t);
}

/* Its control socket is full: it is waited for, as one that takes no file. */
static void test_rest_cannot_be_sent(void **state) {
        Task *t = start(COUNT_UP(3000000), STREAM_STDOUT);
        size_t total = 0;
        ControlMessage m;
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        tell(&p, CONTROL_TAKES_REST, 0);
        for (int i = 0; i < 10000; i++)
                client_tell(p.client, CONTROL_NOTICE, i, "again");
        while (!is_done)
                run_for(USEC_PER_SEC / 100);
        run_for(USEC_PER_SEC / 100);
        assert_false(is_idle);
        while (!take(&p, &total))
                run_for(1);
        assert_int_equal(total, 3000000);
        while (wire_recv(p.control, &m, sizeof(m), NULL, NULL) == 1)
                assert_int_equal(m.type, CONTROL_NOTICE);
        peer_close(&p);
        task_free(t);
}

static bool is_attached(Task *t, Peer *p) {
        for (Client *c = t->clients; c; c = c->next)
                if (c == p->client)
                        return true;
        return false;
}

/* The ten seconds are over for all that wait. */
static void be_late(Peer *p) {
        loop_timer_set(&loop, &p->client->output[LOG_STDOUT].stall, 0);
        run_for(USEC_PER_SEC / 100);
}

/* Ten seconds are the limit for who has never read, and for nobody else: a pipe that took more than it holds has been
 * read; where the client passes it on, it says who reads. */
static void test_who_has_read_may_pause(void **state) {
        static const struct { bool reads, takes_rest, says_so, stays; } cases[] = {
                { false, false, false, false },
                { true,  false, false, true  },
                { true,  true,  false, false },
                { true,  true,  true,  true  },
                { false, true,  true,  true  },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Task *t = start(COUNT_UP(3000000) "; exec sleep 1000", STREAM_STDOUT);
                size_t total = 0;
                Peer p;

                assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
                if (cases[i].takes_rest)
                        tell(&p, CONTROL_TAKES_REST, 0);
                if (cases[i].says_so)
                        tell(&p, CONTROL_READING, STDOUT_FILENO);
                while (p.client->output[LOG_STDOUT].size < CLIENT_BUFFER_MAX)
                        run_for(USEC_PER_SEC / 1000);
                while (cases[i].reads && total < 100000) {
                        (void) take(&p, &total);
                        run_for(USEC_PER_SEC / 1000);
                }
                be_late(&p);
                assert_int_equal(is_attached(t, &p), cases[i].stays);
                if (!cases[i].stays)
                        check_message(p.control, CONTROL_DETACHED, 0);
                assert_int_equal(task_signal(t, SIGKILL), 0);
                peer_close(&p);
                run_to_end();
                task_free(t);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rest),
                cmocka_unit_test(test_rest_around_the_end),
                cmocka_unit_test(test_page_by_page),
                cmocka_unit_test(test_rest_asked_for_late),
                cmocka_unit_test(test_rest_cannot_be_sent),
                cmocka_unit_test(test_who_has_read_may_pause),
        };

        fixture_init();
        return cmocka_run_group_tests(tests, NULL, NULL);
}

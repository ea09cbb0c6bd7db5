/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients and the streams of a task: real processes and pipes, no container. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "task-fixture.h"

/* Both streams and the code reach every client; the streams are at their end when the farewell comes. */
static void test_output_and_exit(void **state) {
        Task *t = start("echo out; echo err >&2; exit 7", STREAM_STDOUT | STREAM_STDERR);
        Peer a, b;

        assert_int_equal(attach(t, STREAM_STDOUT | STREAM_STDERR, &a), 0);
        assert_int_equal(attach(t, STREAM_STDOUT, &b), 0);
        run_to_end();
        check_message(a.control, CONTROL_EXITED, 7);
        check_end(a.control);
        check_text(a.output, "out\n");
        check_text(a.errors, "err\n");
        check_message(b.control, CONTROL_EXITED, 7);
        check_text(b.output, "out\n");
        peer_close(&a);
        peer_close(&b);
        task_free(t);
}

static void test_signal_is_told_as_128_more(void **state) {
        Task *t = start("kill -TERM $$", STREAM_STDOUT);
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        run_to_end();
        assert_int_equal(t->signal, SIGTERM);
        check_message(p.control, CONTROL_EXITED, 143);
        peer_close(&p);
        task_free(t);
}

/* The first client's end of input is the task's; what it typed comes first. */
static void test_input(void **state) {
        Task *t = start("cat; echo end", STREAM_STDIN | STREAM_STDOUT);
        Peer p;

        t->stdin_once = true;
        assert_int_equal(attach(t, STREAM_STDIN | STREAM_STDOUT, &p), 0);
        assert_int_equal(write(p.input, "typed\n", 6), 6);
        p.input = fd_close(p.input);
        run_to_end();
        check_text(p.output, "typed\nend\n");
        check_message(p.control, CONTROL_EXITED, 0);
        peer_close(&p);
        task_free(t);
}

/* More input than any pipe holds, to a process that takes it late. */
static void test_much_input(void **state) {
        static char data[512 * 1024];
        Task *t = start("sleep 0.1; wc -c", STREAM_STDIN | STREAM_STDOUT);
        Peer p;

        t->stdin_once = true;
        assert_int_equal(attach(t, STREAM_STDIN | STREAM_STDOUT, &p), 0);
        pid_t writer = fork();
        if (writer == 0)
                _exit(fd_write_all(p.input, data, sizeof(data)) < 0);
        p.input = fd_close(p.input);
        run_to_end();
        check_text(p.output, "524288\n");
        peer_close(&p);
        task_free(t);
}

/* Who leaves after its input is let go when the task has all of it, not before, and nothing of it is lost. */
static void test_leaving_after_input(void **state) {
        static char data[300 * 1024];
        ControlMessage detach = { .magic = CONTROL_MAGIC, .type = CONTROL_DETACH, .value = CONTROL_DETACH_AFTER_INPUT };
        Task *t = start("sleep 0.1; test $(wc -c) = 307200", STREAM_STDIN);
        Peer p;

        t->stdin_once = true;
        assert_int_equal(attach(t, STREAM_STDIN, &p), 0);
        pid_t writer = fork();
        if (writer == 0)
                _exit(fd_write_all(p.input, data, sizeof(data)) < 0);
        p.input = fd_close(p.input);
        assert_int_equal(wire_send(p.control, &detach, sizeof(detach), NULL, 0), 0);
        run_to_end();
        int status;
        assert_int_equal(waitpid(writer, &status, 0), writer);
        assert_int_equal(status, 0);
        assert_int_equal(t->code, 0);
        check_message(p.control, CONTROL_DETACHED, 0);
        peer_close(&p);
        task_free(t);
}

/* Who goes at once takes nothing along that was typed before. */
static void test_leaving_now(void **state) {
        ControlMessage detach = { .magic = CONTROL_MAGIC, .type = CONTROL_DETACH };
        Task *t = start("read a; echo got $a; read b; echo and $b", STREAM_STDIN | STREAM_STDOUT);
        Peer a, b;

        assert_int_equal(attach(t, STREAM_STDOUT, &b), 0);
        assert_int_equal(attach(t, STREAM_STDIN | STREAM_STDOUT, &a), 0);
        assert_int_equal(wire_send(a.control, &detach, sizeof(detach), NULL, 0), 0);
        assert_int_equal(write(a.input, "first\n", 6), 6);
        while (t->clients->next)
                run_for(USEC_PER_SEC / 100);
        check_message(a.control, CONTROL_DETACHED, 0);
        assert_true(t->input.fd >= 0);
        peer_close(&a);
        assert_int_equal(attach(t, STREAM_STDIN, &a), 0);
        assert_int_equal(write(a.input, "second\n", 7), 7);
        run_to_end();
        check_text(b.output, "got first\nand second\n");
        peer_close(&a);
        peer_close(&b);
        task_free(t);
}

/* Input that never ends, to a task that takes all of it: who goes is let go all the same. */
static void test_leaving_in_full_flow(void **state) {
        ControlMessage detach = { .magic = CONTROL_MAGIC, .type = CONTROL_DETACH };
        Task *t = start("exec sleep 1000", STREAM_STDIN | STREAM_STDOUT);
        int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        Peer p;

        assert_int_equal(attach(t, STREAM_STDIN | STREAM_STDOUT, &p), 0);
        assert_true(dup3(zero, p.client->input.fd, O_CLOEXEC) >= 0 && dup3(null, t->input.fd, O_CLOEXEC) >= 0);
        assert_int_equal(wire_send(p.control, &detach, sizeof(detach), NULL, 0), 0);
        while (t->clients)
                run_for(USEC_PER_SEC / 100);
        check_message(p.control, CONTROL_DETACHED, 0);
        assert_int_equal(task_signal(t, SIGKILL), 0);
        run_to_end();
        peer_close(&p);
        task_free(t);
        fd_close(zero);
        fd_close(null);
}

/* Docker's StdinOnce is the container's, not the first client's. */
static void test_any_end_of_input(void **state) {
        Task *t = start("cat; echo end", STREAM_STDIN | STREAM_STDOUT);
        Peer first, second;

        t->stdin_once = true;
        assert_int_equal(attach(t, STREAM_STDIN | STREAM_STDOUT, &first), 0);
        assert_int_equal(attach(t, STREAM_STDIN, &second), 0);
        assert_int_equal(write(second.input, "x\n", 2), 2);
        peer_close(&second); /* killed, perhaps */
        run_to_end();
        check_text(first.output, "x\nend\n");
        check_message(first.control, CONTROL_EXITED, 0);
        peer_close(&first);
        task_free(t);
}

/* A client that comes and goes does not end the input of a container that keeps it open. */
static void test_input_stays_open(void **state) {
        Task *t = start("read a; read b; echo $a $b", STREAM_STDIN | STREAM_STDOUT);
        Peer first, second;

        assert_int_equal(attach(t, STREAM_STDIN, &first), 0);
        assert_int_equal(write(first.input, "one\n", 4), 4);
        peer_close(&first);
        while (t->clients)
                run_for(USEC_PER_SEC / 100);
        assert_true(t->input.fd >= 0);
        assert_int_equal(attach(t, STREAM_STDIN | STREAM_STDOUT, &second), 0);
        assert_int_equal(write(second.input, "two\n", 4), 4);
        run_to_end();
        check_text(second.output, "one two\n");
        peer_close(&second);
        task_free(t);
}

/* Nobody reads: memory stays bounded, and the task goes on. Then the reader comes and gets every byte, in order. */
static void test_late_reader(void **state) {
        Task *t = start(COUNT_UP(5000000), STREAM_STDOUT);
        size_t total = 0;
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        while (!is_done) {
                assert_true(p.client->output[LOG_STDOUT].size <= CLIENT_BUFFER_MAX + TASK_READ_SIZE);
                run_for(USEC_PER_SEC / 100);
        }
        assert_true(backlog.n_spilled > 4000000);
        while (!take(&p, &total))
                run_for(USEC_PER_SEC / 1000);
        assert_int_equal(total, 5000000);
        assert_int_equal(backlog.n_spilled, 0);
        check_message(p.control, CONTROL_EXITED, 0);
        peer_close(&p);
        task_free(t);
}

/* Who has taken a good part while its buffer was full sets the pace; who has not is behind, and the task goes on. */
static void test_pace(void **state) {
        Task *t = start(COUNT_UP(3000000), STREAM_STDOUT);
        ClientStream *s;
        size_t total = 0;
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        s = &p.client->output[LOG_STDOUT];
        while (s->size < CLIENT_BUFFER_MAX)
                run_for(USEC_PER_SEC / 1000);
        s->taken = CLIENT_PACE;
        loop_timer_set(&loop, &s->patience, 0); /* it is over */
        run_for(1);
        assert_false(s->behind);
        assert_int_equal(s->taken, 0);
        assert_int_equal(backlog.n_spilled, 0);
        loop_timer_set(&loop, &s->patience, 0);
        run_for(1);
        assert_true(s->behind);
        while (!is_done)
                run_for(USEC_PER_SEC / 100);
        assert_true(backlog.n_spilled > 2000000);
        while (!take(&p, &total))
                run_for(USEC_PER_SEC / 1000);
        assert_int_equal(total, 3000000);
        peer_close(&p);
        task_free(t);
}

/* A reader beside one that never reads gets everything, and so does the other when it comes after all. */
static void test_reader_beside_a_deaf_one(void **state) {
        Task *t = start(COUNT_UP(5000000), STREAM_STDOUT);
        size_t total = 0, total_deaf = 0;
        Peer reader, deaf;

        assert_int_equal(attach(t, STREAM_STDOUT, &deaf), 0);
        assert_int_equal(attach(t, STREAM_STDOUT, &reader), 0);
        while (!take(&reader, &total))
                run_for(USEC_PER_SEC / 1000);
        assert_int_equal(total, 5000000);
        while (!take(&deaf, &total_deaf))
                run_for(USEC_PER_SEC / 1000);
        assert_int_equal(total_deaf, 5000000);
        peer_close(&reader);
        peer_close(&deaf);
        task_free(t);
}

/* What is kept has a bound: then the task waits, and nothing is lost. */
static void test_spill_is_full(void **state) {
        Task *t = start(COUNT_UP(80000000), STREAM_STDOUT);
        size_t total = 0;
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        while (backlog.n_spilled < SPILL_MAX)
                run_for(USEC_PER_SEC / 100);
        run_for(USEC_PER_SEC / 100);
        assert_false(is_done);
        assert_true(backlog.n_spilled < SPILL_MAX + TASK_READ_SIZE);
        while (!take(&p, &total))
                run_for(1);
        assert_int_equal(total, 80000000);
        check_message(p.control, CONTROL_EXITED, 0);
        peer_close(&p);
        task_free(t);
}

/* When as much is kept as may be, a reader waits no longer for one that never reads. */
static void test_spill_is_full_beside_a_reader(void **state) {
        Task *t = start(COUNT_UP(150000000), STREAM_STDOUT);
        size_t total = 0;
        ControlMessage m;
        Peer reader, deaf;

        assert_int_equal(attach(t, STREAM_STDOUT, &deaf), 0);
        assert_int_equal(attach(t, STREAM_STDOUT, &reader), 0);
        while (!take(&reader, &total)) {
                LoopTimer *stall = &deaf.client->output[LOG_STDOUT].stall;
                if (t->clients && t->clients->next && stall->deadline > 0)
                        stall->deadline = now_monotonic() + USEC_PER_SEC * 5; /* half of its time is over */
                run_for(1);
        }
        assert_int_equal(total, 150000000);
        assert_int_equal(wire_recv(deaf.control, &m, sizeof(m), NULL, NULL), 1);
        assert_int_equal(m.type, CONTROL_DETACHED);
        assert_non_null(strstr(m.text, "64 MiB"));
        assert_int_equal(backlog.n_spilled, 0);
        peer_close(&reader);
        peer_close(&deaf);
        task_free(t);
}

/* The bound is one for all tasks, as is the count of what is read: who hears nothing of its exec does not hold up the
 * container's reader. */
static void test_spills_of_two_tasks(void **state) {
        Task *a = start(COUNT_UP(80000000), STREAM_STDOUT), *b;
        Peer deaf_a, deaf_b, reader;
        size_t total = 0;
        ControlMessage m;

        assert_int_equal(attach(a, STREAM_STDOUT, &deaf_a), 0);
        while (backlog.n_spilled < SPILL_MAX)
                run_for(USEC_PER_SEC / 100);
        b = start(COUNT_UP(3000000), STREAM_STDOUT);
        assert_int_equal(attach(b, STREAM_STDOUT, &deaf_b), 0);
        assert_int_equal(attach(b, STREAM_STDOUT, &reader), 0);
        uint64_t taken = backlog.n_taken;
        while (!take(&reader, &total)) {
                run_for(USEC_PER_SEC / 1000);
                assert_true(backlog.n_spilled < SPILL_MAX + 2 * TASK_READ_SIZE);
        }
        assert_int_equal(total, 3000000);
        assert_true(backlog.n_taken > taken);
        assert_int_equal(wire_recv(deaf_a.control, &m, sizeof(m), NULL, NULL), 1);
        assert_int_equal(m.type, CONTROL_DETACHED);
        assert_non_null(strstr(m.text, "64 MiB"));
        peer_close(&deaf_a);
        peer_close(&deaf_b);
        peer_close(&reader);
        run_to_end();
        task_free(a);
        task_free(b);
        assert_int_equal(backlog.n_spilled, 0);
        assert_null(backlog.spilled);
}

/* A reader that never reads is let go with a line, and the task goes on. */
static void test_stalled_reader(void **state) {
        Task *t = start("head -c 2000000 /dev/zero", STREAM_STDOUT);
        ControlMessage m;
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        while (p.client->output[LOG_STDOUT].size < CLIENT_BUFFER_MAX)
                run_for(USEC_PER_SEC / 100);
        loop_timer_set(&loop, &p.client->output[LOG_STDOUT].stall, 0); /* the ten seconds are over */
        run_to_end();
        assert_int_equal(wire_recv(p.control, &m, sizeof(m), NULL, NULL), 1);
        assert_int_equal(m.type, CONTROL_DETACHED);
        assert_true(strlen(m.text) > 0);
        assert_int_equal(t->code, 0);
        peer_close(&p);
        task_free(t);
}

/* The exit is not held up by a client that does not read, and what it was to get is kept for it. */
static void test_exit_with_slow_reader(void **state) {
        Task *t = start("head -c 150000 /dev/zero", STREAM_STDOUT);
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        while (!is_done)
                run_for(USEC_PER_SEC / 100);
        assert_false(is_idle);
        pid_t reader = fork();
        if (reader == 0) {
                for (Client *c = t->clients; c; c = c->next) { /* its copies of our ends would keep the pipe open */
                        fd_close(c->output[0].source.fd);
                        fd_close(c->control.fd);
                }
                _exit(fd_read_all(p.output, 1024 * 1024, &text, &size) < 0 || size != 150000);
        }
        run_to_end();
        int status = -1;
        assert_int_equal(waitpid(reader, &status, 0), reader);
        assert_int_equal(status, 0);
        check_message(p.control, CONTROL_EXITED, 0);
        peer_close(&p);
        task_free(t);
}

/* A reader that has gone harms neither the task nor the client's right to hear the exit code. */
static void test_reader_gone(void **state) {
        Task *t = start("head -c 500000 /dev/zero; exit 3", STREAM_STDOUT);
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        p.output = fd_close(p.output);
        run_to_end();
        check_message(p.control, CONTROL_EXITED, 3);
        peer_close(&p);
        task_free(t);
}

static void test_detach_and_signal(void **state) {
        ControlMessage resize = { .magic = CONTROL_MAGIC, .type = CONTROL_RESIZE, .rows = 1, .columns = 1 },
                       bogus = { .magic = CONTROL_MAGIC, .type = CONTROL_SIGNAL, .value = 1000000 },
                       term = { .magic = CONTROL_MAGIC, .type = CONTROL_SIGNAL, .value = SIGTERM },
                       detach = { .magic = CONTROL_MAGIC, .type = CONTROL_DETACH };
        Task *t = start("exec sleep 1000", STREAM_STDOUT);
        Peer leaving, staying;

        assert_int_equal(attach(t, STREAM_STDOUT, &leaving), 0);
        assert_int_equal(attach(t, STREAM_STDOUT, &staying), 0);
        leaving.client->kills_task = true;
        assert_int_equal(wire_send(leaving.control, &resize, sizeof(resize), NULL, 0), 0);
        assert_int_equal(wire_send(leaving.control, &bogus, sizeof(bogus), NULL, 0), 0);
        assert_int_equal(send(leaving.control, "junk", 4, 0), 4);
        assert_int_equal(wire_send(leaving.control, &detach, sizeof(detach), NULL, 0), 0);
        while (t->clients->next)
                run_for(USEC_PER_SEC / 100);
        check_message(leaving.control, CONTROL_DETACHED, 0);
        check_end(leaving.control);
        assert_false(was_killed); /* who asks to be let go lets the process live */
        assert_int_equal(wire_send(staying.control, &term, sizeof(term), NULL, 0), 0);
        run_to_end();
        check_message(staying.control, CONTROL_EXITED, 143);
        peer_close(&leaving);
        peer_close(&staying);
        task_free(t);
}

static void test_exec_dies_with_client(void **state) {
        Task *t = start("exec sleep 1000", STREAM_STDOUT);
        Peer p;

        assert_int_equal(attach(t, STREAM_STDOUT, &p), 0);
        p.client->kills_task = true;
        peer_close(&p);
        run_to_end();
        assert_true(was_killed);
        assert_int_equal(t->code, 137);
        task_free(t);
}

static int count_fds(void) {
        int n = 0;
        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* What cannot be a client's stream, or is not what the flags say, is refused, and no descriptor stays. */
static void test_refusals(void **state) {
        static const struct { unsigned streams; const char *kinds; int result; } cases[] = {
                { STREAM_STDOUT,                 "cp",   0           },
                { STREAM_STDOUT,                 "cs",   0           },
                { STREAM_STDOUT | STREAM_STDERR, "cp",   -EINVAL     },
                { STREAM_STDOUT,                 "cpp",  -EINVAL     },
                { 0,                             "cppp", -EINVAL     },
                { STREAM_STDIN | STREAM_STDOUT,  "c",    -EINVAL     },
                { STREAM_STDOUT,                 "cf",   -EOPNOTSUPP },
                { STREAM_STDOUT,                 "cn",   -EOPNOTSUPP },
                { STREAM_STDOUT,                 "cq",   -EOPNOTSUPP }, /* a socket, but one of messages */
        };
        Task *t = task_new(&loop, &backlog, scratch, NULL);
        int before = count_fds();

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                int fds[8], pair[2];
                size_t n = 0;
                Client *c = NULL;

                for (const char *k = cases[i].kinds; *k; k++) {
                        pair[1] = -EBADF;
                        if (*k == 'c' || *k == 'q')
                                assert_int_equal(wire_pair(pair), 0);
                        else if (*k == 'p')
                                assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
                        else if (*k == 's')
                                assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
                        else
                                pair[0] = open(*k == 'n' ? "/dev/null" : "/proc/self/exe", O_RDONLY | O_CLOEXEC);
                        fds[n++] = pair[0];
                        fd_close(pair[1]);
                }
                assert_int_equal(client_new(t, cases[i].streams, fds, n, &c), cases[i].result);
                clients_free(t);
                assert_int_equal(count_fds(), before);
        }
        task_free(t);
}

static void on_file(void *userdata, uint32_t events) {
        loop.quit = true;
}

/* Who has closed its streams and opens its terminal again, as an init does, is heard. */
static void test_terminal_opened_again(void **state) {
        Task *t = task_new(&loop, &backlog, scratch, NULL);
        int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), go[2], unlock = 0;
        Peer a;

        assert_non_null(t);
        t->ended = on_ended;
        t->done = on_done;
        t->idle = on_idle;
        is_done = is_idle = false;
        assert_int_equal(ioctl(terminal, TIOCSPTLCK, &unlock), 0);
        assert_int_equal(pipe2(go, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
                int slave = ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY);
                dup2(go[0], 9);
                for (int i = 0; i < 3; i++)
                        dup2(slave, i);
                close(slave);
                setsid();
                ioctl(0, TIOCSCTTY, 0);
                execl("/bin/sh", "sh", "-c",
                      "echo before; exec </dev/null >/dev/null 2>&1; read x <&9; echo after >/dev/tty", NULL);
                _exit(127);
        }
        int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        assert_int_equal(task_set_process(t, pid, pidfd, terminal), 0);
        assert_int_equal(task_set_running(t), 0);
        assert_int_equal(attach(t, STREAM_STDOUT, &a), 0);

        /* In the time that the loop is given after the first line, the shell has closed the terminal. */
        LoopSource source = { .fd = a.output, .handler = on_file };
        assert_int_equal(loop_watch(&loop, &source, EPOLLIN), 0);
        run_for(10 * USEC_PER_SEC);
        assert_int_equal(loop_watch(&loop, &source, 0), 0);
        run_for(USEC_PER_SEC / 5);
        assert_int_equal(write(go[1], "\n", 1), 1);
        run_to_end();
        check_text(a.output, "before\r\nafter\r\n");
        check_message(a.control, CONTROL_EXITED, 0);
        peer_close(&a);
        task_free(t);
        wire_close_fds(go, 2);
        fd_close(pidfd);
        fd_close(terminal);
}

/* A client that sends without pause, or nonsense, is served and harms nobody. */
static void test_flood(void **state) {
        ControlMessage m = { .magic = CONTROL_MAGIC, .type = CONTROL_RESIZE, .rows = 1, .columns = 1 };
        Task *t = start("sleep 0.2; echo out; exit 3", STREAM_STDOUT);
        Peer flood, other;

        assert_int_equal(attach(t, STREAM_STDOUT, &other), 0);
        assert_int_equal(attach(t, STREAM_STDOUT, &flood), 0);
        assert_true(fcntl(flood.control, F_SETFL, O_NONBLOCK) >= 0);
        while (!is_done) {
                while (wire_send(flood.control, &m, sizeof(m), NULL, 0) == 0) {
                        m.rows++;
                        m.type = m.rows % 5 ? CONTROL_RESIZE : 1000;
                        (void) send(flood.control, &m, m.rows % sizeof(m) + 1, MSG_NOSIGNAL);
                }
                run_for(USEC_PER_SEC / 1000);
        }
        run_to_end();
        check_text(other.output, "out\n");
        check_message(other.control, CONTROL_EXITED, 3);
        check_text(flood.output, "out\n");
        check_message(flood.control, CONTROL_EXITED, 3);
        peer_close(&flood);
        peer_close(&other);
        task_free(t);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_output_and_exit),
                cmocka_unit_test(test_signal_is_told_as_128_more),
                cmocka_unit_test(test_input),
                cmocka_unit_test(test_much_input),
                cmocka_unit_test(test_leaving_after_input),
                cmocka_unit_test(test_leaving_now),
                cmocka_unit_test(test_leaving_in_full_flow),
                cmocka_unit_test(test_any_end_of_input),
                cmocka_unit_test(test_input_stays_open),
                cmocka_unit_test(test_late_reader),
                cmocka_unit_test(test_pace),
                cmocka_unit_test(test_reader_beside_a_deaf_one),
                cmocka_unit_test(test_spill_is_full),
                cmocka_unit_test(test_spill_is_full_beside_a_reader),
                cmocka_unit_test(test_spills_of_two_tasks),
                cmocka_unit_test(test_stalled_reader),
                cmocka_unit_test(test_exit_with_slow_reader),
                cmocka_unit_test(test_reader_gone),
                cmocka_unit_test(test_detach_and_signal),
                cmocka_unit_test(test_exec_dies_with_client),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_terminal_opened_again),
                cmocka_unit_test(test_flood),
        };

        fixture_init();
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that are real processes, and their clients, for tests: no container. */
#pragma once

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor/task.h"
#include "util/io.h"
#include "wire/wire.h"

static Loop loop;
static Backlog backlog;
static char *scratch;
static bool is_done, is_idle, was_killed;

static inline void on_ended(Task *t) {
}
static inline void on_done(Task *t) {
        is_done = true;
        clients_finish(t, CONTROL_EXITED, t->code, NULL);
}
static inline void on_idle(Task *t) {
        is_idle = true;
        loop.quit = true;
}
static inline void on_kill(Task *t) {
        was_killed = true;
        task_signal(t, SIGKILL);
}

/* A client's own ends. */
typedef struct Peer {
        int control, input, output, errors;
        Client *client;
} Peer;

static inline int attach(Task *t, unsigned streams, Peer *p) {
        int fds[4], control[2], pipe_fds[2];
        size_t n = 0;

        *p = (Peer) { .control = -EBADF, .input = -EBADF, .output = -EBADF, .errors = -EBADF };
        assert_int_equal(wire_pair(control), 0);
        p->control = control[0];
        fds[n++] = control[1];
        int *mine[] = { &p->input, &p->output, &p->errors };
        for (int i = 0; i < 3; i++)
                if (streams & (1u << i)) {
                        assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
                        *mine[i] = pipe_fds[i == 0];
                        fds[n++] = pipe_fds[i != 0];
                }
        return client_new(t, streams, fds, n, &p->client);
}

static inline void peer_close(Peer *p) {
        int fds[] = { p->control, p->input, p->output, p->errors };
        wire_close_fds(fds, N_ELEMENTS(fds));
}

static inline Task *start(const char *command, unsigned streams) {
        Task *t = task_new(&loop, &backlog, scratch, NULL);
        int stdio[3];

        assert_non_null(t);
        t->ended = on_ended;
        t->done = on_done;
        t->idle = on_idle;
        t->kill = on_kill;
        is_done = is_idle = was_killed = false;
        assert_int_equal(task_make_pipes(t, streams, stdio), 0);
        pid_t pid = fork();
        if (pid == 0) {
                for (int i = 0; i < 3; i++)
                        dup2(stdio[i], i);
                signal(SIGPIPE, SIG_DFL);
                execl("/bin/sh", "sh", "-c", command, NULL);
                _exit(127);
        }
        wire_close_fds(stdio, 3);
        int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        assert_int_equal(task_set_process(t, pid, pidfd, -EBADF), 0);
        assert_int_equal(task_set_running(t), 0);
        fd_close(pidfd);
        return t;
}

static inline void stop_loop(void *userdata) {
        loop.quit = true;
}

static inline void run_for(uint64_t usec) {
        LoopTimer timer = { .handler = stop_loop };

        loop.quit = false;
        loop_timer_set(&loop, &timer, usec);
        assert_int_equal(loop_run(&loop), 0);
        loop_timer_clear(&loop, &timer);
}

/* Until the task is through with everything; a hang is a failure by meson's time limit. */
static inline void run_to_end(void) {
        while (!is_idle)
                run_for(USEC_PER_SEC);
}

static inline void check_text(int fd, const char *wanted) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(fd_read_all(fd, 1024 * 1024, &text, NULL), 0);
        assert_string_equal(text, wanted);
}

static inline void check_message(int fd, ControlType type, int value) {
        ControlMessage m;

        assert_int_equal(wire_recv(fd, &m, sizeof(m), NULL, NULL), 1);
        assert_int_equal(m.magic, CONTROL_MAGIC);
        assert_int_equal(m.type, type);
        assert_int_equal(m.value, value);
}

static inline void check_end(int fd) {
        ControlMessage m;
        assert_int_equal(wire_recv(fd, &m, sizeof(m), NULL, NULL), 0);
}

/* Takes of what is there, at most 64 KiB; at the end of the file, true. The bytes are those of COUNT_UP, from *total on. */
static inline bool take_most(Peer *p, size_t *total, size_t most) {
        static unsigned char data[65536];
        ssize_t n;

        assert_true(fcntl(p->output, F_SETFL, O_NONBLOCK) >= 0); /* our end */
        n = read(p->output, data, MIN_OF(most, sizeof(data)));
        for (ssize_t i = 0; i < n; i++)
                assert_int_equal(data[i], "0123456\n"[(*total)++ % 8]);
        return n == 0;
}
static inline bool take(Peer *p, size_t *total) {
        return take_most(p, total, SIZE_MAX);
}

#define COUNT_UP(size) "yes 0123456 | head -c " #size

static inline void fixture_init(void) {
        signal(SIGPIPE, SIG_IGN);
        if (loop_init(&loop) < 0)
                abort();
        scratch = mmap(NULL, TASK_READ_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

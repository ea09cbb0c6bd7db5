/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stop that is asked for while the container is being started: signal and time have to last until there is something
 * to stop. The payload is a child of the test. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor/monitor.h"
#include "util/io.h"

typedef struct Asked {
        int signo, timeout;
} Asked;

static void monitor_begin(Monitor *m, char *scratch) {
        static const int ignored[] = { SIGPIPE, SIGHUP, SIGINT, SIGQUIT };
        int ready[2];
        sigset_t none;
        char c;

        *m = (Monitor) { .bundle_fd = -EBADF, .scope.fd = -EBADF, .stop_signal = SIGTERM, .stop_timeout = 10 };
        assert_int_equal(loop_init(&m->loop), 0);
        assert_int_equal(monitor_stop_init(m), 0);
        m->init = task_new(&m->loop, &m->backlog, scratch, m);
        assert_non_null(m->init);
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
                for (size_t i = 0; i < N_ELEMENTS(ignored); i++)
                        (void) signal(ignored[i], SIG_DFL);
                sigemptyset(&none);
                (void) sigprocmask(SIG_SETMASK, &none, NULL);
                fd_close(ready[1]);
                for (;;)
                        pause();
        }
        fd_close(ready[1]);
        assert_int_equal(read(ready[0], &c, 1), 0);
        fd_close(ready[0]);
        _cleanup_close_ int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        assert_true(pidfd >= 0);
        assert_int_equal(task_set_process(m->init, pid, pidfd, -EBADF), 0);
}

/* What killed it, and how many seconds it would have had (0: none, -1: for ever). */
static void run(const Asked *asked, size_t n, int *ret_signal, int *ret_seconds) {
        static char scratch[TASK_READ_SIZE];
        Monitor m;
        int status;

        monitor_begin(&m, scratch);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(monitor_stop(&m, asked[i].signo, asked[i].timeout, "client"), 0);
                assert_int_equal(m.stop, STOP_WANTED);
        }
        assert_int_equal(kill(m.init->pid, 0), 0);
        m.status = MONITOR_STATUS_RUNNING;
        uint64_t now = now_monotonic();
        monitor_stop_pending(&m);
        uint64_t deadline = m.stop_timer.deadline;
        *ret_seconds = m.stop == STOP_KILLED ? 0 : deadline == 0 ? -1 : (int) ((deadline - now + 500000) / 1000000);
        assert_int_equal(waitpid(m.init->pid, &status, 0), m.init->pid);
        assert_true(WIFSIGNALED(status));
        *ret_signal = WTERMSIG(status);
        loop_timer_clear(&m.loop, &m.stop_timer);
        task_free(m.init);
}

static void test_pending(void **state) {
        static const struct {
                Asked asked[3];
                size_t n;
                int signo, seconds;
        } rows[] = {
                { { { 0, 10 } },                               1, SIGTERM, 10  }, /* the container's own */
                { { { SIGUSR1, 1000 } },                       1, SIGUSR1, 1000 },
                { { { SIGINT, -2 } },                          1, SIGINT,  -1  },
                { { { SIGINT, -2 }, { SIGHUP, 500 } },         2, SIGHUP,  500 },
                { { { SIGINT, 500 }, { SIGHUP, -2 } },         2, SIGHUP,  500 },
                { { { SIGINT, 700 }, { 0, 300 }, { 0, 900 } }, 3, SIGTERM, 300 },
                { { { SIGKILL, 500 }, { SIGTERM, 900 } },      2, SIGKILL, 500 },
        };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                int signo, seconds;

                run(rows[i].asked, rows[i].n, &signo, &seconds);
                assert_int_equal(signo, rows[i].signo);
                assert_int_equal(seconds, rows[i].seconds);
        }
}

static void test_at_once(void **state) {
        const Asked asked[] = { { SIGUSR1, 900 }, { SIGUSR1, 0 } };
        int signo, seconds;

        run(asked, N_ELEMENTS(asked), &signo, &seconds);
        assert_int_equal(seconds, 0);
        assert_true(signo == SIGKILL || signo == SIGUSR1); /* which of the two it had first */
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_pending), cmocka_unit_test(test_at_once) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd hears of a stop, and how long the payload has: a Monitor without a unit, a payload that ends at nothing
 * but SIGKILL, and a socket in systemd's place. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor/monitor.h"
#include "util/io.h"

#define SECOND ((long long) USEC_PER_SEC)
#define SLACK (5 * SECOND) /* for a machine that is busy */

static Monitor m;
static int systemd_fd, signal_fds[2];
static Notify notify;

static void on_nothing(Task *t) {
}

static int setup(void **state) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(notify.path, sizeof(notify.path), "@test-monitor-stop-%i", (int) getpid());
        strcpy(address.sun_path + 1, notify.path + 1);
        systemd_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(systemd_fd, (struct sockaddr *) &address,
                              (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(notify.path))), 0);
        m = (Monitor) { .notify = &notify, .bundle_fd = -EBADF, .scope.fd = -EBADF, .stop_signal = SIGTERM,
                        .stop_timeout = 10, .status = MONITOR_STATUS_RUNNING };
        assert_int_equal(loop_init(&m.loop), 0);
        assert_int_equal(monitor_stop_init(&m), 0);
        assert_int_equal(pipe2(signal_fds, O_CLOEXEC), 0); /* instead of its signalfd: signals of PID 1 are hard to come by */
        assert_true(dup3(signal_fds[0], m.signals.fd, O_CLOEXEC) >= 0);
        m.init = task_new(&m.loop, &m.backlog, NULL, &m);
        m.init->ended = m.init->done = m.init->idle = on_nothing;
        pid_t pid = fork();
        if (pid == 0) {
                for (;;)
                        pause(); /* with SIGTERM blocked, as monitor_stop_init() left it */
        }
        int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        assert_int_equal(task_set_process(m.init, pid, pidfd, -EBADF), 0);
        fd_close(pidfd);
        return 0;
}

static int teardown(void **state) {
        (void) kill(m.init->pid, SIGKILL);
        (void) waitpid(m.init->pid, NULL, 0);
        m.init = task_free(m.init);
        loop_timer_clear(&m.loop, &m.stop_timer);
        (void) loop_watch(&m.loop, &m.signals, 0);
        fd_close(m.signals.fd);
        loop_done(&m.loop);
        fd_close(signal_fds[0]);
        fd_close(signal_fds[1]);
        fd_close(systemd_fd);
        return 0;
}

/* What systemd was told last, in microseconds; -1: nothing. */
static long long announced(void) {
        char text[1024];
        long long usec = -1;
        ssize_t n;

        while ((n = recv(systemd_fd, text, sizeof(text) - 1, 0)) > 0) {
                text[n] = '\0';
                const char *field = strstr(text, "EXTEND_TIMEOUT_USEC=");
                if (field)
                        usec = atoll(field + strlen("EXTEND_TIMEOUT_USEC="));
        }
        return usec;
}

static void send_as_systemd(int signo) {
        struct signalfd_siginfo info = { .ssi_signo = (uint32_t) signo, .ssi_pid = 1 };

        assert_int_equal(write(signal_fds[1], &info, sizeof(info)), sizeof(info));
        m.signals.handler(m.signals.userdata, EPOLLIN);
}

static long long left(void) {
        return (long long) (m.stop_timer.deadline - now_monotonic());
}

/* systemd hears its limit anew once it has begun to stop, and a client's long patience is not systemd's. */
static void test_systemd_after_a_client(void **state) {
        assert_int_equal(monitor_stop(&m, 0, 1000, "client"), 0);
        assert_in_range(left(), 1000 * SECOND - SLACK, 1000 * SECOND);
        assert_true(announced() > left());
        send_as_systemd(SIGTERM);
        assert_in_range(left(), 10 * SECOND - SLACK, 10 * SECOND);
        assert_true(announced() > left());
        send_as_systemd(SIGCONT); /* comes with the other */
        assert_in_range(left(), 10 * SECOND - SLACK, 10 * SECOND);
        assert_string_equal(m.stopped_by, "client");
        assert_int_equal(m.stop, STOP_SENT);
}

/* A client that said "never" has not spoken for systemd either. */
static void test_systemd_after_never(void **state) {
        assert_int_equal(monitor_stop(&m, 0, -2, "client"), 0);
        assert_int_equal(m.stop_timer.deadline, 0);
        assert_true(announced() > 1000000 * SECOND);
        send_as_systemd(SIGTERM);
        assert_in_range(left(), 10 * SECOND - SLACK, 10 * SECOND);
        assert_in_range(announced(), left(), left() + 60 * SECOND);
}

/* Where the container itself has no limit, systemd's is put off for as long as it takes. */
static void test_container_without_limit(void **state) {
        m.stop_timeout = -1;
        assert_int_equal(monitor_stop(&m, 0, -2, "client"), 0);
        (void) announced();
        send_as_systemd(SIGTERM);
        assert_int_equal(m.stop_timer.deadline, 0);
        assert_true(announced() > 1000000 * SECOND);
        assert_int_equal(m.stop, STOP_SENT);
}

/* A shorter limit of the client stays, and systemd hears of it. */
static void test_systemd_makes_nothing_longer(void **state) {
        m.stop_timeout = 1000;
        assert_int_equal(monitor_stop(&m, 0, 100, "client"), 0);
        (void) announced();
        send_as_systemd(SIGTERM);
        assert_in_range(left(), 100 * SECOND - SLACK, 100 * SECOND);
        assert_in_range(announced(), left(), left() + 60 * SECOND);
}

/* Before there is a payload there is nothing to kill. */
static void test_systemd_before_the_start(void **state) {
        m.status = MONITOR_STATUS_PREPARING;
        m.stop_timeout = 0;
        assert_int_equal(monitor_stop(&m, 0, 100, "client"), 0);
        send_as_systemd(SIGTERM);
        assert_int_equal(m.stop, STOP_WANTED);
        assert_int_equal(waitpid(m.init->pid, NULL, WNOHANG), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_systemd_after_a_client, setup, teardown),
                cmocka_unit_test_setup_teardown(test_systemd_after_never, setup, teardown),
                cmocka_unit_test_setup_teardown(test_container_without_limit, setup, teardown),
                cmocka_unit_test_setup_teardown(test_systemd_makes_nothing_longer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_systemd_before_the_start, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

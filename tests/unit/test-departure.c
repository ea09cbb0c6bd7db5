/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for a process that may end now, later, or not in time. The process is a child that reads from a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "container/departure.h"
#include "util/io.h"

#define SEC 1000000ull

typedef struct Fixture {
        sd_event *event;
        Departure *departure;
        pid_t pid;
        int leash; /* closed: the child ends */
        unsigned told, told_gone;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));
        int pipe_fds[2];
        char c;

        assert_int_equal(pipe(pipe_fds), 0);
        f->pid = fork();
        if (f->pid == 0) {
                close(pipe_fds[1]);
                _exit(read(pipe_fds[0], &c, 1) == 0 ? 0 : 1);
        }
        close(pipe_fds[0]);
        f->leash = pipe_fds[1];
        assert_true(sd_event_new(&f->event) >= 0);
        assert_int_equal(departure_new(f->event, (int) syscall(SYS_pidfd_open, f->pid, 0), &f->departure), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        fd_close(f->leash);
        waitpid(f->pid, NULL, 0);
        departure_free(f->departure);
        sd_event_unref(f->event);
        free(f);
        return 0;
}

static void on_done(bool gone, void *userdata) {
        Fixture *f = userdata;

        f->told++;
        f->told_gone += gone;
}

static void let_it_end(Fixture *f) {
        siginfo_t info;

        f->leash = fd_close(f->leash);
        assert_int_equal(waitid(P_PID, (id_t) f->pid, &info, WEXITED | WNOWAIT), 0);
}

static void run_until_told(Fixture *f) {
        while (f->told == 0)
                assert_true(sd_event_run(f->event, 60 * SEC) > 0);
}

static void test_waits(void **state) {
        Fixture *f = *state;

        assert_int_equal(departure_wait(f->departure, 60 * SEC, on_done, f), 1);
        assert_int_equal(sd_event_run(f->event, 0), 0);
        assert_int_equal(f->told, 0);
        let_it_end(f);
        run_until_told(f);
        assert_int_equal(f->told_gone, 1);
        assert_int_equal(departure_wait(f->departure, 60 * SEC, on_done, f), 0);
        assert_int_equal(f->told, 1);
}

static void test_is_over(void **state) {
        Fixture *f = *state;

        let_it_end(f); /* and the event loop does not know yet */
        assert_int_equal(departure_wait(f->departure, 60 * SEC, on_done, f), 0);
        assert_int_equal(departure_wait(NULL, 60 * SEC, on_done, f), 0);
        while (sd_event_run(f->event, 0) > 0)
                ;
        assert_int_equal(f->told, 0);
}

static void test_is_bounded(void **state) {
        Fixture *f = *state;

        assert_int_equal(departure_wait(f->departure, 1, on_done, f), 1);
        run_until_told(f);
        assert_int_equal(f->told_gone, 0);
        let_it_end(f);
        while (sd_event_run(f->event, 0) > 0)
                ;
        assert_int_equal(f->told, 1); /* once */
}

static void test_forget(void **state) {
        Fixture *f = *state;

        assert_int_equal(departure_wait(f->departure, 60 * SEC, on_done, f), 1);
        departure_forget(f->departure);
        departure_forget(NULL);
        let_it_end(f);
        while (sd_event_run(f->event, 0) > 0)
                ;
        assert_int_equal(f->told, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
                cmocka_unit_test_setup_teardown(test_is_over, setup, teardown),
                cmocka_unit_test_setup_teardown(test_is_bounded, setup, teardown),
                cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

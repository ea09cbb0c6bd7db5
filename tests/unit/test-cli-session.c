/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pump between our standard streams and a container: the test is the monitor, a child process is the client. */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/session.h"
#include "util/io.h"
#include "wire/control.h"
#include "wire/wire.h"

#define LIMIT_SEC 30 /* a pump that hangs is ended by this, and so fails its test */

/* What the test holds of one client. */
typedef struct Client {
        pid_t pid;
        int control;
        int far[3];  /* as the monitor has them */
        int user[3]; /* as the person's shell has them: writes 0, reads 1 and 2 */
} Client;

/* With a terminal `terminal` is the client's stdin and stdout. */
static void start_client(Client *c, bool tty, bool interactive, bool sig_proxy, int terminal) {
        int control[2], pipes[3][2];
        Session s;

        assert_int_equal(wire_pair(control), 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
        /* The question whether stdin is a terminal is asked by session_open: in the child, so this one is told no. */
        SessionSettings settings = { .streams = { interactive, true, !tty }, .sig_proxy = sig_proxy && !tty };
        assert_int_equal(session_open(&s, &settings), 0);
        s.settings.tty = tty;
        assert_int_equal(detach_keys_parse(NULL, &s.keys), 0);
        s.what = "web";
        c->pid = fork();
        assert_true(c->pid >= 0);
        if (c->pid == 0) {
                alarm(LIMIT_SEC);
                dup2(terminal >= 0 ? terminal : pipes[0][0], STDIN_FILENO);
                dup2(terminal >= 0 ? terminal : pipes[1][1], STDOUT_FILENO);
                dup2(pipes[2][1], STDERR_FILENO);
                for (int i = 0; i < 3; i++) {
                        wire_close_fds(pipes[i], 2);
                        s.far[i] = fd_close(s.far[i]);
                }
                fd_close(control[0]);
                int r = session_run(&s, control[1]);
                session_done(&s);
                _exit(r < 0 ? 99 : r);
        }
        for (int i = 0; i < 3; i++) {
                c->far[i] = TAKE_FD(s.far[i]);
                c->user[i] = pipes[i][i == 0 ? 1 : 0];
                close(pipes[i][i == 0 ? 0 : 1]);
        }
        c->control = control[0];
        close(control[1]);
        session_done(&s);
}

static void say(Client *c, ControlType type, int value, const char *text) {
        ControlMessage m = { .magic = CONTROL_MAGIC, .type = type, .value = value };

        snprintf(m.text, sizeof(m.text), "%s", text);
        assert_int_equal(wire_send(c->control, &m, sizeof(m), NULL, 0), 0);
}

/* The payload has ended: its streams first, then the status. */
static void end_payload(Client *c, int status) {
        wire_close_fds(c->far, 3);
        say(c, CONTROL_EXITED, status, "");
}

static int wait_client(Client *c) {
        int status;

        assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
        fd_close(c->control);
        wire_close_fds(c->far, 3);
        wire_close_fds(c->user, 3);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void check_user_reads(Client *c, int stream, const char *wanted) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        assert_int_equal(fd_read_all(c->user[stream], 1 << 20, &text, &size), 0);
        assert_string_equal(text, wanted);
}

static void test_streams_and_status(void **state) {
        Client c;

        start_client(&c, false, false, true, -1);
        assert_true(c.far[0] < 0); /* no -i: no stdin */
        say(&c, CONTROL_STARTED, 1, "");
        assert_int_equal(fd_write_all(c.far[1], "out\n", 4), 0);
        assert_int_equal(fd_write_all(c.far[2], "err\n", 4), 0);
        say(&c, CONTROL_NOTICE, 0, "note\nthis");
        end_payload(&c, 7);
        check_user_reads(&c, 1, "out\n");
        _cleanup_free_ char *text = NULL;
        assert_int_equal(fd_read_all(c.user[2], 1 << 20, &text, NULL), 0);
        assert_non_null(strstr(text, "err\n"));
        assert_non_null(strstr(text, "berth: note this\n"));
        assert_int_equal(wait_client(&c), 7);
}

static const int statuses[] = { 0, 1, 125, 126, 127, 137, 143, 255 };

static void test_every_status(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(statuses); i++) {
                Client c;

                start_client(&c, false, false, true, -1);
                say(&c, CONTROL_STARTED, 1, "");
                end_payload(&c, statuses[i]);
                assert_int_equal(wait_client(&c), statuses[i]);
        }
}

/* All bytes there are, more of them than any buffer holds, both ways, with the status sent before all was read. */
static void test_bytes(void **state) {
        enum { SIZE = 3 * 1024 * 1024 + 17 };
        _cleanup_free_ char *sent = malloc(SIZE), *got = NULL;
        size_t size;
        Client c;

        for (int i = 0; i < SIZE; i++)
                sent[i] = (char) (i * 31 + i / 251);
        start_client(&c, false, true, true, -1);
        pid_t writer = fork();
        if (writer == 0)
                _exit(fd_write_all(c.user[0], sent, SIZE) < 0);
        c.user[0] = fd_close(c.user[0]);
        pid_t payload = fork(); /* cat */
        if (payload == 0) {
                _cleanup_free_ char *text = NULL;
                fd_close(c.user[0]);
                int r = fd_read_all(c.far[0], SIZE, &text, &size);
                _exit(r < 0 || fd_write_all(c.far[1], text, size) < 0);
        }
        wire_close_fds(c.far, 3);
        say(&c, CONTROL_STARTED, 1, "");
        assert_int_equal(fd_read_all(c.user[1], 1000, &got, NULL) == -EFBIG, 1);
        free(TAKE(got));
        /* fd_read_all has taken 1001 bytes */
        _cleanup_free_ char *rest = NULL;
        say(&c, CONTROL_EXITED, 3, "");
        assert_int_equal(fd_read_all(c.user[1], SIZE, &rest, &size), 0);
        assert_int_equal(size, SIZE - 1001);
        assert_memory_equal(rest, sent + 1001, size);
        assert_int_equal(waitpid(writer, NULL, 0), writer);
        assert_int_equal(waitpid(payload, NULL, 0), payload);
        assert_int_equal(wait_client(&c), 3);
}

static void say_rest(Client *c, int stream, const char *content, uint64_t at, uint64_t size) {
        ControlMessage m = { .magic = CONTROL_MAGIC, .type = CONTROL_REST, .value = stream,
                             .rest = { .at = at, .size = size, .end = strlen(content) } };
        int fd = memfd_new_sealed("rest", content, strlen(content));

        assert_true(fd >= 0);
        assert_int_equal(wire_send(c->control, &m, sizeof(m), &fd, 1), 0);
        fd_close(fd);
}

/* What the monitor has left comes after what was in the pipes, around the end of its ring, and in the order of each
 * stream; whoever reads it does so long after the monitor is gone. */
static void test_rest(void **state) {
        Client c;

        start_client(&c, false, false, true, -1);
        say(&c, CONTROL_STARTED, 1, "");
        say_rest(&c, STDOUT_FILENO, "rld!~~hello wo", 6, 12);
        say_rest(&c, STDERR_FILENO, "!is wrong", 1, 8);
        say_rest(&c, 7, "nonsense", 0, 8);
        say_rest(&c, STDOUT_FILENO, "once more", 0, 9);
        assert_int_equal(fd_write_all(c.far[1], "first, ", 7), 0);
        assert_int_equal(fd_write_all(c.far[2], "what ", 5), 0);
        end_payload(&c, 6);
        c.control = fd_close(c.control);
        check_user_reads(&c, 1, "first, hello world!");
        check_user_reads(&c, 2, "what is wrong");
        assert_int_equal(wait_client(&c), 6);
}

static ControlType hear_any(Client *c, int *ret_value) {
        ControlMessage m;

        assert_true(fd_wait(c->control, POLLIN, LIMIT_SEC * 1000) > 0);
        assert_int_equal(wire_recv(c->control, &m, sizeof(m), NULL, NULL), 1);
        *ret_value = m.value;
        return m.type;
}

/* Who reads our output is told to the monitor once a byte of it was read, and not because we read ours. */
static void test_reading(void **state) {
        static char data[64 * 1024];
        int value;
        Client c;

        start_client(&c, false, false, true, -1);
        say(&c, CONTROL_STARTED, 1, "");
        assert_int_equal(hear_any(&c, &value), CONTROL_TAKES_REST);
        for (int i = 0; i < 3; i++) /* the third is in when the client has read the first, and is stuck with the second */
                assert_int_equal(fd_write_all(c.far[1], data, sizeof(data)), 0);
        assert_int_equal(fd_wait(c.control, POLLIN, 0), 0);
        assert_int_equal(read(c.user[1], data, 1), 1);
        assert_int_equal(hear_any(&c, &value), CONTROL_READING);
        assert_int_equal(value, STDOUT_FILENO);
        assert_int_equal(fd_write_all(c.far[2], "err\n", 4), 0);
        wire_close_fds(c.far, 3);
        say(&c, CONTROL_EXITED, 0, "");
        _cleanup_free_ char *text = NULL;
        size_t size;
        assert_int_equal(fd_read_all(c.user[1], 1 << 20, &text, &size), 0);
        assert_int_equal(size, 3 * sizeof(data) - 1);
        assert_int_equal(wait_client(&c), 0);
}

static void test_stdin_ends(void **state) {
        _cleanup_free_ char *got = NULL;
        Client c;

        start_client(&c, false, true, true, -1);
        assert_int_equal(fd_write_all(c.user[0], "line", 4), 0);
        c.user[0] = fd_close(c.user[0]);
        assert_int_equal(fd_read_all(c.far[0], 100, &got, NULL), 0); /* to its end */
        assert_string_equal(got, "line");
        say(&c, CONTROL_STARTED, 1, "");
        end_payload(&c, 0);
        assert_int_equal(wait_client(&c), 0);
}

static void test_payload_ends_before_stdin(void **state) {
        Client c;

        start_client(&c, false, true, true, -1);
        say(&c, CONTROL_STARTED, 1, "");
        c.far[0] = fd_close(c.far[0]); /* it does not read: that is no error */
        assert_int_equal(fd_write_all(c.user[0], "line", 4), 0);
        end_payload(&c, 4);
        assert_int_equal(wait_client(&c), 4);
}

static const struct {
        ControlType type;
        int value;
        const char *text;
        bool started;
        int status;
        const char *says;
} ends[] = {
        { CONTROL_FAILED, 127, "no such file", false, 127, "no such file" },
        { CONTROL_FAILED, 126, "permission denied", false, 126, "permission denied" },
        { CONTROL_FAILED, 0, "strange", false, 125, "strange" }, /* never a success */
        { CONTROL_DETACHED, 0, "too slow", true, 1, "too slow" },
        { 0, 0, NULL, true, 137, "monitor died" },
        { 0, 0, NULL, false, 125, "monitor died" },
};

static void test_other_ends(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(ends); i++) {
                _cleanup_free_ char *text = NULL;
                Client c;

                start_client(&c, false, false, true, -1);
                if (ends[i].started)
                        say(&c, CONTROL_STARTED, 1, "");
                wire_close_fds(c.far, 3);
                if (ends[i].type)
                        say(&c, ends[i].type, ends[i].value, ends[i].text);
                c.control = fd_close(c.control);
                assert_int_equal(fd_read_all(c.user[2], 1000, &text, NULL), 0);
                assert_non_null(strstr(text, ends[i].says));
                assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
                assert_int_equal(wait_client(&c), ends[i].status);
        }
}

static void test_reader_goes_away(void **state) {
        _cleanup_free_ char *text = NULL;
        Client c;

        start_client(&c, false, false, true, -1);
        say(&c, CONTROL_STARTED, 1, "");
        c.user[1] = fd_close(c.user[1]);
        assert_int_equal(fd_write_all(c.far[1], "x", 1), 0);
        assert_int_equal(fd_read_all(c.user[2], 1000, &text, NULL), 0);
        assert_non_null(strstr(text, "standard output"));
        assert_int_equal(wait_client(&c), 1);
}

static ControlMessage hear(Client *c) {
        ControlMessage m;

        do {
                assert_true(fd_wait(c->control, POLLIN, LIMIT_SEC * 1000) > 0);
                assert_int_equal(wire_recv(c->control, &m, sizeof(m), NULL, NULL), 1);
                assert_int_equal(m.magic, CONTROL_MAGIC);
        } while (m.type == CONTROL_TAKES_REST || m.type == CONTROL_READING);
        return m;
}

/* The client is past its preparations once it has answered with what we wrote to its output. */
static void wait_for_pump(Client *c) {
        char byte;

        assert_int_equal(fd_write_all(c->far[1], "!", 1), 0);
        assert_int_equal(read(c->user[1], &byte, 1), 1);
}

static void test_signals(void **state) {
        static const int passed[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT };
        Client c;

        start_client(&c, false, false, true, -1);
        say(&c, CONTROL_STARTED, 1, "");
        wait_for_pump(&c);
        for (size_t i = 0; i < N_ELEMENTS(passed); i++) {
                assert_int_equal(kill(c.pid, passed[i]), 0);
                ControlMessage m = hear(&c);
                assert_int_equal(m.type, CONTROL_SIGNAL);
                assert_int_equal(m.value, passed[i]);
        }
        end_payload(&c, 143);
        assert_int_equal(wait_client(&c), 143);
}

/* Before the payload runs nobody can take a signal: one that asks for the end ends the client. */
static void test_signals_before_the_start(void **state) {
        static const int ending[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

        for (size_t i = 0; i < N_ELEMENTS(ending); i++) {
                Client c;
                start_client(&c, false, false, true, -1);
                wait_for_pump(&c);
                assert_int_equal(kill(c.pid, SIGUSR1), 0);
                assert_int_equal(hear(&c).value, SIGUSR1);
                assert_int_equal(kill(c.pid, ending[i]), 0);
                assert_int_equal(wait_client(&c), 1000 + ending[i]);
        }
}

static void test_no_sig_proxy(void **state) {
        Client c;

        start_client(&c, false, false, false, -1);
        wait_for_pump(&c);
        assert_int_equal(kill(c.pid, SIGTERM), 0);
        assert_int_equal(wait_client(&c), 1000 + SIGTERM);
}

static bool is_raw(int terminal) {
        struct termios t;

        assert_int_equal(tcgetattr(terminal, &t), 0);
        return !(t.c_lflag & (ICANON | ECHO));
}

static void open_terminal(int *ret_user, int *ret_terminal) {
        struct winsize size = { .ws_row = 33, .ws_col = 101 };

        assert_int_equal(openpty(ret_user, ret_terminal, NULL, NULL, &size), 0);
        assert_false(is_raw(*ret_terminal));
}

static void test_terminal(void **state) {
        int user, terminal;
        char text[16] = "";
        Client c;

        open_terminal(&user, &terminal);
        start_client(&c, true, true, true, terminal);
        say(&c, CONTROL_STARTED, 1, "");
        ControlMessage m = hear(&c);
        assert_int_equal(m.type, CONTROL_RESIZE);
        assert_int_equal(m.rows, 33);
        assert_int_equal(m.columns, 101);
        assert_true(is_raw(terminal));
        assert_int_equal(fd_write_all(user, "\x03\x04\r", 3), 0); /* ^C and ^D are bytes like others */
        for (size_t n = 0; n < 3;)
                n += (size_t) read(c.far[0], text + n, 3 - n);
        assert_string_equal(text, "\x03\x04\r");
        end_payload(&c, 5);
        assert_int_equal(wait_client(&c), 5);
        assert_false(is_raw(terminal));
        close(user);
        close(terminal);
}

static void start_on_terminal(Client *c, int *ret_user, int *ret_terminal) {
        open_terminal(ret_user, ret_terminal);
        start_client(c, true, true, true, *ret_terminal);
        say(c, CONTROL_STARTED, 1, "");
        while (hear(c).type != CONTROL_RESIZE || !is_raw(*ret_terminal))
                ;
}

/* What comes through to the payload, and then the request to let go; nothing behind that. */
static void test_detach_keys(void **state) {
        int user, terminal;
        char text[16] = "";
        Client c;

        start_on_terminal(&c, &user, &terminal);
        assert_int_equal(fd_write_all(user, "a\x10" "b\x10", 4), 0); /* a beginning that does not go on, and one that may */
        for (size_t n = 0; n < 3;)
                n += (size_t) read(c.far[0], text + n, sizeof(text) - n);
        assert_string_equal(text, "a\x10" "b");
        assert_int_equal(fd_write_all(user, "\x11rest", 5), 0);
        ControlMessage m;
        while ((m = hear(&c)).type == CONTROL_RESIZE)
                ;
        assert_int_equal(m.type, CONTROL_DETACH);
        assert_int_equal(m.value, CONTROL_DETACH_NOW);
        assert_int_equal(read(c.far[0], text, sizeof(text)), 0);
        say(&c, CONTROL_DETACHED, 0, "");
        wire_close_fds(c.far, 3);
        assert_int_equal(wait_client(&c), 0);
        assert_false(is_raw(terminal));
        close(user);
        close(terminal);
}

/* A window of another size is told, also of a terminal that is only written to. */
static void test_resize(void **state) {
        struct winsize size = { .ws_row = 7, .ws_col = 13 };
        int user, terminal;
        ControlMessage m;
        Client c;

        start_on_terminal(&c, &user, &terminal);
        assert_int_equal(ioctl(user, TIOCSWINSZ, &size), 0);
        assert_int_equal(kill(c.pid, SIGWINCH), 0); /* it is no process of that terminal's foreground */
        while ((m = hear(&c)).rows != 7)
                ;
        assert_int_equal(m.type, CONTROL_RESIZE);
        assert_int_equal(m.columns, 13);
        end_payload(&c, 0);
        assert_int_equal(wait_client(&c), 0);
        close(user);
        close(terminal);
}

static void test_terminal_after_a_signal(void **state) {
        int user, terminal;
        Client c;

        open_terminal(&user, &terminal);
        start_client(&c, true, true, true, terminal);
        (void) hear(&c);
        assert_true(is_raw(terminal));
        assert_int_equal(kill(c.pid, SIGTERM), 0);
        assert_int_equal(wait_client(&c), 1000 + SIGTERM);
        assert_false(is_raw(terminal));
        close(user);
        close(terminal);
}

/* With stdin alone the session ends when that has, and been taken. */
static void test_stdin_alone(void **state) {
        int control[2], far, status;
        char text[16];
        ssize_t n;
        Client c = { 0 };

        assert_int_equal(wire_pair(control), 0);
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC), saved = dup(STDIN_FILENO);
        SessionSettings settings = { .streams = { true, false, false } };
        Session s;
        assert_int_equal(session_open(&s, &settings), 0);
        assert_true(s.far[1] < 0 && s.far[2] < 0);
        far = TAKE_FD(s.far[0]);
        dup2(null, STDIN_FILENO);
        pid_t pid = fork();
        if (pid == 0) {
                alarm(LIMIT_SEC);
                fd_close(far);
                fd_close(control[0]);
                _exit(session_run(&s, control[1]));
        }
        session_done(&s);
        close(control[1]);
        dup2(saved, STDIN_FILENO);
        c.control = control[0];
        say(&c, CONTROL_STARTED, 1, "");
        ControlMessage m = hear(&c);
        assert_int_equal(m.type, CONTROL_DETACH);
        assert_int_equal(m.value, CONTROL_DETACH_AFTER_INPUT);
        n = read(far, text, sizeof(text));
        assert_int_equal(n, 0);
        say(&c, CONTROL_DETACHED, 0, "");
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        close(control[0]);
        close(far);
        close(null);
        close(saved);
}

static void test_no_terminal(void **state) {
        Session s;

        int saved = dup(STDIN_FILENO), null = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(null, STDIN_FILENO);
        SessionSettings settings = { .tty = true, .streams = { true, true, true } };
        assert_int_equal(session_open(&s, &settings), -ENOTTY);
        session_done(&s);
        /* -t alone asks for no terminal here, as with docker */
        settings.detach_keys = "foo";
        assert_int_equal(session_open(&s, &settings), -EINVAL);
        settings.detach_keys = "";
        settings.streams[0] = false;
        assert_int_equal(session_open(&s, &settings), 0);
        assert_true(s.far[2] < 0);
        session_done(&s);
        dup2(saved, STDIN_FILENO);
        close(saved);
        close(null);
}

static void test_wait_start(void **state) {
        int pair[2];
        Client c = { 0 };

        assert_int_equal(wire_pair(pair), 0);
        c.control = pair[0];
        say(&c, CONTROL_STARTED, 1, "");
        assert_int_equal(session_wait_start(pair[1], "web"), 0);
        close(pair[0]);

        assert_int_equal(wire_pair(pair), 0);
        c.control = pair[0];
        say(&c, CONTROL_FAILED, 126, "why");
        assert_int_equal(session_wait_start(pair[1], "web"), 126);
        close(pair[0]);

        assert_int_equal(wire_pair(pair), 0);
        close(pair[0]);
        assert_int_equal(session_wait_start(pair[1], "web"), 125);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_streams_and_status),
                cmocka_unit_test(test_every_status),
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_rest),
                cmocka_unit_test(test_reading),
                cmocka_unit_test(test_stdin_ends),
                cmocka_unit_test(test_payload_ends_before_stdin),
                cmocka_unit_test(test_other_ends),
                cmocka_unit_test(test_reader_goes_away),
                cmocka_unit_test(test_signals),
                cmocka_unit_test(test_signals_before_the_start),
                cmocka_unit_test(test_no_sig_proxy),
                cmocka_unit_test(test_terminal),
                cmocka_unit_test(test_detach_keys),
                cmocka_unit_test(test_resize),
                cmocka_unit_test(test_terminal_after_a_signal),
                cmocka_unit_test(test_stdin_alone),
                cmocka_unit_test(test_no_terminal),
                cmocka_unit_test(test_wait_start),
        };
        (void) signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

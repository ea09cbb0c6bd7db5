/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A monitor's conversation with berthd, as far as it goes without a unit: starts that fail, and requests that make
 * no sense. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor/monitor.h"
#include "util/fs.h"
#include "util/json.h"
#include "wire/control.h"
#include "wire/wire.h"

/* A monitor in a process of its own, and one connection to it. */
typedef struct Subject {
        char directory[32];
        int bundle_fd;
        pid_t pid;
        int fd;
        uint32_t cookie;
} Subject;

static MonitorEvent next_event(Subject *s) {
        MonitorEvent e;

        assert_int_equal(wire_recv(s->fd, &e, sizeof(e), NULL, NULL), 1);
        assert_int_equal(e.magic, MONITOR_MAGIC);
        return e;
}

static int subject_connect(Subject *s) {
        char path[64];

        snprintf(path, sizeof(path), "%s/monitor.sock", s->directory);
        int fd = wire_connect(path);
        assert_true(fd >= 0);
        return fd;
}

static void subject_start(Subject *s, const char *config) {
        char path[64];

        *s = (Subject) { .directory = "/tmp/test-monitor.XXXXXX" };
        assert_non_null(mkdtemp(s->directory));
        s->bundle_fd = fs_open_dir(AT_FDCWD, s->directory);
        if (config)
                assert_int_equal(fs_write_file(s->bundle_fd, "config.json", config, strlen(config), 0600, 0), 0);
        snprintf(path, sizeof(path), "%s/monitor.sock", s->directory);
        int listen_fd = wire_listen(path);
        assert_true(listen_fd >= 0);
        s->pid = fork();
        if (s->pid == 0)
                _exit(monitor_run(s->bundle_fd, listen_fd, NULL) < 0);
        fd_close(listen_fd);
        s->fd = subject_connect(s);
        MonitorEvent e = next_event(s);
        assert_int_equal(e.type, MONITOR_STATE);
        assert_int_equal(e.status, MONITOR_STATUS_PREPARING);
        assert_int_equal(e.pid, 0);
}

static void request(Subject *s, MonitorRequest r, const int *fds, size_t n_fds) {
        r.magic = r.magic ? r.magic : MONITOR_MAGIC;
        r.cookie = ++s->cookie;
        assert_int_equal(wire_send(s->fd, &r, sizeof(r), fds, n_fds), 0);
}

static int answer_to(Subject *s, MonitorRequest r, const int *fds, size_t n_fds) {
        request(s, r, fds, n_fds);
        MonitorEvent e = next_event(s);
        assert_int_equal(e.type, MONITOR_ACK);
        assert_int_equal(e.cookie, s->cookie);
        assert_int_equal(e.value < 0, e.text[0] != '\0'); /* no refusal without a word */
        return e.value;
}

/* Waits for the end of the process, which is a clean one. */
static void subject_end(Subject *s) {
        int status = -1;

        assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
        assert_int_equal(status, 0);
        fd_close(s->fd);
        fd_close(s->bundle_fd);
        assert_int_equal(fs_remove_tree(AT_FDCWD, s->directory), 0);
}

static void check_record(Subject *s, const char *error) {
        _cleanup_json_ json_object *o = NULL;

        assert_int_equal(json_read_file(s->bundle_fd, "exit.json", 65536, &o), 0);
        assert_int_equal(json_object_get_int(json_get(o, "exitCode")), 125);
        assert_int_equal(json_object_get_int64(json_get(o, "started")), 0);
        assert_true(json_object_get_int64(json_get(o, "finished")) > 0);
        assert_int_equal(json_object_get_int64(json_get(o, "logOrdinal")), 0);
        assert_non_null(strstr(json_get_string(o, "error"), error));
}

static void test_abort(void **state) {
        int control[2], output[2];
        ControlMessage m;
        Subject s;
        char c;

        subject_start(&s, NULL);
        assert_int_equal(wire_pair(control), 0);
        assert_int_equal(pipe2(output, O_CLOEXEC), 0);
        int fds[] = { control[1], output[1] };
        MonitorRequest attach = { .type = MONITOR_ATTACH, .streams = STREAM_STDOUT };
        assert_int_equal(answer_to(&s, attach, fds, 2), 0);
        fd_close(control[1]);
        fd_close(output[1]);
        request(&s, (MonitorRequest) { .type = MONITOR_ABORT, .text = "The unit could not be made." }, NULL, 0);
        MonitorEvent e = next_event(&s);
        assert_int_equal(e.type, MONITOR_FAILED);
        assert_int_equal(e.value, 125);
        /* Its own fault came first and is the one told. */
        check_record(&s, "config.json");
        assert_int_equal(read(output[0], &c, 1), 0);
        assert_int_equal(wire_recv(control[0], &m, sizeof(m), NULL, NULL), 1);
        assert_int_equal(m.type, CONTROL_FAILED);
        assert_int_equal(m.value, 125);
        assert_non_null(strstr(m.text, "config.json"));
        assert_int_equal(wire_recv(control[0], &m, sizeof(m), NULL, NULL), 0);
        fd_close(control[0]);
        fd_close(output[0]);
        subject_end(&s);
}

/* Whatever is wrong with the configuration, GO is answered by FAILED and a record. */
static void test_bad_configuration(void **state) {
        static const char *const configs[] = { NULL, "", "{", "[]", "{\"process\":{}}", "{\"ociVersion\":7}", "{} x" };

        for (size_t i = 0; i < N_ELEMENTS(configs); i++) {
                Subject s;

                subject_start(&s, configs[i]);
                request(&s, (MonitorRequest) { .type = MONITOR_GO }, NULL, 0);
                MonitorEvent e = next_event(&s);
                assert_int_equal(e.type, MONITOR_FAILED);
                assert_int_equal(e.value, 125);
                assert_non_null(strstr(e.text, "config.json"));
                check_record(&s, e.text);
                assert_int_equal(next_event(&s).type, MONITOR_ACK);
                subject_end(&s);
        }
}

static void test_requests_refused(void **state) {
        static const struct { MonitorRequest request; const char *fds; int result; } cases[] = {
                { { .type = 0 },                                                 "",    -EBADMSG    },
                { { .type = 99 },                                                "",    -EBADMSG    },
                { { .type = UINT32_MAX },                                        "",    -EBADMSG    },
                { { .type = MONITOR_GO, .magic = 1 },                            "",    -EBADMSG    },
                { { .type = MONITOR_SIGNAL, .value = SIGTERM },                  "",    -ESRCH      },
                { { .type = MONITOR_STOP, .value = 1000000 },                    "",    -EINVAL     },
                { { .type = MONITOR_STOP, .value = -1 },                         "",    -EINVAL     },
                { { .type = MONITOR_EXEC },                                      "",    -ESRCH      },
                { { .type = MONITOR_EXEC },                                      "pc",  -ESRCH      },
                { { .type = MONITOR_ATTACH },                                    "",    -EINVAL     },
                { { .type = MONITOR_ATTACH, .streams = STREAM_STDOUT },          "c",   -EINVAL     },
                { { .type = MONITOR_ATTACH, .streams = STREAM_STDOUT },          "cpp", -EINVAL     },
                { { .type = MONITOR_ATTACH, .streams = STREAM_STDOUT },          "cf",  -EOPNOTSUPP },
                { { .type = MONITOR_ATTACH, .streams = STREAM_REPLAY },          "c",   -EOPNOTSUPP },
                { { .type = MONITOR_STOP, .value = SIGTERM, .timeout_sec = 10 }, "pp",  0           }, /* no use */
        };
        Subject s;

        subject_start(&s, NULL);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                int fds[WIRE_FDS_MAX], other[WIRE_FDS_MAX];
                size_t n = 0;
                char c;

                for (const char *k = cases[i].fds; *k; k++, n++) {
                        int pair[2] = { -EBADF, -EBADF };
                        if (*k == 'c')
                                assert_int_equal(wire_pair(pair), 0);
                        else if (*k == 'p')
                                assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
                        else
                                pair[1] = open("/dev/null", O_RDWR | O_CLOEXEC);
                        fds[n] = pair[1];
                        other[n] = pair[0];
                }
                assert_int_equal(answer_to(&s, cases[i].request, fds, n), cases[i].result);
                wire_close_fds(fds, n);
                for (size_t j = 0; j < n; j++) /* nothing was kept */
                        if (other[j] >= 0)
                                assert_int_equal(read(other[j], &c, 1), 0);
                wire_close_fds(other, n);
        }
        request(&s, (MonitorRequest) { .type = MONITOR_ABORT }, NULL, 0);
        subject_end(&s);
}

/* A message of another size ends that connection and no other. */
static void test_connections(void **state) {
        Subject s;
        MonitorEvent e;
        int first;

        subject_start(&s, NULL);
        first = s.fd;
        s.fd = subject_connect(&s);
        assert_int_equal(next_event(&s).type, MONITOR_STATE);
        assert_int_equal(send(first, "junk", 4, 0), 4);
        assert_int_equal(wire_recv(first, &e, sizeof(e), NULL, NULL), 0);
        fd_close(first);
        request(&s, (MonitorRequest) { .type = MONITOR_GO }, NULL, 0);
        assert_int_equal(next_event(&s).type, MONITOR_FAILED);
        subject_end(&s);
}

/* Who asks and goes at once is heard all the same, though there is nobody to answer. */
static void test_last_words(void **state) {
        MonitorRequest abort_request = { .magic = MONITOR_MAGIC, .type = MONITOR_ABORT };
        Subject s;

        subject_start(&s, NULL);
        assert_int_equal(kill(s.pid, SIGSTOP), 0); /* so that it accepts after all is over */
        assert_int_equal(waitpid(s.pid, NULL, WUNTRACED), s.pid);
        int fd = subject_connect(&s);
        assert_int_equal(wire_send(fd, &abort_request, sizeof(abort_request), NULL, 0), 0);
        fd_close(fd);
        assert_int_equal(kill(s.pid, SIGCONT), 0);
        assert_int_equal(next_event(&s).type, MONITOR_FAILED);
        subject_end(&s);
}

/* Texts that do not end: the record has as much of them as there is room for, and nothing of what lies behind. */
static void test_texts_without_end(void **state) {
        MonitorRequest stop = { .type = MONITOR_STOP, .timeout_sec = -1, .caller.pid = 7 };
        _cleanup_json_ json_object *o = NULL;
        Subject s;

        memset(stop.id, 'i', sizeof(stop.id));
        memset(stop.origin, 'o', sizeof(stop.origin));
        memset(stop.caller.user, 'u', sizeof(stop.caller.user));
        memset(stop.caller.command, 'c', sizeof(stop.caller.command));
        memset(stop.caller.unit, 'n', sizeof(stop.caller.unit));
        memset(stop.text, 't', sizeof(stop.text));
        subject_start(&s, NULL);
        assert_int_equal(answer_to(&s, stop, NULL, 0), 0);
        request(&s, (MonitorRequest) { .type = MONITOR_ABORT }, NULL, 0);
        assert_int_equal(next_event(&s).type, MONITOR_FAILED);
        assert_int_equal(json_read_file(s.bundle_fd, "exit.json", 65536, &o), 0);
        assert_int_equal(strlen(json_get_string(o, "stoppedBy")), sizeof(stop.origin) - 1);
        assert_int_equal(strlen(json_get_string(o, "stoppedByUser")), sizeof(stop.caller.user) - 1);
        assert_int_equal(strlen(json_get_string(o, "stoppedByCommand")), sizeof(stop.caller.command) - 1);
        assert_int_equal(strlen(json_get_string(o, "stoppedByUnit")), sizeof(stop.caller.unit) - 1);
        subject_end(&s);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_abort),
                cmocka_unit_test(test_bad_configuration),
                cmocka_unit_test(test_requests_refused),
                cmocka_unit_test(test_connections),
                cmocka_unit_test(test_last_words),
                cmocka_unit_test(test_texts_without_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

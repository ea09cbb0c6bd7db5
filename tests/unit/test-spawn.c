/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-spawn: what systemd hands it, monitors it forks, monitors it finds. Their bundles are empty, so they get as
 * far as waiting for berthd; what is killed in cgroups is shown on a booted host. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor/notify.h"
#include "spawn/charge.h"
#include "util/fs.h"
#include "wire/monitor.h"
#include "wire/wire.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_notify(void **state) {
        static const struct { const char *pid, *fds; int result; } cases[] = {
                { "self", "1",          0       },
                { "self", "0",          -ENOENT },
                { "self", "2",          -E2BIG  },
                { "1",    "1",          -ENOENT }, /* meant for somebody else */
                { NULL,   "1",          -ENOENT },
                { "self", NULL,         -ENOENT },
                { "self", "-1",         -ENOENT },
                { "self", "4294967297", -ENOENT },
        };
        char self[16];
        int saved = fcntl(3, F_DUPFD_CLOEXEC, 100);

        snprintf(self, sizeof(self), "%i", (int) getpid());
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Notify n;
                int fd = -EBADF;

                assert_int_equal(dup2(STDERR_FILENO, 3), 3);
                clearenv();
                if (cases[i].pid)
                        setenv("LISTEN_PID", strcmp(cases[i].pid, "self") == 0 ? self : cases[i].pid, 1);
                if (cases[i].fds)
                        setenv("LISTEN_FDS", cases[i].fds, 1);
                setenv("NOTIFY_SOCKET", "@nowhere", 1);
                assert_int_equal(notify_init(&n, &fd), cases[i].result);
                assert_string_equal(n.path, "@nowhere");
                assert_null(getenv("NOTIFY_SOCKET"));
                assert_null(getenv("LISTEN_PID"));
                assert_null(getenv("LISTEN_FDS"));
                if (cases[i].result == 0) {
                        assert_int_equal(fd, 3);
                        assert_true(fcntl(3, F_GETFD) & FD_CLOEXEC);
                }
        }
        if (saved >= 0)
                dup2(saved, 3);
        else
                close(3);
}

static void test_notify_send(void **state) {
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        char directory[] = "/tmp/test-spawn.XXXXXX", path[64], got[32];
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        Notify n = { 0 };

        assert_int_equal(notify_send(&n, "READY=1"), 0); /* nobody to tell */
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/notify", directory);
        strcpy(address.sun_path, path);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        strcpy(n.path, path);
        assert_int_equal(notify_send(&n, "READY=1"), 0);
        assert_int_equal(recv(fd, got, sizeof(got), 0), 7);
        assert_memory_equal(got, "READY=1", 7);
        fd_close(fd);
        fs_remove_tree(AT_FDCWD, directory);
}

/* A launcher in a process of its own, on a run directory with one bundle. */
typedef struct Subject {
        char run[32];
        char bundle[128];
        int bundle_fd;
        int listen_fd; /* the monitor's */
        int fd;        /* to the launcher */
        pid_t pid;
} Subject;

static void subject_start(Subject *s) {
        char path[192];

        *s = (Subject) { .run = "/tmp/test-spawn.XXXXXX" };
        assert_non_null(mkdtemp(s->run));
        snprintf(s->bundle, sizeof(s->bundle), "%s/containers/" ID, s->run);
        assert_int_equal(fs_mkdir_all(s->bundle, 0700), 0);
        s->bundle_fd = fs_open_dir(AT_FDCWD, s->bundle);
        snprintf(path, sizeof(path), "%s/monitor.sock", s->run); /* not in the bundle: the path would be too long */
        s->listen_fd = wire_listen(path);
        assert_true(s->listen_fd >= 0);
}

static void subject_launch(Subject *s) {
        char path[64];

        snprintf(path, sizeof(path), "%s/spawn.sock", s->run);
        int fd = wire_listen(path);
        assert_true(fd >= 0);
        s->pid = fork();
        if (s->pid == 0) {
                Launcher l;
                bool good = launcher_init(&l, fd) >= 0 && launcher_adopt(&l, s->run) >= 0 && launcher_run(&l) >= 0;
                _exit(good ? 0 : 1);
        }
        fd_close(fd);
        s->fd = wire_connect(path);
        assert_true(s->fd >= 0);
}

static void subject_stop(Subject *s, int signo, int wanted) {
        int status;

        assert_int_equal(kill(s->pid, signo), 0);
        assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
        assert_int_equal(status, wanted);
        s->fd = fd_close(s->fd);
}

static void subject_end(Subject *s) {
        fd_close(s->listen_fd);
        fd_close(s->bundle_fd);
        assert_int_equal(fs_remove_tree(AT_FDCWD, s->run), 0);
}

static SpawnMessage ask(Subject *s, const SpawnMessage *m, size_t n_fds, int *ret_pidfd) {
        int fds[] = { s->bundle_fd, s->listen_fd, s->listen_fd };
        SpawnMessage answer;
        size_t n_got = 1;

        assert_int_equal(wire_send(s->fd, m, sizeof(*m), fds, n_fds), 0);
        assert_int_equal(wire_recv(s->fd, &answer, sizeof(answer), ret_pidfd, &n_got), 1);
        assert_int_equal(answer.type, SPAWN_STARTED);
        assert_int_equal(n_got, answer.value < 0 ? 0 : 1);
        return answer;
}

static const SpawnMessage good = { .magic = SPAWN_MAGIC, .type = SPAWN_MONITOR, .id = ID };

static SpawnMessage next_message(Subject *s) {
        SpawnMessage m;
        assert_int_equal(wire_recv(s->fd, &m, sizeof(m), NULL, NULL), 1);
        return m;
}

static void test_monitor_dies(void **state) {
        Subject s;
        int pidfd;

        subject_start(&s);
        subject_launch(&s);
        SpawnMessage m = ask(&s, &good, 2, &pidfd);
        assert_int_equal(m.value, 0);
        assert_string_equal(m.id, ID);
        assert_int_equal(kill(m.pid, SIGKILL), 0);
        SpawnMessage died = next_message(&s);
        assert_int_equal(died.type, SPAWN_DIED);
        assert_int_equal(died.pid, m.pid);
        assert_string_equal(died.id, ID);
        assert_true(WIFSIGNALED(died.value) && WTERMSIG(died.value) == SIGKILL);
        assert_true(fd_wait(pidfd, POLLIN, 0) & POLLIN); /* reaped: newer kernels add POLLHUP */
        fd_close(pidfd);
        subject_stop(&s, SIGTERM, 0);
        subject_end(&s);
}

/* The monitor is one: it speaks the monitor's protocol, and outlives the launcher. */
static void test_monitor_serves(void **state) {
        Subject s;
        MonitorEvent e;
        MonitorRequest abort_request = { .magic = MONITOR_MAGIC, .type = MONITOR_ABORT };
        char path[64], comm[32];
        int pidfd, fd;

        subject_start(&s);
        subject_launch(&s);
        SpawnMessage m = ask(&s, &good, 2, &pidfd);
        snprintf(path, sizeof(path), "%s/monitor.sock", s.run);
        fd = wire_connect(path);
        assert_true(fd >= 0);
        assert_int_equal(wire_recv(fd, &e, sizeof(e), NULL, NULL), 1);
        assert_int_equal(e.type, MONITOR_STATE);
        snprintf(path, sizeof(path), "/proc/%i/comm", (int) m.pid);
        int comm_fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(comm_fd, comm, sizeof(comm)), 14);
        assert_memory_equal(comm, "berth-monitor\n", 14);
        fd_close(comm_fd);
        subject_stop(&s, SIGKILL, SIGKILL);
        assert_int_equal(fd_wait(pidfd, POLLIN, 0), 0);
        assert_int_equal(wire_send(fd, &abort_request, sizeof(abort_request), NULL, 0), 0);
        assert_int_equal(wire_recv(fd, &e, sizeof(e), NULL, NULL), 1);
        assert_int_equal(e.type, MONITOR_FAILED);
        assert_true(fd_wait(pidfd, POLLIN, -1) & POLLIN);
        assert_int_equal(faccessat(s.bundle_fd, "exit.json", R_OK, 0), 0);
        fd_close(fd);
        fd_close(pidfd);
        subject_end(&s);
}

static void test_refusals(void **state) {
        static const struct { SpawnMessage message; size_t n_fds; } cases[] = {
                { { .magic = 1, .type = SPAWN_MONITOR, .id = ID },                   2 },
                { { .magic = SPAWN_MAGIC, .type = SPAWN_DIED, .id = ID },            2 },
                { { .magic = SPAWN_MAGIC, .type = SPAWN_MONITOR, .id = ID },         0 },
                { { .magic = SPAWN_MAGIC, .type = SPAWN_MONITOR, .id = ID },         1 },
                { { .magic = SPAWN_MAGIC, .type = SPAWN_MONITOR, .id = "" },         2 },
                { { .magic = SPAWN_MAGIC, .type = SPAWN_MONITOR, .id = "../../x" },  2 },
                { { .magic = SPAWN_MAGIC, .type = SPAWN_MONITOR, .id = ID "0" },     2 },
        };
        Subject s;
        int pidfd;

        subject_start(&s);
        subject_launch(&s);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                assert_int_equal(ask(&s, &cases[i].message, cases[i].n_fds, &pidfd).value, -EBADMSG);
        subject_stop(&s, SIGTERM, 0);
        subject_end(&s);
}

/* A name with two dots is one that a container may have. */
static void write_identity(Subject *s, pid_t pid, unsigned long long start_time) {
        char text[128];
        int n = snprintf(text, sizeof(text), "%i %llu /test-spawn..nowhere.scope\n", (int) pid, start_time);

        assert_int_equal(fs_write_file(s->bundle_fd, "monitor", text, (size_t) n, 0600, 0), 0);
}

static unsigned long long start_time(pid_t pid) {
        _cleanup_free_ char *text = NULL;
        char path[32], *field;

        snprintf(path, sizeof(path), "/proc/%i/stat", (int) pid);
        assert_int_equal(fs_read_file(AT_FDCWD, path, 4096, &text, NULL), 0);
        field = strrchr(text, ')');
        for (int i = 2; i < 22; i++)
                field = strchr(field + 1, ' ');
        return strtoull(field + 1, NULL, 10);
}

/* A monitor of an earlier launcher is watched again, if it is that process and no other of its number. */
static void test_adopt(void **state) {
        static const char *const broken[] = {
                "", "x", "1 2", "-5 1 /x\n", "1 1 /x\n", "99999999999 1 /x\n", "2 3 relative\n", "2 3 /../x\n",
                "2 3 /x/..\n",
        };
        Subject s;
        pid_t stranger = fork();

        if (stranger == 0)
                for (;;)
                        pause();
        subject_start(&s);
        write_identity(&s, stranger, start_time(stranger));
        subject_launch(&s);
        assert_int_equal(fd_wait(s.fd, POLLIN, 50), 0);
        assert_int_equal(kill(stranger, SIGKILL), 0);
        SpawnMessage m = next_message(&s);
        assert_int_equal(m.type, SPAWN_DIED);
        assert_int_equal(m.pid, stranger);
        assert_int_equal(m.value, -ECHILD);
        assert_string_equal(m.id, ID);
        assert_int_equal(waitpid(stranger, NULL, 0), stranger);
        subject_stop(&s, SIGTERM, 0);

        /* The number is in use, by somebody else. */
        write_identity(&s, getpid(), start_time(getpid()) + 1);
        subject_launch(&s);
        int pidfd;
        assert_int_equal(ask(&s, &good, 0, &pidfd).value, -EBADMSG); /* it is up, and has looked */
        assert_int_equal(fd_wait(s.fd, POLLIN, 0), 0);
        subject_stop(&s, SIGTERM, 0);

        for (size_t i = 0; i < N_ELEMENTS(broken); i++) {
                assert_int_equal(fs_write_file(s.bundle_fd, "monitor", broken[i], strlen(broken[i]), 0600, 0), 0);
                subject_launch(&s);
                assert_int_equal(ask(&s, &good, 0, &pidfd).value, -EBADMSG);
                subject_stop(&s, SIGTERM, 0);
        }
        subject_end(&s);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_notify),
                cmocka_unit_test(test_notify_send),
                cmocka_unit_test(test_monitor_dies),
                cmocka_unit_test(test_monitor_serves),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_adopt),
        };

        if (getuid() != 0) {
                puts("needs root, whom alone berth-spawn serves: skipped");
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}

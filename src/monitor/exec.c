/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exec: one more process in the running container, in a cgroup of its own, with the streams of the client that asked
 * for it. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "util/io.h"
#include "wire/wire.h"

#define EXEC_PROCESS_MAX ((size_t) 1024 * 1024)

static void on_exec_ended(Task *t) {
}

static void on_exec_done(Task *t) {
        Monitor *m = t->userdata;

        server_tell(&m->server, MONITOR_EXEC_EXITED, t->code, 0, t->id, NULL);
        clients_finish(t, CONTROL_EXITED, t->code, NULL);
        scope_exec_remove(&m->scope, t->number);
}

static void on_exec_idle(Task *t) {
        Monitor *m = t->userdata;

        for (Task **p = &m->execs; *p; p = &(*p)->next)
                if (*p == t) {
                        *p = t->next;
                        break;
                }
        task_free(t);
        malloc_trim(0);
        monitor_check_end(m);
}

static void kill_exec(Task *t) {
        Monitor *m = t->userdata;

        scope_exec_kill(&m->scope, t->number);
}

/* The process as berthd wrote it. The file's offset is berthd's as well, so it is not used. */
static int read_process(int fd, RuntimeProcess **ret, const char **ret_text) {
        _cleanup_json_ json_object *object = NULL;
        _cleanup_free_ char *text = NULL;
        const char *where = NULL;
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (size_t) st.st_size > EXEC_PROCESS_MAX)
                return -EFBIG;
        text = malloc((size_t) st.st_size);
        if (!text)
                return -ENOMEM;
        ssize_t n = pread(fd, text, (size_t) st.st_size, 0);
        if (n < 0)
                return -errno;
        r = json_parse(text, (size_t) n, &object);
        if (r >= 0)
                r = runtime_process_read(object, ret, &where);
        if (r < 0)
                *ret_text = "The process to execute is not described well.";
        return r;
}

static void close_stdio(int stdio[3]) {
        wire_close_fds(stdio, 3);
}

/* Everything up to the execution. On failure `error` is filled. */
static int run_process(Monitor *m, Task *t, const RuntimeProcess *process, unsigned streams, SandboxError *error) {
        _cleanup_close_ int cgroup_fd = scope_exec_new(&m->scope, t->number);
        _cleanup_close_ int pidfd = -EBADF, terminal = -EBADF;
        int stdio[3] = { -EBADF, -EBADF, -EBADF }, r = cgroup_fd;
        pid_t pid = 0;

        if (r >= 0 && !process->terminal)
                r = task_make_pipes(t, streams, stdio);
        if (r >= 0) {
                r = sandbox_exec(m->sandbox, process, stdio, cgroup_fd, &pid, &pidfd, &terminal, error);
                close_stdio(stdio);
                if (r < 0)
                        return r;
                r = task_set_process(t, pid, pidfd, terminal);
        }
        if (r >= 0)
                r = task_set_running(t);
        if (r < 0) {
                if (pid > 0)
                        scope_exec_kill(&m->scope, t->number);
                error->exit_code = 125;
                snprintf(error->text, sizeof(error->text), "Cannot set up the exec: %s.", strerror(-r));
                return r;
        }
        if (process->rows > 0)
                task_resize(t, process->rows, process->columns);
        return 0;
}

/* A task in the list, with its client. The descriptors are taken. */
static int new_exec(Monitor *m, const char *id, unsigned streams, int *fds, size_t n_fds, Task **ret) {
        Task *t = task_new(&m->loop, &m->backlog, m->scratch, m);
        Client *client;
        int r;

        if (!t) {
                wire_close_fds(fds, n_fds);
                return -ENOMEM;
        }
        t->ended = on_exec_ended;
        t->done = on_exec_done;
        t->idle = on_exec_idle;
        t->kill = kill_exec;
        t->number = ++m->n_execs;
        t->stdin_once = true;
        t->spill_directory = m->init->spill_directory;
        snprintf(t->id, sizeof(t->id), "%s", id);
        r = client_new(t, streams, fds, n_fds, &client);
        if (r < 0) {
                task_free(t);
                return r;
        }
        client->kills_task = !(streams & STREAM_DETACHED);
        t->next = m->execs;
        m->execs = t;
        *ret = t;
        return 0;
}

int exec_start(Monitor *m, const char *id, unsigned streams, int *fds, size_t n_fds, const char **ret_text) {
        _cleanup_(runtime_process_freep) RuntimeProcess *process = NULL;
        SandboxError error = { 0 };
        Task *t;
        int r = n_fds < 2 ? -EINVAL : 0;

        if (m->status != MONITOR_STATUS_RUNNING || m->init->reaped) {
                *ret_text = "The container is not running.";
                r = -ESRCH;
        }
        if (r >= 0)
                r = read_process(fds[0], &process, ret_text);
        if (r < 0) {
                wire_close_fds(fds, n_fds);
                return r;
        }
        fd_close(fds[0]);
        r = new_exec(m, id, streams, fds + 1, n_fds - 1, &t);
        if (r < 0)
                return r;
        if (run_process(m, t, process, streams, &error) < 0) {
                server_tell(&m->server, MONITOR_EXEC_EXITED, error.exit_code, 0, t->id, error.text);
                clients_finish(t, CONTROL_FAILED, error.exit_code, error.text);
                scope_exec_remove(&m->scope, t->number);
                task_set_done(t);
                return 0;
        }
        clients_tell(t, CONTROL_STARTED, t->pid, NULL);
        server_tell(&m->server, MONITOR_EXEC_STARTED, 0, t->pid, t->id, NULL);
        return 0;
}

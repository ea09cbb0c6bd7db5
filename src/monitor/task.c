/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Task: see task.h. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor/task.h"
#include "util/io.h"

/* No pipe that a container's root may make is larger (fs.pipe-max-size), and there are two. */
#define DRAIN_MAX ((size_t) 2 * 1024 * 1024)
#define LOG_READ_SIZE ((size_t) 8192)
#define LOG_READ_SIZE_QUEUED ((size_t) 1024)

static void on_exit_event(void *userdata, uint32_t events);
static void on_input_event(void *userdata, uint32_t events);
static void on_output_event(void *userdata, uint32_t events);
static void on_drain(void *userdata);
static void on_goodbye(void *userdata);

Task *task_new(Loop *loop, Backlog *backlog, char *scratch, void *userdata) {
        Task *t = calloc(1, sizeof(Task));

        if (!t)
                return NULL;
        t->loop = loop;
        t->backlog = backlog;
        t->scratch = scratch;
        t->userdata = userdata;
        t->slave = -EBADF;
        t->exit = (LoopSource) { .fd = -EBADF, .handler = on_exit_event, .userdata = t };
        t->input = (LoopSource) { .fd = -EBADF, .handler = on_input_event, .userdata = t };
        for (LogStream s = LOG_STDOUT; s <= LOG_STDERR; s++)
                t->outputs[s] = (Output) {
                        .task = t,
                        .stream = s,
                        .source = { .fd = -EBADF, .handler = on_output_event, .userdata = &t->outputs[s] },
                };
        t->drain = (LoopTimer) { .handler = on_drain, .userdata = t };
        t->goodbye = (LoopTimer) { .handler = on_goodbye, .userdata = t };
        return t;
}

static void source_close(Task *t, LoopSource *source) {
        (void) loop_watch(t->loop, source, 0);
        source->fd = fd_close(source->fd);
}

Task *task_free(Task *t) {
        if (!t)
                return NULL;
        clients_free(t);
        loop_timer_clear(t->loop, &t->drain);
        loop_timer_clear(t->loop, &t->goodbye);
        source_close(t, &t->exit);
        source_close(t, &t->input);
        fd_close(t->slave);
        for (size_t i = 0; i < N_ELEMENTS(t->outputs); i++) {
                source_close(t, &t->outputs[i].source);
                free(t->outputs[i].lines.pending);
        }
        free(t);
        return NULL;
}

/* One pipe; our end does not block, the process's end (a description of its own) does. */
static int make_pipe(int *ret_ours, int *ret_theirs, bool we_write) {
        int fds[2], r;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        *ret_ours = fds[we_write];
        *ret_theirs = fds[!we_write];
        r = fd_set_nonblock(*ret_ours, true);
        return r;
}

int task_make_pipes(Task *t, unsigned streams, int ret_stdio[3]) {
        int *ours[] = { &t->input.fd, &t->outputs[LOG_STDOUT].source.fd, &t->outputs[LOG_STDERR].source.fd };

        for (int i = 0; i < 3; i++) {
                int r = 0, access = i == STDIN_FILENO ? O_RDONLY : O_WRONLY;
                ret_stdio[i] = -EBADF;
                if (streams & (1u << i))
                        r = make_pipe(ours[i], &ret_stdio[i], i == STDIN_FILENO);
                else
                        ret_stdio[i] = open("/dev/null", access | O_CLOEXEC | O_NOCTTY);
                if (r >= 0 && ret_stdio[i] < 0)
                        r = -errno;
                if (r < 0) {
                        while (i >= 0)
                                fd_close(ret_stdio[i--]);
                        return r;
                }
        }
        return 0;
}

static int copy_fd(int fd) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return copy < 0 ? -errno : copy;
}

/* Two copies of the terminal: one to wait for output on, one for room for input. And its other side: a process that
 * closes its streams and opens /dev/console again, as an init does, has not hung up. Without it that would be the
 * end. */
static int take_terminal(Task *t, int terminal) {
        int r = fd_set_nonblock(terminal, true);

        if (r < 0)
                return r;
        t->terminal = true;
        t->input.fd = copy_fd(terminal);
        t->outputs[LOG_STDOUT].source.fd = copy_fd(terminal);
        t->slave = ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC); /* -1 will do */
        return t->input.fd < 0 ? t->input.fd : MIN_OF(t->outputs[LOG_STDOUT].source.fd, 0);
}

int task_set_process(Task *t, pid_t pid, int pidfd, int terminal) {
        int r = 0;

        t->pid = pid;
        t->exit.fd = copy_fd(pidfd);
        if (t->exit.fd < 0)
                return t->exit.fd;
        if (terminal >= 0)
                r = take_terminal(t, terminal);
        return r < 0 ? r : clients_start_input(t);
}

int task_set_running(Task *t) {
        task_update(t);
        return loop_watch(t->loop, &t->exit, EPOLLIN);
}

int task_signal(Task *t, int signo) {
        if (t->reaped || t->exit.fd < 0)
                return -ESRCH;
        return syscall(SYS_pidfd_send_signal, t->exit.fd, signo, NULL, 0) < 0 ? -errno : 0;
}

void task_resize(Task *t, unsigned rows, unsigned columns) {
        struct winsize size = { .ws_row = (unsigned short) rows, .ws_col = (unsigned short) columns };

        if (t->terminal && t->input.fd >= 0)
                (void) ioctl(t->input.fd, TIOCSWINSZ, &size);
}

/* What is left in the pipe when the process has ended is bounded, and read whatever the clients do: no client delays
 * the report. */
static bool output_has_room(const Output *o) {
        const Task *t = o->task;

        return (!t->log || !journal_is_full(t->log->journal)) && (t->reaped || clients_have_room(t, o->stream));
}

static void on_goodbye(void *userdata) {
        Task *t = userdata;

        t->idle(t);
}

void task_client_gone(Task *t) {
        if (t->is_done && !t->clients)
                loop_timer_set(t->loop, &t->goodbye, 0);
}

void task_set_done(Task *t) {
        t->is_done = true;
        task_client_gone(t);
}

static void check_done(Task *t) {
        if (t->is_done || !t->reaped || t->outputs[LOG_STDOUT].source.fd >= 0 || t->outputs[LOG_STDERR].source.fd >= 0)
                return;
        t->done(t);
        task_set_done(t);
}

void task_update(Task *t) {
        for (size_t i = 0; i < N_ELEMENTS(t->outputs); i++) {
                Output *o = &t->outputs[i];
                bool room = output_has_room(o);
                if (o->source.fd < 0)
                        continue;
                (void) loop_watch(t->loop, &o->source, room ? EPOLLIN : 0);
                /* From the loop, since this may be called by what a drained output called. */
                if (room && t->reaped)
                        loop_timer_set(t->loop, &t->drain, 0);
        }
}

typedef struct LogTarget {
        Output *output;
        JournalLog *log;
        char timestamp[JOURNAL_TIMESTAMP_SIZE];
} LogTarget;

static void log_line_of(void *userdata, const Line *line) {
        LogTarget *target = userdata;
        Output *o = target->output;

        if (line->piece == 1)
                memcpy(o->line_time, target->timestamp, sizeof(o->line_time));
        journal_log_line(target->log, o->stream, line->piece > 1 ? o->line_time : target->timestamp, line);
}

/* Logs what came, or at the end (data NULL) what is left of a line. */
static void output_log(Output *o, const char *data, size_t size) {
        LogTarget target = { .output = o, .log = o->task->log };

        if (!target.log)
                return;
        journal_timestamp(target.timestamp);
        if (!data)
                lines_end(&o->lines, log_line_of, &target);
        else if (lines_feed(&o->lines, data, size, log_line_of, &target) < 0)
                target.log->ordinal++; /* no memory for an unfinished line: a gap, which a reader can see */
        journal_send(target.log->journal);
}

static void output_close(Output *o) {
        source_close(o->task, &o->source);
        output_log(o, NULL, 0);
}

/* How much to read at once. A line of one byte is an entry of 700 in the journal's queue: while that has not gone,
 * small bites. */
static size_t read_size(const Task *t) {
        if (!t->log)
                return TASK_READ_SIZE;
        return journal_is_empty(t->log->journal) ? LOG_READ_SIZE : LOG_READ_SIZE_QUEUED;
}

/* One read. Nothing there after the process's end is the end: whatever it wrote has arrived by then. */
static void output_pump(Output *o) {
        Task *t = o->task;
        size_t size = read_size(t);
        ssize_t n = read(o->source.fd, t->scratch, size);

        if (n < 0 && errno == EINTR)
                return;
        if (n < 0 && errno == EAGAIN) {
                if (t->reaped)
                        output_close(o);
                return;
        }
        if (n <= 0) { /* EIO: the terminal was hung up */
                output_close(o);
                return;
        }
        output_log(o, t->scratch, (size_t) n);
        clients_deliver(t, o->stream, t->scratch, (size_t) n);
        if (t->reaped && (t->n_drained += (size_t) n) > DRAIN_MAX)
                output_close(o); /* somebody it has left behind goes on writing */
        if ((size_t) n > 4096 && (size_t) n < size)
                (void) madvise(t->scratch + 4096, TASK_READ_SIZE - 4096, MADV_DONTNEED); /* the burst is over */
        task_update(t);
}

static void on_output_event(void *userdata, uint32_t events) {
        Output *o = userdata;
        Task *t = o->task;

        output_pump(o);
        check_done(t);
}

static void on_drain(void *userdata) {
        Task *t = userdata;

        for (size_t i = 0; i < N_ELEMENTS(t->outputs); i++)
                if (t->outputs[i].source.fd >= 0 && output_has_room(&t->outputs[i]))
                        output_pump(&t->outputs[i]);
        task_update(t);
        check_done(t);
}

static void on_exit_event(void *userdata, uint32_t events) {
        Task *t = userdata;
        siginfo_t info = { 0 };
        bool stolen = waitid((idtype_t) P_PIDFD, (id_t) t->exit.fd, &info, WEXITED | WNOHANG) < 0;

        if (!stolen && info.si_pid == 0)
                return;
        t->reaped = true;
        t->signal = !stolen && info.si_code != CLD_EXITED ? info.si_status : 0;
        t->code = stolen ? 255 : t->signal > 0 ? 128 + t->signal : info.si_status & 0xff;
        source_close(t, &t->exit);
        t->slave = fd_close(t->slave);
        task_close_input(t);
        t->ended(t);
        task_update(t);
        check_done(t);
}

ssize_t task_write_input(Task *t, const void *data, size_t size) {
        if (t->input.fd < 0)
                return -EPIPE;
        ssize_t n = write(t->input.fd, data, size);
        if (n >= 0)
                return n;
        if (errno == EAGAIN || errno == EINTR) {
                (void) loop_watch(t->loop, &t->input, EPOLLOUT);
                return -EAGAIN;
        }
        return -EPIPE; /* it has closed its stdin; EIO: the terminal was hung up */
}

static void on_input_event(void *userdata, uint32_t events) {
        Task *t = userdata;

        (void) loop_watch(t->loop, &t->input, 0);
        clients_pump_input(t);
}

void task_close_input(Task *t) {
        source_close(t, &t->input);
        clients_close_input(t);
}

/* A terminal has no end while it is there: who wants one types it. */
void task_end_input(Task *t) {
        if (!t->terminal)
                task_close_input(t);
}

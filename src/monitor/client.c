/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Client: see client.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/client.h"
#include "monitor/foreign.h"
#include "monitor/task.h"
#include "util/io.h"
#include "wire/monitor.h"
#include "wire/wire.h"

#define INPUT_SIZE ((size_t) 4096)
#define LEAVING_MAX (16 * INPUT_SIZE)

static bool client_try_finish(Client *c);
static void on_control(void *userdata, uint32_t events);
static void on_departure(void *userdata);
static void on_input(void *userdata, uint32_t events);
static void on_output(void *userdata, uint32_t events);
static void on_stall(void *userdata);
static void on_patience(void *userdata);

static void source_close(Client *c, LoopSource *source) {
        (void) loop_watch(c->task->loop, source, 0);
        source->fd = foreign_close(source->fd);
}

/* `n` bytes of its spill are gone. */
static void stream_spilled_less(ClientStream *s, size_t n) {
        Backlog *b = s->client->task->backlog;

        b->n_spilled -= n;
        if (spill_size(&s->spill) > 0)
                return;
        for (ClientStream **p = &b->spilled; *p; p = &(*p)->next_spilled)
                if (*p == s) {
                        *p = s->next_spilled;
                        break;
                }
}

static void stream_spilled_more(ClientStream *s, size_t n) {
        Backlog *b = s->client->task->backlog;

        b->n_spilled += n;
        if (spill_size(&s->spill) > n)
                return;
        s->next_spilled = b->spilled;
        b->spilled = s;
}

static void stream_drop_spill(ClientStream *s) {
        size_t n = spill_size(&s->spill);

        spill_done(&s->spill);
        if (n > 0)
                stream_spilled_less(s, n);
}

static void stream_close(ClientStream *s) {
        loop_timer_clear(s->client->task->loop, &s->stall);
        loop_timer_clear(s->client->task->loop, &s->patience);
        stream_drop_spill(s);
        s->behind = false;
        source_close(s->client, &s->source);
        free(s->data);
        s->data = NULL;
        s->size = s->start = 0;
}

static void client_free(Client *c) {
        for (Client **p = &c->task->clients; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        break;
                }
        loop_timer_clear(c->task->loop, &c->departure);
        source_close(c, &c->control);
        source_close(c, &c->input);
        for (size_t i = 0; i < N_ELEMENTS(c->output); i++)
                stream_close(&c->output[i]);
        task_client_gone(c->task);
        free(c->typed);
        free(c);
}

/* Begins to read what is typed; of no use where the task has no stdin. */
static int start_input(Client *c) {
        Task *task = c->task;

        if (task->input.fd < 0)
                source_close(c, &c->input);
        if (c->input.fd < 0)
                return 0;
        return loop_watch(task->loop, &c->input, EPOLLIN);
}

int clients_start_input(Task *task) {
        int r = 0;

        for (Client *c = task->clients; c && r >= 0; c = c->next)
                r = start_input(c);
        return r;
}

int client_new(Task *task, unsigned streams, int *fds, size_t n_fds, Client **ret) {
        static const unsigned order[] = { STREAM_STDIN, STREAM_STDOUT, STREAM_STDERR };
        int stdio[N_ELEMENTS(order)], r = streams & STREAM_REPLAY ? -EOPNOTSUPP : 0;
        size_t used = 1;

        for (size_t i = 0; i < N_ELEMENTS(order); i++) {
                bool given = (streams & order[i]) && used < n_fds;
                stdio[i] = given ? fds[used++] : -EBADF;
                if ((streams & order[i]) && !given && r >= 0)
                        r = -EINVAL;
                if (given && r >= 0)
                        r = foreign_check(stdio[i]);
        }
        Client *c = r >= 0 && used == n_fds ? calloc(1, sizeof(Client)) : NULL;
        if (!c) {
                for (size_t i = 0; i < n_fds; i++)
                        fds[i] = foreign_close(fds[i]);
                return r < 0 ? r : used == n_fds ? -ENOMEM : -EINVAL;
        }
        c->task = task;
        c->closes_input = task->stdin_once && stdio[0] >= 0;
        c->departure = (LoopTimer) { .handler = on_departure, .userdata = c };
        c->control = (LoopSource) { .fd = fds[0], .handler = on_control, .userdata = c };
        c->input = (LoopSource) { .fd = stdio[0], .handler = on_input, .userdata = c };
        for (size_t i = 0; i < N_ELEMENTS(c->output); i++)
                c->output[i] = (ClientStream) {
                        .client = c,
                        .source = { .fd = stdio[i + 1], .handler = on_output, .userdata = &c->output[i] },
                        .stall = { .handler = on_stall, .userdata = &c->output[i] },
                        .patience = { .handler = on_patience, .userdata = &c->output[i] },
                        .spill = SPILL_NONE,
                };
        c->next = task->clients;
        task->clients = c;
        r = fd_set_nonblock(c->control.fd, true); /* the client's end is a description of its own */
        if (r >= 0)
                r = loop_watch(task->loop, &c->control, EPOLLIN);
        if (r >= 0 && task->pid > 0)
                r = start_input(c);
        if (r < 0) {
                client_free(c);
                return r;
        }
        *ret = c;
        return 0;
}

static void send_message(Client *c, const ControlMessage *m) {
        /* A client that lets a hundred messages pile up does not want this one either. */
        (void) !send(c->control.fd, m, sizeof(*m), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ControlMessage message_of(ControlType type, int value, const char *text) {
        ControlMessage m = { .magic = CONTROL_MAGIC, .type = type, .value = value };

        if (text)
                snprintf(m.text, sizeof(m.text), "%s", text);
        return m;
}

void client_tell(Client *c, ControlType type, int value, const char *text) {
        ControlMessage m = message_of(type, value, text);

        send_message(c, &m);
}

static void client_detach(Client *c, const char *text) {
        Task *task = c->task;

        client_tell(c, CONTROL_DETACHED, 0, text);
        client_free(c);
        task_update(task);
}

/* The client is gone. */
static void client_hang_up(Client *c) {
        Task *task = c->task;
        bool ends_input = c->closes_input, kills = c->kills_task && !c->finishing;

        client_free(c);
        if (kills)
                task->kill(task);
        if (ends_input)
                task_end_input(task);
        task_update(task);
}

/* Who wants to go after its input may do so now; from the loop, where nobody else holds the client. */
static void check_leaving(Client *c) {
        if (c->leaves && !c->typed && c->input.fd < 0)
                loop_timer_set(c->task->loop, &c->departure, 0);
}

static void on_departure(void *userdata) {
        client_detach(userdata, NULL);
}

/* One read of what it types, and as much of that to the task as it takes; the rest waits in `typed`. 1: there may be
 * more; 0: not now; -ENOMEM. */
static int take_input(Client *c) {
        char data[INPUT_SIZE];
        ssize_t n = foreign_read(c->input.fd, data, sizeof(data)), written;

        if (n == -EAGAIN || n == -EINTR)
                return 0;
        if (n <= 0) {
                source_close(c, &c->input);
                if (c->closes_input) {
                        c->closes_input = false;
                        task_end_input(c->task);
                }
                check_leaving(c);
                return 0;
        }
        written = task_write_input(c->task, data, (size_t) n);
        if (written == n)
                return 1;
        if (written < 0 && written != -EAGAIN) {
                task_close_input(c->task);
                return 0;
        }
        written = MAX_OF(written, (ssize_t) 0);
        c->typed_size = (size_t) (n - written);
        c->typed = malloc(c->typed_size);
        if (!c->typed)
                return -ENOMEM;
        memcpy(c->typed, data + written, c->typed_size);
        (void) loop_watch(c->task->loop, &c->input, 0); /* until clients_pump_input() has got rid of it */
        if (written > 0)
                clients_pump_input(c->task); /* asks to be told of room */
        return 0;
}

/* What it typed before it asked may be in its pipe still, which holds LEAVING_MAX: the task gets what it takes of that
 * without waiting. */
static void client_leave(Client *c, int when) {
        if (when == CONTROL_DETACH_AFTER_INPUT) {
                c->leaves = true;
                check_leaving(c);
                return;
        }
        for (size_t most = 0; most < LEAVING_MAX && c->input.fd >= 0 && !c->typed; most += INPUT_SIZE)
                if (take_input(c) <= 0)
                        break;
        client_detach(c, NULL);
}

static void on_control(void *userdata, uint32_t events) {
        Client *c = userdata;
        ControlMessage m;
        int r = wire_recv(c->control.fd, &m, sizeof(m), NULL, NULL);

        if (r == -EAGAIN || (r > 0 && m.magic != CONTROL_MAGIC) || r == -EBADMSG)
                return;
        if (r <= 0) {
                client_hang_up(c);
                return;
        }
        switch (m.type) {
        case CONTROL_RESIZE:
                task_resize(c->task, m.rows, m.columns);
                break;
        case CONTROL_SIGNAL:
                if (m.value <= 0 || m.value >= NSIG)
                        break;
                if (c->task->signalled)
                        c->task->signalled(c->task, m.value);
                (void) task_signal(c->task, m.value);
                break;
        case CONTROL_DETACH:
                client_leave(c, m.value);
                break;
        case CONTROL_TAKES_REST:
                c->takes_rest = true;
                (void) client_try_finish(c);
                break;
        case CONTROL_READING:
                if (m.value == STDOUT_FILENO || m.value == STDERR_FILENO)
                        c->output[m.value - 1].is_read = true;
                break;
        }
}

static void on_input(void *userdata, uint32_t events) {
        Client *c = userdata;

        if (take_input(c) < 0)
                client_detach(c, "Detached: out of memory.");
}

void clients_pump_input(Task *task) {
        for (Client *c = task->clients; c; c = c->next) {
                if (!c->typed)
                        continue;
                ssize_t n = task_write_input(task, c->typed, c->typed_size);
                if (n == -EAGAIN)
                        return;
                if (n < 0) {
                        task_close_input(task);
                        return;
                }
                c->typed_size -= (size_t) n;
                if (c->typed_size > 0) {
                        memmove(c->typed, c->typed + n, c->typed_size);
                        (void) loop_watch(task->loop, &task->input, EPOLLOUT);
                        return;
                }
                free(c->typed);
                c->typed = NULL;
                (void) loop_watch(task->loop, &c->input, EPOLLIN);
        }
}

void clients_close_input(Task *task) {
        for (Client *c = task->clients; c; c = c->next) {
                source_close(c, &c->input);
                free(c->typed);
                c->typed = NULL;
                c->typed_size = 0;
                check_leaving(c);
        }
}

static bool has_output_left(const Client *c) {
        return c->output[LOG_STDOUT].size > 0 || c->output[LOG_STDERR].size > 0;
}

/* The time starts when output has to wait, and anew whenever some of it was taken. */
static void watch_stall(ClientStream *s) {
        s->taken_at = now_monotonic();
        loop_timer_set(s->client->task->loop, &s->stall, CLIENT_STALL_SEC * USEC_PER_SEC);
}

static void client_give_up(Client *c, const char *text) {
        if (c->closes_input)
                task_end_input(c->task);
        client_detach(c, text);
}

/* Whether anybody has ever read it: more went into it than it holds. One that passes it on reads in any case, and tells
 * us of who reads there. */
static bool stream_is_read(const ClientStream *s) {
        return s->is_read || (!s->client->takes_rest && s->written > foreign_capacity(s->source.fd));
}

static void on_stall(void *userdata) {
        ClientStream *s = userdata;

        if (!stream_is_read(s))
                client_give_up(s->client, "Detached: the output was not read for 10 seconds.");
}

/* Writes what it can. Bytes written; a reader that is gone takes everything, as /dev/null would. */
static size_t stream_write(ClientStream *s, const char *data, size_t size) {
        size_t done = 0;

        while (done < size) {
                ssize_t n = foreign_write(s->source.fd, data + done, size - done);
                if (n == -EINTR)
                        continue;
                if (n == -EAGAIN)
                        break;
                if (n < 0) {
                        stream_close(s);
                        return size;
                }
                done += (size_t) n;
                s->written += (uint64_t) n;
        }
        return done;
}

/* Keeps the rest behind what is kept already. */
static int stream_keep(ClientStream *s, const char *data, size_t size) {
        char *bigger;

        if (s->start > 0) {
                memmove(s->data, s->data + s->start, s->size);
                s->start = 0;
        }
        bigger = realloc(s->data, s->size + size);
        if (!bigger)
                return -ENOMEM;
        s->data = bigger;
        memcpy(s->data + s->size, data, size);
        s->size += size;
        return loop_watch(s->client->task->loop, &s->source, EPOLLOUT);
}

/* The next of what was spilled, for an empty buffer. */
static int stream_refill(ClientStream *s) {
        size_t wanted = MIN_OF(spill_size(&s->spill), CLIENT_BUFFER_MAX);

        s->data = malloc(wanted);
        if (!s->data)
                return -ENOMEM;
        ssize_t n = spill_take(&s->spill, s->data, wanted);
        if (n < 0)
                return (int) n;
        stream_spilled_less(s, (size_t) n);
        s->size = (size_t) n;
        s->behind = spill_size(&s->spill) > 0;
        return 0;
}

/* Room in the buffer is none while there is a spill: what comes goes behind that. */
static bool buffer_has_room(const ClientStream *s) {
        return s->size < CLIENT_BUFFER_MAX && spill_size(&s->spill) == 0;
}

static bool stream_has_room(const ClientStream *s) {
        return buffer_has_room(s) || (s->behind && s->client->task->backlog->n_spilled < SPILL_MAX);
}

/* Of those that take nothing, the one with most in its spill. NULL: none takes nothing for long enough; the first will
 * have done so in *ret_usec. */
static ClientStream *find_deaf(const Backlog *b, uint64_t *ret_usec) {
        uint64_t now = now_monotonic(), least = CLIENT_DEAF_USEC;
        ClientStream *deaf = NULL;

        for (ClientStream *s = b->spilled; s; s = s->next_spilled)
                if (now - s->taken_at < CLIENT_DEAF_USEC)
                        least = MIN_OF(least, CLIENT_DEAF_USEC - (now - s->taken_at));
                else if (!deaf || spill_size(&s->spill) > spill_size(&deaf->spill))
                        deaf = s;
        *ret_usec = least;
        return deaf;
}

/* All that may be kept is kept, and the log or another client waits for this one: who takes nothing goes now. Not so
 * where a client waits for its own output alone. */
static void make_room(ClientStream *waiting) {
        Task *t = waiting->client->task;
        Backlog *b = t->backlog;
        ClientStream *deaf;
        uint64_t usec = 0;

        while (b->n_spilled >= SPILL_MAX && (deaf = find_deaf(b, &usec))) {
                bool is_this = deaf->client == waiting->client;
                client_give_up(deaf->client, "Detached: the output was not read, and 64 MiB of it wait.");
                if (is_this)
                        return;
        }
        loop_timer_set(t->loop, &waiting->patience, usec); /* 0: there is room again */
}

/* The first stream that all wait for. */
static ClientStream *find_waiting(Task *t) {
        if (t->reaped || !t->clients || (!t->log && !t->clients->next))
                return NULL;
        for (Client *c = t->clients; c; c = c->next)
                for (size_t i = 0; i < N_ELEMENTS(c->output); i++)
                        if (c->output[i].behind && !stream_has_room(&c->output[i]))
                                return &c->output[i];
        return NULL;
}

/* Its buffer has been full for a while. Who takes little from it does not set the pace of all. */
static void on_patience(void *userdata) {
        ClientStream *s = userdata;
        Task *t = s->client->task;

        if (buffer_has_room(s))
                return;
        if (!s->behind && s->taken >= CLIENT_PACE) {
                s->taken = 0;
                loop_timer_set(t->loop, &s->patience, CLIENT_PATIENCE_USEC);
                return;
        }
        s->behind = true;
        s = find_waiting(t);
        if (s)
                make_room(s);
        task_update(t);
}

/* What the client did not take at once: behind what waits already. */
static int stream_wait(ClientStream *s, const char *data, size_t size) {
        Task *t = s->client->task;
        int r;

        if (spill_size(&s->spill) > 0 || (s->behind && s->size >= CLIENT_BUFFER_MAX)) {
                r = spill_append(&s->spill, t->spill_directory, data, size);
                if (r >= 0)
                        stream_spilled_more(s, size);
                return r;
        }
        r = stream_keep(s, data, size);
        if (r >= 0 && s->size >= CLIENT_BUFFER_MAX && s->patience.deadline == 0) {
                s->taken = 0;
                loop_timer_set(t->loop, &s->patience, CLIENT_PATIENCE_USEC);
        }
        return r;
}

/* Gives the client what its stream has left, as a file. Where that fails it waits on, as it would without. */
static int stream_hand_over(ClientStream *s, int number) {
        ControlMessage m = message_of(CONTROL_REST, number, NULL);
        const char *directory = s->client->task->spill_directory;
        _cleanup_close_ int fd = spill_hand_over(&s->spill, directory, s->data + s->start, s->size, &m.rest.at);

        if (fd < 0)
                return fd;
        m.rest.size = s->size + spill_size(&s->spill);
        m.rest.end = SPILL_RING;
        int r = wire_send(s->client->control.fd, &m, sizeof(m), &fd, 1);
        if (r >= 0)
                stream_close(s);
        return r;
}

/* A client whose last bytes are out gets its farewell. True: it is gone. */
static bool client_try_finish(Client *c) {
        if (!c->finishing)
                return false;
        for (int i = LOG_STDOUT; i <= LOG_STDERR && c->takes_rest; i++)
                if (c->output[i].size > 0 && stream_hand_over(&c->output[i], i + 1) < 0)
                        break;
        if (has_output_left(c))
                return false;
        for (size_t i = 0; i < N_ELEMENTS(c->output); i++)
                stream_close(&c->output[i]); /* the client sees the end of its streams, then the farewell */
        send_message(c, &c->farewell);
        client_free(c);
        return true;
}

/* The client took `n` of what waits. */
static int stream_taken(ClientStream *s, size_t n) {
        Task *t = s->client->task;

        s->start += n;
        s->size -= n;
        s->taken += n;
        t->backlog->n_taken += n;
        if (n > 0)
                watch_stall(s);
        if (s->size > 0)
                return 0;
        free(s->data);
        s->data = NULL;
        s->start = 0;
        if (spill_size(&s->spill) > 0)
                return stream_refill(s);
        s->behind = false;
        (void) loop_watch(t->loop, &s->source, 0);
        loop_timer_clear(t->loop, &s->stall);
        return 0;
}

static void on_output(void *userdata, uint32_t events) {
        ClientStream *s = userdata;
        Client *c = s->client;
        Task *task = c->task;
        size_t n = stream_write(s, s->data + s->start, s->size);

        if (s->source.fd >= 0 && stream_taken(s, n) < 0) {
                client_detach(c, "Detached: what it has not read yet is lost.");
                return;
        }
        (void) client_try_finish(c);
        task_update(task);
}

void clients_deliver(Task *task, LogStream stream, const char *data, size_t size) {
        for (Client *c = task->clients, *next; c; c = next) {
                ClientStream *s = &c->output[stream];
                next = c->next;
                if (s->source.fd < 0)
                        continue;
                bool waiting = s->size > 0;
                size_t n = waiting ? 0 : stream_write(s, data, size);
                if (n == size)
                        continue;
                int r = stream_wait(s, data + n, size - n);
                if (r < 0) {
                        client_tell(c, CONTROL_DETACHED, 0, r == -ENOMEM ? "Detached: out of memory." :
                                    "Detached: there is no room to keep what it has not read yet.");
                        client_free(c);
                } else if (!waiting)
                        watch_stall(s);
        }
        ClientStream *waiting = find_waiting(task);
        if (waiting)
                make_room(waiting);
}

bool clients_have_room(const Task *task, LogStream stream) {
        for (Client *c = task->clients; c; c = c->next)
                if (!stream_has_room(&c->output[stream]))
                        return false;
        return true;
}

void clients_tell(Task *task, ControlType type, int value, const char *text) {
        for (Client *c = task->clients; c; c = c->next)
                client_tell(c, type, value, text);
}

void clients_finish(Task *task, ControlType type, int value, const char *text) {
        for (Client *c = task->clients, *next; c; c = next) {
                next = c->next;
                c->finishing = true;
                c->closes_input = false;
                c->farewell = message_of(type, value, text);
                source_close(c, &c->input);
                (void) client_try_finish(c);
        }
}

void clients_free(Task *task) {
        while (task->clients)
                client_free(task->clients);
}

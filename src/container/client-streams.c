/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client's streams: see client-streams.h. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "container/bus-errors.h"
#include "container/client-streams.h"
#include "util/strv.h"
#include "wire/control.h"
#include "wire/errors.h"
#include "wire/monitor.h"
#include "wire/wire.h"

static const char *const stream_names[3] = { "stdin", "stdout", "stderr" };

void client_streams_done(ClientStreams *s) {
        s->control = fd_close(s->control);
        wire_close_fds(s->fds, N_ELEMENTS(s->fds));
}

static bool is_stream_socket(int fd) {
        int type, listens;
        socklen_t size = sizeof(int);

        return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) >= 0 && type == SOCK_STREAM &&
               getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) >= 0 && !listens;
}

/* A regular file cannot be waited for, a device or directory may do anything: the client pumps those itself. */
static int check_stream(int fd, unsigned index, sd_bus_error *error) {
        const char *name = stream_names[index];
        struct stat st;
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fstat(fd, &st) < 0)
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "The descriptor for %s cannot be used: %m",
                                         name);
        if (flags & O_PATH || (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)))
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION,
                                         "The descriptor for %s is neither a pipe nor a socket; pass one end of "
                                         "a pipe.", name);
        if (S_ISSOCK(st.st_mode) && !is_stream_socket(fd))
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION,
                                         "The descriptor for %s is a socket, but not one of a connected stream.", name);
        int mode = flags & O_ACCMODE;
        if (mode != O_RDWR && mode != (index == 0 ? O_RDONLY : O_WRONLY))
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION,
                                         "The descriptor for %s is the wrong end of a pipe: it is not open for %s.",
                                         name, index == 0 ? "reading" : "writing");
        return 0;
}

static int read_stream(sd_bus_message *m, ClientStreams *s, sd_bus_error *error) {
        const char *name;
        unsigned i = 0;
        int fd, r;

        r = sd_bus_message_read(m, "sh", &name, &fd);
        if (r < 0)
                return r;
        while (i < N_ELEMENTS(stream_names) && !streq(stream_names[i], name))
                i++;
        if (i == N_ELEMENTS(stream_names))
                return bus_refuse(error, BERTH_ERROR_BAD_OPTION,
                                  "There is no stream \"%.64s\"; there are stdin, stdout, stderr.", name);
        if (s->fds[i] >= 0)
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "The stream %s is given twice.", name);
        r = check_stream(fd, i, error);
        if (r < 0)
                return r;
        s->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return s->fds[i] < 0 ? -errno : 0;
}

int client_streams_read(sd_bus_message *m, ClientStreams *ret, sd_bus_error *error) {
        _cleanup_(client_streams_done) ClientStreams s = CLIENT_STREAMS_NONE;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sh}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sh")) > 0) {
                r = read_stream(m, &s, error);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = s;
        s = (ClientStreams) CLIENT_STREAMS_NONE;
        return 0;
}

int client_streams_names(const ClientStreams *s, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < N_ELEMENTS(s->fds); i++)
                if (s->fds[i] >= 0)
                        r = strv_extend(&names, stream_names[i]);
        if (r >= 0)
                *ret = TAKE(names);
        return r;
}

int client_streams_open(ClientStreams *s) {
        int pair[2], r;

        r = wire_pair(pair);
        if (r < 0)
                return r;
        s->control = pair[0];
        return pair[1];
}

uint32_t client_streams_list(const ClientStreams *s, int fds[static 4], size_t *ret_n) {
        uint32_t flags = s->detached ? STREAM_DETACHED : 0;
        size_t n = 0;

        fds[n++] = s->control;
        for (unsigned i = 0; i < N_ELEMENTS(s->fds); i++)
                if (s->fds[i] >= 0) {
                        fds[n++] = s->fds[i];
                        flags |= 1u << i; /* STREAM_STDIN, STREAM_STDOUT, STREAM_STDERR */
                }
        *ret_n = n;
        return flags;
}

void client_streams_fail(ClientStreams *s, int exit_code, const char *text) {
        if (s->control >= 0) {
                ControlMessage m = { .magic = CONTROL_MAGIC, .type = CONTROL_FAILED, .value = exit_code };
                snprintf(m.text, sizeof(m.text), "%s", text);
                (void) wire_send(s->control, &m, sizeof(m), NULL, 0); /* a client that has gone need not know */
        }
        client_streams_done(s);
}

int client_queue_add(ClientQueue *q, ClientStreams *s) {
        if (q->n >= CLIENT_QUEUE_MAX)
                return -EBUSY;
        ClientStreams *longer = reallocarray(q->clients, q->n + 1, sizeof(ClientStreams));
        if (!longer)
                return -ENOMEM;
        longer[q->n++] = *s;
        q->clients = longer;
        *s = (ClientStreams) CLIENT_STREAMS_NONE;
        return 0;
}

void client_queue_done(ClientQueue *q) {
        for (size_t i = 0; i < q->n; i++)
                client_streams_done(&q->clients[i]);
        free(q->clients);
        *q = (ClientQueue) { 0 };
}

void client_queue_fail(ClientQueue *q, int exit_code, const char *text) {
        for (size_t i = 0; i < q->n; i++)
                client_streams_fail(&q->clients[i], exit_code, text);
        client_queue_done(q);
}

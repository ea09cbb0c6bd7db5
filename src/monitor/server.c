/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections with berthd: see server.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "monitor/monitor.h"
#include "util/io.h"
#include "wire/wire.h"

struct Connection {
        Connection *next;
        Server *server;
        LoopSource source;
        bool deaf; /* the peer has closed; what it had sent before is still read */
};

static void connection_free(Connection *c) {
        Server *s = c->server;

        for (Connection **p = &s->connections; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        break;
                }
        (void) loop_watch(&s->monitor->loop, &c->source, 0);
        fd_close(c->source.fd);
        free(c);
}

static MonitorEvent event_of(Server *s, MonitorEventType type, int value, const char *text) {
        Monitor *m = s->monitor;
        MonitorEvent e = {
                .magic = MONITOR_MAGIC,
                .type = type,
                .status = m->status,
                .value = value,
                .pid = m->status == MONITOR_STATUS_RUNNING ? m->init->pid : 0,
                .realtime_usec = now_realtime(),
                .started_usec = m->record.started,
                .finished_usec = m->record.finished,
                .log_ordinal = m->log.ordinal,
                .restart_count = m->restarts.count,
                .signal = m->record.signal,
                .oom_killed = m->record.oom_killed,
        };

        snprintf(e.text, sizeof(e.text), "%s", text ? text : "");
        return e;
}

/* False: the connection is no more. */
static bool connection_send(Connection *c, const MonitorEvent *e) {
        int r = c->deaf ? 0 : wire_send(c->source.fd, e, sizeof(*e), NULL, 0);

        c->deaf = c->deaf || r == -EPIPE || r == -ECONNRESET;
        if (r >= 0 || c->deaf)
                return true;
        connection_free(c);
        return false;
}

void server_tell(Server *s, MonitorEventType type, int value, int pid, const char *id, const char *text) {
        MonitorEvent e = event_of(s, type, value, text);

        if (pid > 0)
                e.pid = pid;
        snprintf(e.id, sizeof(e.id), "%s", id ? id : "");
        for (Connection *c = s->connections, *next; c; c = next) {
                next = c->next;
                (void) connection_send(c, &e);
        }
}

static int serve_go(Monitor *m, const MonitorRequest *r, int *fds, size_t n_fds, const char **ret_text) {
        return monitor_go(m, ret_text);
}

static int serve_abort(Monitor *m, const MonitorRequest *r, int *fds, size_t n_fds, const char **ret_text) {
        return monitor_abort(m, r->text);
}

static int serve_attach(Monitor *m, const MonitorRequest *r, int *fds, size_t n_fds, const char **ret_text) {
        return monitor_attach(m, r->streams, fds, n_fds, ret_text);
}

static int serve_exec(Monitor *m, const MonitorRequest *r, int *fds, size_t n_fds, const char **ret_text) {
        return exec_start(m, r->id, r->streams, fds, n_fds, ret_text);
}

static int serve_signal(Monitor *m, const MonitorRequest *r, int *fds, size_t n_fds, const char **ret_text) {
        return r->value > 0 && r->value < NSIG ? monitor_signal(m, r->value, ret_text) : -EINVAL;
}

static int serve_stop(Monitor *m, const MonitorRequest *r, int *fds, size_t n_fds, const char **ret_text) {
        if (r->value < 0 || r->value >= NSIG)
                return -EINVAL;
        if (m->stop == STOP_NONE)
                m->stopper = r->caller;
        return monitor_stop(m, r->value, r->timeout_sec == -1 ? m->stop_timeout : r->timeout_sec,
                            r->origin[0] ? r->origin : "client");
}

static int serve_policy(Monitor *m, const MonitorRequest *r, int *fds, size_t n_fds, const char **ret_text) {
        char why[RESTART_TEXT_MAX];

        return restart_policy_parse(r->text, &m->restarts.policy, why);
}

static const struct {
        int (*serve)(Monitor *m, const MonitorRequest *r, int *fds, size_t n_fds, const char **ret_text);
        bool takes_fds; /* closes them in any case */
} requests[] = {
        [MONITOR_GO]     = { serve_go,     false },
        [MONITOR_ABORT]  = { serve_abort,  false },
        [MONITOR_ATTACH] = { serve_attach, true  },
        [MONITOR_EXEC]   = { serve_exec,   true  },
        [MONITOR_SIGNAL] = { serve_signal, false },
        [MONITOR_STOP]   = { serve_stop,   false },
        [MONITOR_POLICY] = { serve_policy, false },
};

static void on_request(void *userdata, uint32_t events) {
        Connection *c = userdata;
        Server *s = c->server;
        MonitorRequest request;
        int fds[WIRE_FDS_MAX], r;
        size_t n_fds = N_ELEMENTS(fds);
        const char *text = NULL;

        r = wire_recv(c->source.fd, &request, sizeof(request), fds, &n_fds);
        if (r == -EAGAIN)
                return;
        if (r <= 0) {
                connection_free(c);
                return;
        }
        /* Texts end somewhere, whatever came. */
        request.id[sizeof(request.id) - 1] = '\0';
        request.origin[sizeof(request.origin) - 1] = '\0';
        request.text[sizeof(request.text) - 1] = '\0';
        caller_terminate(&request.caller);
        bool known = request.magic == MONITOR_MAGIC && request.type > 0 && request.type < N_ELEMENTS(requests);
        if (!known || !requests[request.type].takes_fds)
                wire_close_fds(fds, n_fds);
        r = known ? requests[request.type].serve(s->monitor, &request, fds, n_fds, &text) : -EBADMSG;

        /* The request may have led to events, and one that could not be sent to the end of this connection. */
        for (Connection *p = s->connections; p; p = p->next)
                if (p == c) {
                        if (r < 0 && !text)
                                text = strerror(-r);
                        MonitorEvent ack = event_of(s, MONITOR_ACK, MIN_OF(r, 0), text);
                        ack.cookie = request.cookie;
                        (void) connection_send(c, &ack);
                        break;
                }
        monitor_check_end(s->monitor);
}

static void on_connect(void *userdata, uint32_t events) {
        Server *s = userdata;
        _cleanup_close_ int fd = accept4(s->listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        Connection *c = fd < 0 ? NULL : calloc(1, sizeof(Connection));

        if (!c)
                return;
        *c = (Connection) {
                .next = s->connections,
                .server = s,
                .source = { .fd = TAKE_FD(fd), .handler = on_request, .userdata = c },
        };
        s->connections = c;
        if (loop_watch(&s->monitor->loop, &c->source, EPOLLIN) < 0) {
                connection_free(c);
                return;
        }
        MonitorEvent state = event_of(s, MONITOR_STATE, s->monitor->record.exit_code, s->monitor->record.error);
        if (connection_send(c, &state) && s->monitor->status == MONITOR_STATUS_PREPARING && s->monitor->sandbox) {
                MonitorEvent prepared = event_of(s, MONITOR_PREPARED, 0, NULL);
                (void) connection_send(c, &prepared);
        }
}

int server_init(Server *s, Monitor *m, int listen_fd) {
        *s = (Server) {
                .monitor = m,
                .listen = { .fd = listen_fd, .handler = on_connect, .userdata = s },
        };
        int r = fd_set_nonblock(listen_fd, true);
        return r < 0 ? r : loop_watch(&m->loop, &s->listen, EPOLLIN);
}

void server_done(Server *s) {
        while (s->connections)
                connection_free(s->connections);
        (void) loop_watch(&s->monitor->loop, &s->listen, 0);
        s->listen.fd = fd_close(s->listen.fd);
}

bool server_has_connections(const Server *s) {
        for (const Connection *c = s->connections; c; c = c->next)
                if (!c->deaf)
                        return true;
        return false;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to berth-spawn: see spawn-client.h. */
#include <string.h>

#include "container/spawn-client.h"
#include "util/strv.h"
#include "wire/wire.h"

typedef struct SpawnRequest SpawnRequest;
struct SpawnRequest {
        SpawnRequest *next;
        char id[SPAWN_ID_MAX];
        SpawnDone done; /* NULL: cancelled, the answer's descriptor is closed */
        void *userdata;
};

struct SpawnClient {
        sd_event *event;
        char *path;
        int fd;
        sd_event_source *source;
        SpawnRequest *requests;
};

int spawn_client_new(sd_event *event, const char *path, SpawnClient **ret) {
        _cleanup_(spawn_client_freep) SpawnClient *s = calloc(1, sizeof(SpawnClient));

        if (!s)
                return -ENOMEM;
        s->fd = -EBADF;
        s->event = sd_event_ref(event);
        s->path = strdup(path);
        if (!s->path)
                return -ENOMEM;
        *ret = TAKE(s);
        return 0;
}

static void disconnect(SpawnClient *s) {
        s->source = sd_event_source_disable_unref(s->source);
        s->fd = fd_close(s->fd);
}

SpawnClient *spawn_client_free(SpawnClient *s) {
        if (!s)
                return NULL;
        disconnect(s);
        while (s->requests) {
                SpawnRequest *q = s->requests;
                s->requests = q->next;
                free(q);
        }
        free(s->path);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}

/* berth-spawn is gone: what was asked of it has no answer. */
static void fail_all(SpawnClient *s) {
        SpawnRequest *q = TAKE(s->requests);

        disconnect(s);
        while (q) {
                SpawnRequest *next = q->next;
                if (q->done)
                        q->done(-ECONNRESET, 0, -EBADF, q->userdata);
                free(q);
                q = next;
        }
}

static void answer(SpawnClient *s, const SpawnMessage *m, int pidfd) {
        for (SpawnRequest **p = &s->requests; *p; p = &(*p)->next) {
                SpawnRequest *q = *p;
                if (strncmp(q->id, m->id, sizeof(q->id)) != 0)
                        continue;
                *p = q->next;
                if (!q->done)
                        fd_close(pidfd);
                else if (m->value < 0 || pidfd < 0) {
                        fd_close(pidfd);
                        q->done(m->value < 0 ? m->value : -EBADMSG, 0, -EBADF, q->userdata);
                } else
                        q->done(0, m->pid, pidfd, q->userdata);
                free(q);
                return;
        }
        fd_close(pidfd);
}

static int on_message(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        SpawnClient *s = userdata;
        SpawnMessage m;
        int pidfd = -EBADF;
        size_t n_fds = 1;
        int r;

        r = wire_recv(fd, &m, sizeof(m), &pidfd, &n_fds);
        if (r == -EAGAIN)
                return 0;
        if (r <= 0 || m.magic != SPAWN_MAGIC) {
                fd_close(r > 0 && n_fds > 0 ? pidfd : -EBADF);
                fail_all(s);
                return 0;
        }
        /* SPAWN_DIED: a container watches its monitor by pidfd, which tells the same and also while berth-spawn is
         * away. */
        if (m.type == SPAWN_STARTED)
                answer(s, &m, n_fds > 0 ? pidfd : -EBADF);
        else if (n_fds > 0)
                fd_close(pidfd);
        return 0;
}

static int ensure_connected(SpawnClient *s) {
        int r;

        if (s->fd >= 0)
                return 0;
        s->fd = wire_connect(s->path);
        if (s->fd < 0)
                return s->fd;
        r = fd_set_nonblock(s->fd, true);
        if (r >= 0)
                r = sd_event_add_io(s->event, &s->source, s->fd, EPOLLIN, on_message, s);
        if (r >= 0)
                r = sd_event_source_set_priority(s->source, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0)
                disconnect(s);
        return r;
}

int spawn_client_start(SpawnClient *s, const char *id, int bundle_fd, int listen_fd, SpawnDone done, void *userdata) {
        SpawnMessage m = { .magic = SPAWN_MAGIC, .type = SPAWN_MONITOR };
        int r = -ENOTCONN;

        for (SpawnRequest *q = s->requests; q; q = q->next)
                if (streq(q->id, id))
                        return -EBUSY;
        _cleanup_free_ SpawnRequest *q = calloc(1, sizeof(SpawnRequest));
        if (!q)
                return -ENOMEM;
        if (strlen(id) >= sizeof(m.id))
                return -EINVAL;
        strcpy(m.id, id);
        strcpy(q->id, id);
        q->done = done;
        q->userdata = userdata;
        /* A connection may have been lost without our having read so yet: then once more over a new one. But while others
         * wait for answers, which may still be in the old one, this request fails with them when we read its end. */
        for (unsigned attempt = 0; attempt < 2; attempt++) {
                r = ensure_connected(s);
                if (r >= 0)
                        r = wire_send(s->fd, &m, sizeof(m), (const int[]) { bundle_fd, listen_fd }, 2);
                if ((r == -EPIPE || r == -ECONNRESET) && s->requests)
                        r = 0;
                if (r >= 0 || r == -EAGAIN)
                        break;
                disconnect(s);
        }
        if (r < 0)
                return r;
        q->next = s->requests;
        s->requests = TAKE(q);
        return 0;
}

void spawn_client_cancel(SpawnClient *s, void *userdata) {
        for (SpawnRequest *q = s->requests; q; q = q->next)
                if (q->userdata == userdata)
                        q->done = NULL;
}

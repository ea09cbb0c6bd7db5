/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Door: see door.h. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/container-service.h"
#include "daemon/door.h"
#include "util/cgroup.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/service.h"
#include "wire/wire.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

typedef struct Visitor Visitor;

struct Door {
        Manager *manager;
        Visitor *visitors; /* who have said nothing yet */
};

struct Visitor {
        Door *door;
        Visitor *next, *previous;
        sd_event_source *source;
        ServiceCaller caller;
};

static Visitor *visitor_free(Visitor *v) {
        if (!v)
                return NULL;
        if (v->previous)
                v->previous->next = v->next;
        else if (v->door->visitors == v)
                v->door->visitors = v->next;
        if (v->next)
                v->next->previous = v->previous;
        sd_event_source_disable_unref(v->source);
        service_caller_done(&v->caller);
        free(v);
        return NULL;
}
DEFINE_FREEP(Visitor, visitor_free)

/* Its pid, and a pidfd that makes it last. */
static int find_peer(ServiceCaller *caller) {
        struct ucred peer;
        socklen_t size = sizeof(peer);
        int fd = -EBADF;

        if (getsockopt(caller->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;
        if (peer.uid != 0 || peer.pid <= 0)
                return -EPERM;
        caller->pid = peer.pid;
        size = sizeof(fd);
        if (getsockopt(caller->fd, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) < 0) /* Linux 6.5 */
                fd = (int) syscall(SYS_pidfd_open, peer.pid, 0);
        if (fd < 0)
                return -errno;
        caller->pidfd = fd;
        return 0;
}

/* The name of the unit whose cgroup the process is in itself: what runs in the container is below it. */
static int read_unit(pid_t pid, char **ret) {
        _cleanup_free_ char *text = NULL, *cgroup = NULL;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%i/cgroup", (int) pid);
        int r = fs_read_file(AT_FDCWD, path, 65536, &text, NULL);
        if (r >= 0)
                r = cgroup_path_parse(text, &cgroup);
        if (r < 0)
                return r;
        *ret = strdup(strrchr(cgroup, '/') + 1);
        return *ret ? 0 : -ENOMEM;
}

/* One whose peer has closed it may have come from a process of the same number. */
static bool is_connected(int fd) {
        char byte;

        return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void refuse(Visitor *v, const char *name, const char *text) {
        log_warning("berth@%s.service is not served: %s", name, text);
        service_caller_refuse(&v->caller, text);
}

/* What there is to be said of an instance that is no container. */
static void refuse_unknown(Visitor *v, const char *name) {
        char text[SERVICE_TEXT_MAX];

        snprintf(text, sizeof(text), "No such container: %.200s%s", name,
                 strchr(name, '\\') ? " (the instance is the container's name as it is, without escapes)" : "");
        refuse(v, name, text);
}

static void serve(Visitor *v, const char *name) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *unit = NULL, *expected = NULL;
        int r;

        r = find_peer(&v->caller);
        if (r >= 0)
                r = read_unit(v->caller.pid, &unit);
        if (r >= 0)
                r = container_service_unit(name, &expected);
        if (r < 0 || !streq(unit, expected) || !is_connected(v->caller.fd)) {
                refuse(v, name, "Only the main process of that unit is told.");
                return;
        }
        Container *c = manager_container_by_name(v->door->manager, name);
        if (!c) {
                refuse_unknown(v, name);
                return;
        }
        r = container_start_service(c, &v->caller, &error);
        if (r == -EAGAIN)
                service_caller_put_off(&v->caller);
        else if (r < 0)
                refuse(v, name, error.message ? error.message : strerror(-r));
}

static int on_word(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        _cleanup_(visitor_freep) Visitor *v = userdata; /* one word each */
        ServiceMessage m;
        int r = wire_recv(fd, &m, sizeof(m), NULL, NULL);

        if (r == -EAGAIN) {
                TAKE(v);
                return 0;
        }
        if (r <= 0 || m.magic != SERVICE_MAGIC || m.type != SERVICE_HELLO)
                return 0; /* it only wanted us to be here, and we are */
        m.text[sizeof(m.text) - 1] = '\0';
        v->source = sd_event_source_disable_unref(v->source); /* the descriptor may go to the run */
        serve(v, m.text);
        return 0;
}

static int on_knock(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        _cleanup_(visitor_freep) Visitor *v = NULL;
        Door *d = userdata;

        _cleanup_close_ int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer < 0)
                return 0;
        v = calloc(1, sizeof(Visitor));
        if (!v)
                return 0;
        *v = (Visitor) { .door = d, .next = d->visitors, .caller = SERVICE_CALLER_NONE };
        if (d->visitors)
                d->visitors->previous = v;
        d->visitors = v;
        v->caller.fd = TAKE_FD(peer);
        if (sd_event_add_io(d->manager->host.event, &v->source, v->caller.fd, EPOLLIN, on_word, v) >= 0)
                TAKE(v);
        return 0;
}

int door_new(Manager *m, Door **ret) {
        Door *d = calloc(1, sizeof(Door));

        if (!d)
                return -ENOMEM;
        d->manager = m;
        *ret = d;
        return 0;
}

Door *door_free(Door *d) {
        if (!d)
                return NULL;
        while (d->visitors)
                visitor_free(d->visitors);
        free(d);
        return NULL;
}

int door_add(Door *d, int listen_fd) {
        int r = fd_set_nonblock(listen_fd, true);

        return r < 0 ? r : sd_event_add_io(d->manager->host.event, NULL, listen_fd, EPOLLIN, on_knock, d);
}

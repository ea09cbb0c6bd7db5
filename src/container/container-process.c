/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to a monitor: see container-process.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "container/container-process.h"
#include "util/fs.h"
#include "util/strv.h"
#include "wire/wire.h"

/* Before anything that a client sent: who heard from the monitor that its container runs finds it running here, too. */
#define PRIORITY_MESSAGES (SD_EVENT_PRIORITY_IMPORTANT - 10)
#define PRIORITY_DEATH (SD_EVENT_PRIORITY_IMPORTANT - 9)
#define RECONNECTS_MAX 3

struct ContainerProcess {
        sd_event *event;
        char *path;
        int fd, pidfd;
        sd_event_source *messages, *death;
        unsigned reconnects;
        uint32_t cookie;
        bool *freed; /* set while a callback runs that may free us */
        ProcessEvent callback;
        void *userdata;
};

/* Delivers what there is. 1: the connection stands; 0: it was closed; -ESTALE: the callback freed the process. */
static int deliver(ContainerProcess *p) {
        bool freed = false;

        for (;;) {
                MonitorEvent e;
                int r = wire_recv(p->fd, &e, sizeof(e), NULL, NULL);
                if (r == -EAGAIN)
                        return 1;
                if (r <= 0 || e.magic != MONITOR_MAGIC)
                        return 0;
                e.text[sizeof(e.text) - 1] = '\0';
                e.id[sizeof(e.id) - 1] = '\0';
                p->freed = &freed;
                p->callback(&e, p->userdata);
                if (freed)
                        return -ESTALE;
                p->freed = NULL;
        }
}

static int on_message(sd_event_source *source, int fd, uint32_t events, void *userdata);

static void disconnect(ContainerProcess *p) {
        p->messages = sd_event_source_disable_unref(p->messages);
        p->fd = fd_close(p->fd);
}

static int connect_to(ContainerProcess *p) {
        int r;

        p->fd = wire_connect(p->path);
        if (p->fd < 0)
                return p->fd;
        r = fd_set_nonblock(p->fd, true);
        if (r >= 0)
                r = sd_event_add_io(p->event, &p->messages, p->fd, EPOLLIN, on_message, p);
        if (r >= 0)
                r = sd_event_source_set_priority(p->messages, PRIORITY_MESSAGES);
        if (r < 0)
                disconnect(p);
        return r;
}

static int on_message(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        ContainerProcess *p = userdata;

        if (deliver(p) != 0)
                return 0;
        /* A dead monitor's end shows in the pidfd. One that lives and closed the connection is asked again. */
        disconnect(p);
        if (p->pidfd >= 0 && p->reconnects++ < RECONNECTS_MAX)
                (void) connect_to(p);
        return 0;
}

static int on_death(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        ContainerProcess *p = userdata;

        if (p->fd >= 0 && deliver(p) == -ESTALE)
                return 0;
        disconnect(p);
        p->death = sd_event_source_disable_unref(p->death);
        p->callback(NULL, p->userdata);
        return 0;
}

int container_process_new(sd_event *event, const char *socket_path, ProcessEvent callback, void *userdata,
                          ContainerProcess **ret) {
        _cleanup_(container_process_freep) ContainerProcess *p = calloc(1, sizeof(ContainerProcess));
        int r;

        if (!p)
                return -ENOMEM;
        p->fd = p->pidfd = -EBADF;
        p->event = sd_event_ref(event);
        p->callback = callback;
        p->userdata = userdata;
        p->path = strdup(socket_path);
        if (!p->path)
                return -ENOMEM;
        r = connect_to(p);
        if (r < 0)
                return r;
        *ret = TAKE(p);
        return 0;
}

ContainerProcess *container_process_free(ContainerProcess *p) {
        if (!p)
                return NULL;
        if (p->freed)
                *p->freed = true;
        disconnect(p);
        sd_event_source_disable_unref(p->death);
        fd_close(p->pidfd);
        free(p->path);
        sd_event_unref(p->event);
        free(p);
        return NULL;
}

int container_process_watch(ContainerProcess *p, int pidfd) {
        int r;

        fd_close(p->pidfd);
        p->death = sd_event_source_disable_unref(p->death);
        p->pidfd = pidfd;
        r = sd_event_add_io(p->event, &p->death, pidfd, EPOLLIN, on_death, p);
        if (r < 0)
                return r;
        return sd_event_source_set_priority(p->death, PRIORITY_DEATH);
}

void container_process_wait(ContainerProcess *p, uint64_t until_usec) {
        struct pollfd fds[] = { { .fd = p->fd, .events = POLLIN }, { .fd = p->pidfd, .events = POLLIN } };
        struct timespec now;
        int r;

        do {
                clock_gettime(CLOCK_MONOTONIC, &now);
                uint64_t usec = (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
                r = poll(fds, N_ELEMENTS(fds), usec < until_usec ? (int) ((until_usec - usec + 999) / 1000) : 0);
        } while (r < 0 && errno == EINTR);
        if (r > 0 && fds[0].revents && !fds[1].revents) /* a death is the event loop's business */
                (void) on_message(p->messages, p->fd, EPOLLIN, p);
}

int container_process_take_pidfd(ContainerProcess *p) {
        p->death = sd_event_source_disable_unref(p->death);
        return TAKE_FD(p->pidfd);
}

void container_process_kill(ContainerProcess *p) {
        if (p->pidfd >= 0)
                (void) syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0); /* fails if it is dead: good, too */
}

int container_process_send(ContainerProcess *p, MonitorRequest *request, const int *fds, size_t n_fds) {
        if (p->fd < 0)
                return -ENOTCONN;
        request->magic = MONITOR_MAGIC;
        request->cookie = ++p->cookie;
        return wire_send(p->fd, request, sizeof(*request), fds, n_fds);
}

bool process_in_unit(pid_t pid, const char *unit) {
        _cleanup_free_ char *text = NULL;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%i/cgroup", (int) pid);
        if (fs_read_file(AT_FDCWD, path, 65536, &text, NULL) < 0)
                return false;
        size_t n = strlen(unit);
        for (char *p = text; (p = strstr(p, unit)); p += n)
                if (p > text && p[-1] == '/' && strchr("/\n", p[n]))
                        return true;
        return false;
}

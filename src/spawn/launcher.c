/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Launcher: see launcher.h. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spawn/charge.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/wire.h"

#define IDLE_USEC (60 * USEC_PER_SEC)

struct Patron {
        Patron *next;
        Launcher *launcher;
        LoopSource source;
};

static void check_idle(Launcher *l) {
        if (l->charges || l->patrons)
                loop_timer_clear(&l->loop, &l->idle);
        else
                loop_timer_set(&l->loop, &l->idle, IDLE_USEC);
}

static void patron_free(Patron *p) {
        Launcher *l = p->launcher;

        for (Patron **q = &l->patrons; *q; q = &(*q)->next)
                if (*q == p) {
                        *q = p->next;
                        break;
                }
        (void) loop_watch(&l->loop, &p->source, 0);
        fd_close(p->source.fd);
        free(p);
        check_idle(l);
}

/* Who does not read is dropped: berthd connects again and looks for itself. */
static bool patron_send(Patron *p, const SpawnMessage *m, const int *fds, size_t n_fds) {
        if (wire_send(p->source.fd, m, sizeof(*m), fds, n_fds) >= 0)
                return true;
        patron_free(p);
        return false;
}

void launcher_tell(Launcher *l, const SpawnMessage *m) {
        for (Patron *p = l->patrons, *next; p; p = next) {
                next = p->next;
                (void) patron_send(p, m, NULL, 0);
        }
        check_idle(l);
}

static bool id_is_valid(const char *id) {
        size_t n = strspn(id, "0123456789abcdef");
        return n == 64 && id[n] == '\0';
}

static void on_request(void *userdata, uint32_t events) {
        Patron *p = userdata;
        Launcher *l = p->launcher;
        SpawnMessage m;
        int fds[2] = { -EBADF, -EBADF };
        size_t n_fds = N_ELEMENTS(fds);
        Charge *c = NULL;
        int r = wire_recv(p->source.fd, &m, sizeof(m), fds, &n_fds);

        if (r == -EAGAIN)
                return;
        if (r <= 0) {
                patron_free(p);
                return;
        }
        m.id[sizeof(m.id) - 1] = '\0';
        if (m.magic != SPAWN_MAGIC || m.type != SPAWN_MONITOR || n_fds != 2 || !id_is_valid(m.id))
                r = -EBADMSG;
        else
                r = charge_spawn(l, m.id, fds[0], fds[1], &c);
        wire_close_fds(fds, N_ELEMENTS(fds));
        m.magic = SPAWN_MAGIC;
        m.type = SPAWN_STARTED;
        m.value = MIN_OF(r, 0);
        m.pid = c ? c->pid : 0;
        (void) patron_send(p, &m, c ? &c->exit.fd : NULL, c ? 1 : 0);
        check_idle(l);
}

static void on_connect(void *userdata, uint32_t events) {
        Launcher *l = userdata;
        struct ucred peer;
        socklen_t size = sizeof(peer);
        _cleanup_close_ int fd = accept4(l->listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0)
                return;
        Patron *p = calloc(1, sizeof(Patron));
        if (!p)
                return;
        *p = (Patron) {
                .next = l->patrons,
                .launcher = l,
                .source = { .fd = TAKE_FD(fd), .handler = on_request, .userdata = p },
        };
        l->patrons = p;
        if (loop_watch(&l->loop, &p->source, EPOLLIN) < 0)
                patron_free(p);
        check_idle(l);
}

static void on_signal(void *userdata, uint32_t events) {
        Launcher *l = userdata;
        l->loop.quit = true;
}

static void on_idle(void *userdata) {
        Launcher *l = userdata;
        l->loop.quit = true;
}

int launcher_init(Launcher *l, int listen_fd) {
        sigset_t set;

        *l = (Launcher) {
                .listen = { .fd = listen_fd, .handler = on_connect, .userdata = l },
                .signals = { .fd = -EBADF, .handler = on_signal, .userdata = l },
                .idle = { .handler = on_idle, .userdata = l },
        };
        int r = loop_init(&l->loop);
        if (r < 0)
                return r;
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) /* stderr is journald's, which may be away; the monitors get it back */
                return -errno;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        l->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (l->signals.fd < 0)
                return -errno;
        r = fd_set_nonblock(listen_fd, true);
        if (r >= 0)
                r = loop_watch(&l->loop, &l->listen, EPOLLIN);
        return r < 0 ? r : loop_watch(&l->loop, &l->signals, EPOLLIN);
}

int launcher_adopt(Launcher *l, const char *run_dir) {
        _cleanup_close_ int run_fd = fs_open_dir(AT_FDCWD, run_dir);
        int fd = run_fd < 0 ? run_fd : fs_open_dir(run_fd, "containers");
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (fd == -ENOENT || run_fd == -ENOENT)
                return 0;
        if (!dir) {
                fd_close(fd);
                return fd < 0 ? fd : -errno;
        }
        for (struct dirent *e; (e = readdir(dir));) {
                if (!id_is_valid(e->d_name))
                        continue;
                _cleanup_close_ int bundle_fd = fs_open_dir(fd, e->d_name);
                int r = bundle_fd < 0 ? bundle_fd : charge_adopt(l, e->d_name, bundle_fd);
                if (r < 0 && r != -ENOENT)
                        log_warning("The monitor of container %.12s cannot be watched: %s", e->d_name, strerror(-r));
        }
        closedir(dir);
        return 0;
}

int launcher_run(Launcher *l) {
        check_idle(l);
        return loop_run(&l->loop);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Journal's queue and socket: see journal.h. */
#include <endian.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "monitor/journal.h"
#include "util/io.h"

#define QUEUE_MAX ((size_t) 1024 * 1024)
#define BATCH_SIZE_MAX ((size_t) 64 * 1024)
#define LARGE_QUEUE (2 * BATCH_SIZE_MAX) /* worth giving the memory back afterwards */
#define SEND_BUFFER (8 * 1024 * 1024)
#define RETRY_USEC (USEC_PER_SEC / 10)

typedef struct Buffer {
        char *data;
        size_t size, room;
} Buffer;

/* What goes into one datagram. */
typedef struct Batch Batch;
struct Batch {
        Batch *next;
        Buffer buffer;
        unsigned n_entries;
        unsigned n_records; /* of these; not lines */
};

struct Journal {
        Loop *loop;
        const char *path;
        void (*handler)(void *);
        void *userdata;
        LoopSource source; /* waits for room in journald's queue */
        LoopTimer retry;   /* where there is nothing to wait on: journald is away, the kernel is short of memory */
        Buffer common;
        Batch *first, *last;
        unsigned batch_max; /* entries in a datagram */
        size_t queued;     /* bytes in all batches */
        size_t entry_start; /* of the entry under way, in the last batch */
        int entry_error;
        bool entry_is_record;
        bool given_up, was_large;
        uint64_t lost, progress;
};

static int buffer_append(Buffer *b, const void *data, size_t size) {
        if (b->size + size > b->room) {
                size_t room = MAX_OF((b->size + size) * 3 / 2, (size_t) 1024);
                char *bigger = realloc(b->data, room);
                if (!bigger)
                        return -ENOMEM;
                b->data = bigger;
                b->room = room;
        }
        memcpy(b->data + b->size, data, size);
        b->size += size;
        return 0;
}

/* The length-prefixed form: it holds any bytes, so nothing has to be looked for in the value. */
static int buffer_append_field(Buffer *b, const char *key, const void *value, size_t size) {
        uint64_t length = htole64(size);
        int r;

        r = buffer_append(b, key, strlen(key));
        if (r >= 0)
                r = buffer_append(b, "\n", 1);
        if (r >= 0)
                r = buffer_append(b, &length, sizeof(length));
        if (r >= 0)
                r = buffer_append(b, value, size);
        return r < 0 ? r : buffer_append(b, "\n", 1);
}

static Batch *batch_free(Batch *b) {
        if (b)
                free(b->buffer.data);
        free(b);
        return NULL;
}

static void on_writable(void *userdata, uint32_t events) {
        journal_send(userdata);
}

static void on_retry(void *userdata) {
        journal_send(userdata);
}

int journal_new(Loop *loop, const char *socket_path, void (*handler)(void *), void *userdata, Journal **ret) {
        Journal *j = calloc(1, sizeof(Journal));

        if (!j)
                return -ENOMEM;
        j->loop = loop;
        j->path = socket_path;
        j->batch_max = 1;
        j->handler = handler;
        j->userdata = userdata;
        j->source = (LoopSource) { .fd = -EBADF, .handler = on_writable, .userdata = j };
        j->retry = (LoopTimer) { .handler = on_retry, .userdata = j };
        *ret = j;
        return 0;
}

static void disconnect(Journal *j) {
        (void) loop_watch(j->loop, &j->source, 0);
        j->source.fd = fd_close(j->source.fd);
}

Journal *journal_free(Journal *j) {
        if (!j)
                return NULL;
        disconnect(j);
        loop_timer_clear(j->loop, &j->retry);
        while (j->first) {
                Batch *next = j->first->next;
                batch_free(j->first);
                j->first = next;
        }
        free(j->common.data);
        free(j);
        return NULL;
}

int journal_add_common(Journal *j, const char *key, const char *value) {
        return value && *value ? buffer_append_field(&j->common, key, value, strlen(value)) : 0;
}

void journal_set_batch(Journal *j, unsigned n_entries) {
        j->batch_max = n_entries;
}

static bool batch_is_full(const Journal *j, const Batch *b) {
        return b->n_entries >= j->batch_max || b->buffer.size >= BATCH_SIZE_MAX;
}

/* The batch the next entry goes to: the last one, while it is small. */
static int open_batch(Journal *j) {
        Batch *b = j->last;

        if (b && !batch_is_full(j, b))
                return 0;
        b = calloc(1, sizeof(Batch));
        if (!b)
                return -ENOMEM;
        if (j->last)
                j->last->next = b;
        else
                j->first = b;
        j->last = b;
        return 0;
}

static int begin(Journal *j, bool is_record) {
        j->entry_is_record = is_record;
        j->entry_error = j->given_up ? -ENOLINK : open_batch(j);
        j->entry_start = j->last ? j->last->buffer.size : 0;
        if (j->entry_error >= 0 && !is_record)
                j->entry_error = buffer_append(&j->last->buffer, j->common.data, j->common.size);
        return j->entry_error;
}

int journal_begin(Journal *j) {
        return begin(j, false);
}

int journal_begin_record(Journal *j) {
        return begin(j, true);
}

int journal_field(Journal *j, const char *key, const void *value, size_t size) {
        if (j->entry_error >= 0)
                j->entry_error = buffer_append_field(&j->last->buffer, key, value, size);
        return j->entry_error;
}

int journal_fieldf(Journal *j, const char *key, const char *format, ...) {
        char value[256];
        va_list ap;

        va_start(ap, format);
        int n = vsnprintf(value, sizeof(value), format, ap);
        va_end(ap);
        return journal_field(j, key, value, MIN_OF((size_t) MAX_OF(n, 0), sizeof(value) - 1));
}

static int connect_socket(Journal *j) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int size = SEND_BUFFER;

        if (strlen(j->path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, j->path);
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
                (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        /* Connected, since only then does POLLOUT speak of the receiver's queue and not of our own buffer alone. */
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        j->source.fd = TAKE_FD(fd);
        return 0;
}

/* A batch that no socket buffer here takes goes as a sealed file, which journald maps. */
static int send_as_file(Journal *j, const Buffer *b) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control = {
                .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) },
        };
        struct msghdr m = { .msg_control = &control, .msg_controllen = sizeof(control) };
        _cleanup_close_ int fd = memfd_new_sealed("journal-entries", b->data, b->size);

        if (fd < 0)
                return fd;
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        return sendmsg(j->source.fd, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_batch(Journal *j, const Buffer *b) {
        if (j->source.fd < 0) {
                int r = connect_socket(j);
                if (r < 0)
                        return r;
        }
        if (send(j->source.fd, b->data, b->size, MSG_NOSIGNAL) >= 0)
                return 0;
        return errno == EMSGSIZE ? send_as_file(j, b) : -errno;
}

static void drop_first(Journal *j) {
        Batch *b = j->first;

        j->first = b->next;
        if (!j->first)
                j->last = NULL;
        j->queued -= b->buffer.size;
        batch_free(b);
}

/* Sends from the front of the queue. True: it is empty now. */
static bool send_queue(Journal *j) {
        while (j->first) {
                int r = j->first->n_entries == 0 ? 0 : send_batch(j, &j->first->buffer);
                if (r == -EINTR)
                        continue;
                if (r == -EAGAIN && loop_watch(j->loop, &j->source, EPOLLOUT) >= 0)
                        return false;
                if (r < 0) {
                        if (r != -ENOBUFS && r != -ENOMEM && r != -EAGAIN)
                                disconnect(j); /* journald was started anew, or is yet to come */
                        (void) loop_watch(j->loop, &j->source, 0);
                        loop_timer_set(j->loop, &j->retry, RETRY_USEC);
                        return false;
                }
                drop_first(j);
                j->progress++;
        }
        (void) loop_watch(j->loop, &j->source, 0);
        loop_timer_clear(j->loop, &j->retry);
        return true;
}

void journal_end(Journal *j) {
        if (j->entry_error >= 0)
                j->entry_error = buffer_append(&j->last->buffer, "\n", 1); /* the blank line between entries */
        if (j->entry_error < 0) {
                j->lost += !j->entry_is_record;
                if (j->last)
                        j->last->buffer.size = j->entry_start;
                return;
        }
        j->last->n_entries++;
        j->last->n_records += j->entry_is_record;
        j->queued += j->last->buffer.size - j->entry_start;
        j->was_large = j->was_large || j->queued > LARGE_QUEUE;
        /* A full batch goes at once, so that a burst of many short lines does not fill the memory first. */
        if (batch_is_full(j, j->last) && j->source.events == 0 && j->retry.deadline == 0)
                (void) send_queue(j);
}

void journal_send(Journal *j) {
        bool had_any = j->first != NULL;

        if (!send_queue(j))
                return;
        if (j->was_large) {
                malloc_trim(0);
                j->was_large = false;
        }
        if (had_any)
                j->handler(j->userdata);
}

uint64_t journal_progress(const Journal *j) {
        return j->progress;
}

bool journal_is_empty(const Journal *j) {
        return !j->first;
}

bool journal_is_full(const Journal *j) {
        return j->queued >= QUEUE_MAX;
}

int journal_unread(const Journal *j) {
        int n = 0;

        return j->source.fd >= 0 && ioctl(j->source.fd, SIOCOUTQ, &n) >= 0 ? n : 0;
}

void journal_give_up(Journal *j) {
        j->given_up = true;
        while (j->first) {
                j->lost += j->first->n_entries - j->first->n_records;
                drop_first(j);
        }
        (void) loop_watch(j->loop, &j->source, 0);
        loop_timer_clear(j->loop, &j->retry);
}

bool journal_given_up(const Journal *j) {
        return j->given_up;
}

void journal_resume(Journal *j) {
        j->given_up = false;
}

uint64_t journal_lost(const Journal *j) {
        return j->lost;
}

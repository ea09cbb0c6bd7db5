/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clients will read later: see spill.h. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/spill.h"
#include "util/io.h"

static int spill_open(const char *directory) {
        int fd = directory ? open(directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600) : -1;

        if (fd < 0)
                fd = memfd_create("spill", MFD_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* One piece at the place of `offset` in the ring, which ends with the ring: bytes, or negative errno. */
static ssize_t piece(const Spill *s, uint64_t offset, char *data, size_t size, bool is_write) {
        uint64_t place = offset % SPILL_RING;
        ssize_t n;

        size = (size_t) MIN_OF((uint64_t) size, SPILL_RING - place);
        do
                n = is_write ? pwrite(s->fd, data, size, (off_t) place) : pread(s->fd, data, size, (off_t) place);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n == 0 ? -EIO : n;
}

static int write_at(Spill *s, const char *directory, uint64_t offset, const char *data, size_t size) {
        if (spill_size(s) + size > SPILL_RING)
                return -ENOSPC;
        if (s->fd < 0)
                s->fd = spill_open(directory);
        if (s->fd < 0)
                return s->fd;
        for (size_t done = 0; done < size;) {
                ssize_t n = piece(s, offset + done, (char *) data + done, size - done, true);
                if (n < 0)
                        return (int) n;
                done += (size_t) n;
        }
        return 0;
}

int spill_append(Spill *s, const char *directory, const char *data, size_t size) {
        int r = write_at(s, directory, s->end, data, size);

        if (r >= 0)
                s->end += size;
        return r;
}

int spill_hand_over(Spill *s, const char *directory, const char *data, size_t size, uint64_t *ret_at) {
        uint64_t begin = s->begin + SPILL_RING - size; /* no place in the ring is before 0 */
        char path[32];
        int r = write_at(s, directory, begin, data, size);

        if (r < 0)
                return r;
        snprintf(path, sizeof(path), "/proc/self/fd/%i", s->fd);
        if (fchmod(s->fd, 0400) < 0) /* a memfd is anybody's to open anew */
                return -errno;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *ret_at = begin % SPILL_RING;
        return fd;
}

/* Whole steps of what was taken since `before` go back to the disk; where it cannot do that they stay until all is
 * taken. None of them holds the newest bytes, too, which come one round after. */
static void give_back(const Spill *s, uint64_t before) {
        for (uint64_t step = before - before % SPILL_STEP; step + SPILL_STEP <= s->begin; step += SPILL_STEP)
                if (s->end <= step + SPILL_RING)
                        (void) fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                         (off_t) (step % SPILL_RING), (off_t) SPILL_STEP);
}

ssize_t spill_take(Spill *s, char *data, size_t size) {
        size = MIN_OF(size, spill_size(s));
        ssize_t n = size > 0 ? piece(s, s->begin, data, size, false) : 0;

        if (n > 0)
                s->begin += (uint64_t) n;
        if (n >= 0 && s->begin == s->end)
                spill_done(s); /* gives the disk its room back */
        else if (n > 0)
                give_back(s, s->begin - (uint64_t) n);
        return n;
}

void spill_done(Spill *s) {
        fd_close(s->fd);
        *s = (Spill) SPILL_NONE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decompression, hash and tar reader side by side: see tar-stream.h. */
#include <pthread.h>

#include "image/inflate.h"
#include "image/tar-stream.h"

/* A switch between processors costs up to a millisecond on a virtual machine: few and large pieces. */
#define CHUNK_SIZE (512U << 10)
#define N_CHUNKS   8U

typedef struct Chunk {
        uint8_t *data;
        size_t size;
} Chunk;

struct TarStream {
        Fault *fault;
        Inflate *inflate;
        OciHash *hash;
        struct archive *archive;
        pthread_t inflater, hasher;
        bool has_inflater, has_hasher;
        bool holds_chunk; /* the reader still looks at chunk `read` */

        pthread_mutex_t lock;
        pthread_cond_t changed;
        /* Below: under the lock. Chunk n lies in chunks[n % N_CHUNKS]; it is free again when both consumers have passed
         * it. */
        Chunk chunks[N_CHUNKS];
        uint64_t made, read, hashed;
        bool end;
        Fault inflate_fault;
};

/* Waits for chunk n; NULL at the end. */
static const Chunk *wait_for_chunk(TarStream *s, uint64_t n) {
        const Chunk *chunk;

        pthread_mutex_lock(&s->lock);
        while (s->made <= n && !s->end)
                pthread_cond_wait(&s->changed, &s->lock);
        chunk = s->made > n ? &s->chunks[n % N_CHUNKS] : NULL;
        pthread_mutex_unlock(&s->lock);
        return chunk;
}

static void advance(TarStream *s, uint64_t *counter) {
        pthread_mutex_lock(&s->lock);
        (*counter)++;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
}

static void *inflate_thread(void *userdata) {
        TarStream *s = userdata;
        Fault fault = { 0 };

        for (;;) {
                pthread_mutex_lock(&s->lock);
                while (s->made - MIN_OF(s->read, s->hashed) >= N_CHUNKS)
                        pthread_cond_wait(&s->changed, &s->lock);
                pthread_mutex_unlock(&s->lock);

                Chunk *chunk = &s->chunks[s->made % N_CHUNKS];
                ssize_t n = 0;
                /* Whole chunks, since each one wakes two threads. */
                for (chunk->size = 0; chunk->size < CHUNK_SIZE; chunk->size += (size_t) n) {
                        n = inflate_read(s->inflate, chunk->data + chunk->size, CHUNK_SIZE - chunk->size, &fault);
                        if (n <= 0)
                                break;
                }
                if (chunk->size > 0 && n >= 0)
                        advance(s, &s->made);
                if (n <= 0)
                        break;
        }
        pthread_mutex_lock(&s->lock);
        s->end = true;
        s->inflate_fault = fault;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
        return NULL;
}

static void *hash_thread(void *userdata) {
        TarStream *s = userdata;

        for (const Chunk *chunk; (chunk = wait_for_chunk(s, s->hashed)); advance(s, &s->hashed))
                (void) oci_hash_update(s->hash, chunk->data, chunk->size);
        return NULL;
}

/* What libarchive reads with. */
static la_ssize_t read_chunk(struct archive *a, void *userdata, const void **ret_data) {
        TarStream *s = userdata;

        if (s->holds_chunk)
                advance(s, &s->read);
        const Chunk *chunk = wait_for_chunk(s, s->read);
        s->holds_chunk = chunk;
        if (!chunk) {
                if (s->inflate_fault.error == 0)
                        return 0;
                archive_set_error(a, -s->inflate_fault.error, "%s", s->inflate_fault.text ?: "Cannot read");
                return -1;
        }
        *ret_data = chunk->data;
        return (la_ssize_t) chunk->size;
}

static int start_threads(TarStream *s, TarStreamFlags flags) {
        if (flags & TAR_STREAM_HASH) {
                if (pthread_create(&s->hasher, NULL, hash_thread, s) != 0)
                        return -EAGAIN;
                s->has_hasher = true;
        } else
                s->hashed = UINT64_MAX; /* nobody to wait for */
        if (pthread_create(&s->inflater, NULL, inflate_thread, s) != 0)
                return -EAGAIN;
        s->has_inflater = true;
        return 0;
}

int tar_stream_new(int fd, int copy_fd, TarStreamFlags flags, Fault *fault, TarStream **ret) {
        TarStream *s = calloc(1, sizeof(TarStream)); /* a worker that fails here exits: see tar_stream_free() */
        int r;

        if (!s)
                return fault_set_errno(fault, -ENOMEM, "Cannot read the archive");
        s->fault = fault;
        pthread_mutex_init(&s->lock, NULL);
        pthread_cond_init(&s->changed, NULL);
        r = inflate_new(fd, copy_fd, flags & TAR_STREAM_HASH ? INFLATE_HASH : 0, &s->inflate);
        if (r >= 0 && (flags & TAR_STREAM_HASH))
                r = oci_hash_new(&s->hash);
        for (size_t i = 0; r >= 0 && i < N_CHUNKS; i++) {
                s->chunks[i].data = malloc(CHUNK_SIZE);
                if (!s->chunks[i].data)
                        r = -ENOMEM;
        }
        s->archive = archive_read_new();
        if (r >= 0 && (!s->archive || archive_read_support_format_tar(s->archive) != ARCHIVE_OK ||
                       archive_read_support_format_empty(s->archive) != ARCHIVE_OK))
                r = -ENOMEM;
        if (r >= 0)
                r = start_threads(s, flags);
        if (r < 0)
                return fault_set_errno(fault, r, "Cannot read the archive");
        if (archive_read_open(s->archive, s, NULL, read_chunk, NULL) != ARCHIVE_OK)
                return s->inflate_fault.error < 0
                               ? fault_set(fault, s->inflate_fault.error, "%s", s->inflate_fault.text ?: "Cannot read")
                               : fault_set(fault, -EBADMSG, "This is no tar archive");
        *ret = s;
        return 0;
}

TarStream *tar_stream_free(TarStream *s) {
        if (!s || s->has_inflater || s->has_hasher)
                return NULL;
        archive_read_free(s->archive);
        inflate_free(s->inflate);
        oci_hash_free(s->hash);
        for (size_t i = 0; i < N_CHUNKS; i++)
                free(s->chunks[i].data);
        fault_clear(&s->inflate_fault);
        free(s);
        return NULL;
}

static int archive_fault(TarStream *s) {
        int error = archive_errno(s->archive);

        if (s->inflate_fault.error < 0)
                return fault_set(s->fault, s->inflate_fault.error, "%s", s->inflate_fault.text ?: "Cannot read");
        return fault_set(s->fault, error == ENOMEM ? -ENOMEM : -EBADMSG,
                         "The archive cannot be read as a tar archive: %s",
                         archive_error_string(s->archive) ?: "no reason given");
}

int tar_stream_next(TarStream *s, struct archive_entry **ret) {
        int r = archive_read_next_header(s->archive, ret);

        if (r == ARCHIVE_EOF)
                return 0;
        /* A warning is about a name that is not UTF-8, or a header that berth has no use for. */
        return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 1 : archive_fault(s);
}

int tar_stream_data(TarStream *s, const void **ret_data, size_t *ret_size, uint64_t *ret_offset) {
        la_int64_t offset = 0;
        int r = archive_read_data_block(s->archive, ret_data, ret_size, &offset);

        if (r == ARCHIVE_EOF)
                return 0;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                return archive_fault(s);
        if (offset < 0)
                return fault_set(s->fault, -EBADMSG, "The archive is damaged: data at a negative offset");
        *ret_offset = (uint64_t) offset;
        return 1;
}

int tar_stream_finish(TarStream *s, TarStreamResult *ret) {
        const void *rest;
        int r = 1;

        while (read_chunk(s->archive, s, &rest) > 0)
                ;
        pthread_join(s->inflater, NULL);
        s->has_inflater = false;
        if (s->has_hasher) {
                pthread_join(s->hasher, NULL);
                s->has_hasher = false;
        }
        if (s->inflate_fault.error < 0)
                return archive_fault(s);
        *ret = (TarStreamResult){ .size = inflate_input_size(s->inflate), .suffix = inflate_suffix(s->inflate) };
        if (!s->hash)
                return 0;
        r = oci_hash_finish(s->hash, &ret->diff_id);
        if (r < 0)
                return fault_set_errno(s->fault, r, "Cannot hash");
        r = inflate_digest(s->inflate, &ret->digest);
        if (r < 0)
                return fault_set_errno(s->fault, r, "Cannot hash");
        if (r == 0)
                ret->digest = ret->diff_id;
        return 0;
}

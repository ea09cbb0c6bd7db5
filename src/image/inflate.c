/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decompression: see inflate.h. */
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "image/inflate.h"
#include "util/io.h"

#define INPUT_SIZE (256U << 10)
/* What `zstd --long` and every builder's default need; more is a request for memory rather than an archive. */
#define ZSTD_WINDOW_LOG_MAX 27

typedef enum InflateKind { KIND_UNKNOWN, KIND_PLAIN, KIND_GZIP, KIND_ZSTD } InflateKind;

struct Inflate {
        int fd, copy_fd;
        OciHash *hash;
        uint64_t input_size;
        InflateKind kind;
        uint8_t *input;
        size_t used, begin; /* of input */
        bool input_end;
        bool frame_open;    /* a gzip member or zstd frame has begun and not ended */
        struct inflate_state *gzip;
        ZSTD_DStream *zstd;
};

int inflate_new(int fd, int copy_fd, InflateFlags flags, Inflate **ret) {
        _cleanup_(inflate_freep) Inflate *i = calloc(1, sizeof(Inflate));
        int r;

        if (!i)
                return -ENOMEM;
        i->fd = fd;
        i->copy_fd = copy_fd;
        i->input = malloc(INPUT_SIZE);
        if (!i->input)
                return -ENOMEM;
        if (flags & INFLATE_HASH) {
                r = oci_hash_new(&i->hash);
                if (r < 0)
                        return r;
        }
        *ret = TAKE(i);
        return 0;
}

Inflate *inflate_free(Inflate *i) {
        if (!i)
                return NULL;
        oci_hash_free(i->hash);
        free(i->gzip);
        ZSTD_freeDStream(i->zstd);
        free(i->input);
        free(i);
        return NULL;
}

/* Reads at least one byte more, behind what is there, or sets input_end. */
static int fill(Inflate *i, Fault *fault) {
        ssize_t n;
        int r;

        if (i->begin > 0) {
                memmove(i->input, i->input + i->begin, i->used - i->begin);
                i->used -= i->begin;
                i->begin = 0;
        }
        do
                n = read(i->fd, i->input + i->used, INPUT_SIZE - i->used);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return fault_set_errno(fault, -errno, "Cannot read the archive");
        if (n == 0) {
                i->input_end = true;
                return 0;
        }
        if (i->hash && i->kind > KIND_PLAIN && (r = oci_hash_update(i->hash, i->input + i->used, (size_t) n)) < 0)
                return fault_set_errno(fault, r, "Cannot hash");
        if (i->copy_fd >= 0 && (r = fd_write_all(i->copy_fd, i->input + i->used, (size_t) n)) < 0)
                return fault_set_errno(fault, r, "Cannot store the blob");
        i->used += (size_t) n;
        i->input_size += (uint64_t) n;
        return 0;
}

static const struct {
        InflateKind kind;
        const char *magic;
        size_t size;
        const char *foreign; /* the name of a compression that is not taken */
} magics[] = {
        { KIND_GZIP,    "\x1f\x8b",             2, NULL    },
        { KIND_ZSTD,    "\x28\xb5\x2f\xfd",     4, NULL    },
        { KIND_UNKNOWN, "\xfd" "7zXZ",          5, "xz"    },
        { KIND_UNKNOWN, "BZh",                  3, "bzip2" },
        { KIND_UNKNOWN, "\x04\x22\x4d\x18",     4, "lz4"   },
};

static int detect(Inflate *i, Fault *fault) {
        int r;

        while (i->used < 6 && !i->input_end) {
                r = fill(i, fault);
                if (r < 0)
                        return r;
        }
        i->kind = KIND_PLAIN;
        for (size_t m = 0; m < N_ELEMENTS(magics); m++) {
                if (i->used < magics[m].size || memcmp(i->input, magics[m].magic, magics[m].size) != 0)
                        continue;
                if (magics[m].foreign)
                        return fault_set(
                                fault, -EOPNOTSUPP,
                                "The archive is compressed with %s; berth reads gzip and zstd: decompress it first",
                                magics[m].foreign);
                i->kind = magics[m].kind;
        }
        if (i->hash && i->kind > KIND_PLAIN && (r = oci_hash_update(i->hash, i->input, i->used)) < 0)
                return fault_set_errno(fault, r, "Cannot hash");
        if (i->kind == KIND_GZIP) {
                i->gzip = malloc(sizeof(*i->gzip));
                if (!i->gzip)
                        return fault_set_errno(fault, -ENOMEM, "Cannot decompress");
                isal_inflate_init(i->gzip);
        } else if (i->kind == KIND_ZSTD) {
                i->zstd = ZSTD_createDStream();
                if (!i->zstd || ZSTD_isError(ZSTD_DCtx_setParameter(i->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)))
                        return fault_set_errno(fault, -ENOMEM, "Cannot decompress");
        }
        return 0;
}

static ssize_t read_plain(Inflate *i, uint8_t *data, size_t size) {
        size_t n = MIN_OF(size, i->used - i->begin);

        memcpy(data, i->input + i->begin, n);
        i->begin += n;
        return (ssize_t) n;
}

/* Between members: another one may follow, or blocks of zeros, as tapes and some writers have them. */
static int begin_member(Inflate *i, Fault *fault) {
        while (i->begin < i->used && i->input[i->begin] == 0)
                i->begin++;
        if (i->begin == i->used)
                return 0;
        if (i->input[i->begin] != 0x1f)
                return fault_set(fault, -EBADMSG,
                                 "The archive is damaged: something that is not gzip follows the gzip data");
        isal_inflate_reset(i->gzip);
        i->gzip->crc_flag = ISAL_GZIP;
        i->frame_open = true;
        return 0;
}

static ssize_t read_gzip(Inflate *i, uint8_t *data, size_t size, Fault *fault) {
        int r;

        if (!i->frame_open) {
                r = begin_member(i, fault);
                if (r < 0 || !i->frame_open)
                        return r;
        }
        i->gzip->next_in = i->input + i->begin;
        i->gzip->avail_in = (uint32_t) (i->used - i->begin);
        i->gzip->next_out = data;
        i->gzip->avail_out = (uint32_t) MIN_OF(size, (size_t) 1 << 30);
        r = isal_inflate(i->gzip);
        i->begin = i->used - i->gzip->avail_in;
        if (r < 0)
                return fault_set(fault, -EBADMSG,
                                 r == ISAL_INCORRECT_CHECKSUM
                                         ? "The archive is damaged: the gzip checksum does not match"
                                         : "The archive is damaged: the gzip data cannot be decompressed");
        if (i->gzip->block_state == ISAL_BLOCK_FINISH)
                i->frame_open = false;
        return i->gzip->next_out - data;
}

static ssize_t read_zstd(Inflate *i, uint8_t *data, size_t size, Fault *fault) {
        ZSTD_inBuffer in = { i->input, i->used, i->begin };
        ZSTD_outBuffer out = { data, size, 0 };
        size_t r;

        r = ZSTD_decompressStream(i->zstd, &out, &in);
        i->begin = in.pos;
        if (ZSTD_isError(r))
                return fault_set(fault, -EBADMSG, "The archive is damaged: the zstd data cannot be decompressed (%s)",
                                 ZSTD_getErrorName(r));
        i->frame_open = r != 0;
        return (ssize_t) out.pos;
}

static ssize_t read_some(Inflate *i, void *data, size_t size, Fault *fault) {
        switch (i->kind) {
        case KIND_GZIP:
                return read_gzip(i, data, size, fault);
        case KIND_ZSTD:
                return read_zstd(i, data, size, fault);
        default:
                return read_plain(i, data, size);
        }
}

ssize_t inflate_read(Inflate *i, void *data, size_t size, Fault *fault) {
        ssize_t n;
        int r;

        if (i->kind == KIND_UNKNOWN) {
                r = detect(i, fault);
                if (r < 0)
                        return r;
        }
        for (;;) {
                /* A decompressor may hold output back although it took all its input: ask it before reading on. */
                if (i->begin < i->used || i->frame_open) {
                        size_t begin = i->begin;
                        bool open = i->frame_open;

                        n = read_some(i, data, size, fault);
                        if (n != 0)
                                return n;
                        if (i->begin != begin || i->frame_open != open)
                                continue;
                }
                if (i->input_end)
                        break;
                if (i->used - i->begin == INPUT_SIZE)
                        return fault_set(fault, -EBADMSG,
                                         "The archive is damaged: the decompression makes no progress");
                r = fill(i, fault);
                if (r < 0)
                        return r;
        }
        if (i->frame_open || i->begin < i->used)
                return fault_set(fault, -EBADMSG, "The archive is cut off: its compressed data ends too early");
        return 0;
}

int inflate_digest(Inflate *i, OciDigest *ret) {
        if (!i->hash || i->kind <= KIND_PLAIN)
                return 0;
        int r = oci_hash_finish(i->hash, ret);
        return r < 0 ? r : 1;
}

uint64_t inflate_input_size(const Inflate *i) {
        return i->input_size;
}

const char *inflate_suffix(const Inflate *i) {
        return i->kind == KIND_GZIP ? "+gzip" : i->kind == KIND_ZSTD ? "+zstd" : "";
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of image archives: see members.h. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "image/members.h"
#include "oci/hash.h"
#include "util/fs.h"
#include "util/strv.h"

#define LINKS_MAX 8

/* `target` as seen from the directory of `base`, plain; both in the archive. -EINVAL: it leads out of the archive, or
 * is the root. */
static int resolve(const char *base, const char *target, char **ret) {
        _cleanup_free_ char *path = NULL;
        const char *slash = target[0] == '/' ? NULL : strrchr(base, '/');
        char *end;

        path = malloc(strlen(base) + strlen(target) + 2);
        if (!path)
                return -ENOMEM;
        end = mempcpy(path, base, slash ? (size_t) (slash - base) : 0);
        for (const char *p = target; *p;) {
                size_t n = strcspn(p, "/");
                if (n == 2 && p[0] == '.' && p[1] == '.') {
                        if (end == path)
                                return -EINVAL;
                        while (end > path && *--end != '/')
                                ;
                } else if (n > 0 && !(n == 1 && p[0] == '.')) {
                        if (end > path)
                                *end++ = '/';
                        end = mempcpy(end, p, n);
                }
                p += n + (p[n] == '/');
        }
        *end = '\0';
        if (end == path || end - path >= PATH_MAX)
                return -EINVAL;
        *ret = TAKE(path);
        return 0;
}

static int add(Members *m, Member *member) {
        m->names_size += strlen(member->name) + (member->link ? strlen(member->link) : 0);
        if (m->n >= MEMBERS_MAX || m->names_size > MEMBERS_NAMES_SIZE_MAX)
                return fault_set(m->fault, -E2BIG, "The archive has too many files to be an archive of images");
        if (m->n == m->room) {
                size_t room = m->room * 2 + 64;
                Member *items = reallocarray(m->items, room, sizeof(Member));
                if (!items)
                        return fault_set_errno(m->fault, -ENOMEM, "Cannot read the archive");
                m->items = items;
                m->room = room;
        }
        member->order = m->n;
        m->items[m->n++] = *member;
        *member = (Member){ 0 };
        return 0;
}

static int store_data(Members *m, TarStream *s, Member *member, int fd, OciHash *hash, uint64_t size) {
        const void *data;
        size_t n;
        uint64_t offset;
        int r;

        while ((r = tar_stream_data(s, &data, &n, &offset)) > 0) {
                if (offset != member->size)
                        break;
                for (size_t i = 0; i < n && member->size + i < sizeof(member->magic); i++)
                        member->magic[member->size + i] = ((const uint8_t *) data)[i];
                r = oci_hash_update(hash, data, n);
                if (r >= 0)
                        r = fd_write_all(fd, data, n);
                if (r < 0)
                        return fault_set_errno(m->fault, r, "Cannot store %s", member->name);
                member->size += n;
        }
        if (r < 0)
                return r;
        /* Zeros that are not in the archive would have to be hashed too, and there may be any number of them. */
        if (member->size != size)
                return fault_set(m->fault, -EBADMSG, "The file %s in the archive is a sparse file", member->name);
        return 0;
}

static int store(Members *m, TarStream *s, struct archive_entry *e, Member *member) {
        _cleanup_(oci_hash_freep) OciHash *hash = NULL;
        OciDigest named;
        char temporary[32];
        int r;

        snprintf(temporary, sizeof(temporary), ".incoming-%zu", m->n);
        _cleanup_close_ int fd =
                openat(m->blobs_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return fault_set_errno(m->fault, -errno, "Cannot store %s", member->name);
        r = oci_hash_new(&hash);
        if (r < 0)
                return fault_set_errno(m->fault, r, "Cannot hash");
        r = store_data(m, s, member, fd, hash, (uint64_t) archive_entry_size(e));
        if (r < 0)
                return r;
        r = oci_hash_finish(hash, &member->digest);
        if (r < 0)
                return fault_set_errno(m->fault, r, "Cannot hash");
        const char *hex = startswith(member->name, "blobs/sha256/");
        if (hex && oci_digest_parse_hex(hex, &named) >= 0 && !oci_digest_equal(&named, &member->digest))
                return fault_set(m->fault, -EBADMSG, "The digest of %s does not match: its content is %s", member->name,
                                 member->digest.text);
        if (renameat(m->blobs_fd, temporary, m->blobs_fd, oci_digest_hex(&member->digest)) < 0)
                return fault_set_errno(m->fault, -errno, "Cannot store %s", member->name);
        return 0;
}

static int read_member(Members *m, TarStream *s, struct archive_entry *e) {
        const char *name = archive_entry_pathname(e);
        const char *link = archive_entry_hardlink(e)
                                   ?: archive_entry_filetype(e) == AE_IFLNK ? archive_entry_symlink(e)
                                                                            : NULL;
        _cleanup_free_ char *plain_name = NULL, *plain_link = NULL;
        Member member = { 0 };
        int r;

        if (!link && archive_entry_filetype(e) != AE_IFREG)
                return 0;
        if (!name || (r = resolve("", name, &plain_name)) == -EINVAL)
                return fault_set(m->fault, -EBADMSG, "The name \"%.200s\" in the archive leads out of the archive",
                                 name ?: "");
        if (r >= 0 && link)
                r = resolve(archive_entry_hardlink(e) ? "" : plain_name, link, &plain_link);
        if (r == -EINVAL)
                return fault_set(m->fault, -EBADMSG,
                                 "The link %.200s in the archive leads out of the archive, to \"%.200s\"", plain_name,
                                 link);
        if (r < 0)
                return fault_set_errno(m->fault, r, "Cannot read the archive");
        member.name = plain_name;
        member.link = plain_link;
        if (!link) {
                r = store(m, s, e, &member);
                if (r < 0)
                        return r;
        }
        r = add(m, &member);
        if (r < 0)
                return r;
        plain_name = plain_link = NULL; /* the table owns them */
        return 0;
}

static int compare(const void *x, const void *y) {
        const Member *a = x, *b = y;
        int r = strcmp(a->name, b->name);
        return r != 0 ? r : (a->order > b->order) - (a->order < b->order);
}

int members_read(Members *m, int archive_fd, int blobs_fd, Fault *fault) {
        _cleanup_(tar_stream_freep) TarStream *s = NULL;
        TarStreamResult result;
        struct archive_entry *e;
        int r;

        *m = (Members){ .blobs_fd = blobs_fd, .fault = fault };
        r = tar_stream_new(archive_fd, -EBADF, 0, fault, &s);
        if (r < 0)
                return r;
        while ((r = tar_stream_next(s, &e)) > 0) {
                r = read_member(m, s, e);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = tar_stream_finish(s, &result);
        if (r < 0)
                return r;
        if (m->n > 0)
                qsort(m->items, m->n, sizeof(Member), compare);
        return 0;
}

void members_clear(Members *m) {
        for (size_t i = 0; i < m->n; i++) {
                free(m->items[i].name);
                free(m->items[i].link);
        }
        free(m->items);
        *m = (Members){ .blobs_fd = -EBADF };
}

/* The last one of that name, as an unpacked archive would have it. */
static const Member *find_plain(const Members *m, const char *name) {
        size_t begin = 0, end = m->n;

        while (begin < end) {
                size_t middle = (begin + end) / 2;
                if (strcmp(m->items[middle].name, name) <= 0)
                        begin = middle + 1;
                else
                        end = middle;
        }
        return begin > 0 && streq(m->items[begin - 1].name, name) ? &m->items[begin - 1] : NULL;
}

const Member *members_find(const Members *m, const char *name) {
        _cleanup_free_ char *plain = NULL;
        const Member *member;

        if (resolve("", name, &plain) < 0)
                return NULL;
        member = find_plain(m, plain);
        for (unsigned i = 0; member && member->link; i++)
                member = i < LINKS_MAX ? find_plain(m, member->link) : NULL;
        return member;
}

const char *member_suffix(const Member *member) {
        if (member->magic[0] == 0x1f && member->magic[1] == 0x8b)
                return "+gzip";
        return memcmp(member->magic, "\x28\xb5\x2f\xfd", 4) == 0 ? "+zstd" : "";
}

int blob_read(int blobs_fd, const OciDigest *digest, size_t max, char **ret, size_t *ret_size) {
        return fs_read_file(blobs_fd, oci_digest_hex(digest), max, ret, ret_size);
}

int blob_size(int blobs_fd, const OciDigest *digest, uint64_t *ret) {
        struct stat st;

        if (fstatat(blobs_fd, oci_digest_hex(digest), &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        *ret = (uint64_t) st.st_size;
        return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

int blob_write(int blobs_fd, const void *data, size_t size, OciDigest *ret) {
        OciDigest digest;
        int r;

        r = oci_hash_buffer(data, size, &digest);
        if (r < 0)
                return r;
        r = fs_write_file(blobs_fd, oci_digest_hex(&digest), data, size, 0600, 0);
        if (r < 0)
                return r;
        *ret = digest;
        return 0;
}

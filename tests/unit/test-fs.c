/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files and trees: what is bounded, what is whole or not there, symlinks that lead elsewhere, very deep trees. And
 * descriptors. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/fs.h"

static int dir_fd = -EBADF;
static char dir_path[] = "/tmp/test-fs.XXXXXX";

static int set_up(void **state) {
        if (!mkdtemp(dir_path))
                return -1;
        dir_fd = fs_open_dir(AT_FDCWD, dir_path);
        return dir_fd < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        dir_fd = fd_close(dir_fd);
        return fs_remove_tree(AT_FDCWD, dir_path);
}

static void test_write_read(void **state) {
        static const unsigned flags[] = { 0, WRITE_SYNC };
        struct stat st;

        for (size_t i = 0; i < N_ELEMENTS(flags); i++) {
                _cleanup_free_ char *text = NULL;
                size_t size;
                assert_int_equal(fs_write_file(dir_fd, "f", "a\0b", 3, 0640, flags[i]), 0);
                assert_int_equal(fs_read_file(dir_fd, "f", 3, &text, &size), 0);
                assert_int_equal(size, 3);
                assert_memory_equal(text, "a\0b", 4); /* and a NUL behind it */
                assert_int_equal(fstatat(dir_fd, "f", &st, 0), 0);
                assert_int_equal(st.st_mode & 07777, 0640);
        }
        assert_int_equal(fs_write_file(dir_fd, "f", "", 0, 0600, 0), 0);
        _cleanup_free_ char *text = NULL;
        assert_int_equal(fs_read_file(dir_fd, "f", 0, &text, NULL), 0);
        assert_string_equal(text, "");
        assert_int_equal(fs_write_file(dir_fd, "no/f", "x", 1, 0600, WRITE_SYNC), -ENOENT);
        /* A symlink in the place of the file is replaced, not followed. */
        assert_int_equal(symlinkat("/tmp/test-fs-elsewhere", dir_fd, "link"), 0);
        assert_int_equal(fs_write_file(dir_fd, "link", "x", 1, 0600, 0), 0);
        assert_int_equal(fstatat(dir_fd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISREG(st.st_mode));
        assert_int_not_equal(access("/tmp/test-fs-elsewhere", F_OK), 0);
}

static void test_read_bounds(void **state) {
        static const struct { size_t size, max; int result; } cases[] = {
                { 0, 0, 0 }, { 1, 0, -EFBIG }, { 4096, 4096, 0 }, { 4097, 4096, -EFBIG }, { 100000, 1000000, 0 },
                { 100000, 99999, -EFBIG },
        };
        static char data[100000];

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *text = NULL;
                size_t size = 42;
                assert_int_equal(fs_write_file(dir_fd, "b", data, cases[i].size, 0600, 0), 0);
                assert_int_equal(fs_read_file(dir_fd, "b", cases[i].max, &text, &size), cases[i].result);
                assert_int_equal(size, cases[i].result < 0 ? 42 : cases[i].size);
        }
        _cleanup_free_ char *text = NULL;
        assert_int_equal(fs_read_file(dir_fd, ".", 10, &text, NULL), -EINVAL);
        assert_int_equal(mkfifoat(dir_fd, "pipe", 0600), 0);
        assert_int_equal(fs_read_file(dir_fd, "pipe", 10, &text, NULL), -EINVAL); /* and does not wait for a writer */
        assert_int_equal(fs_read_file(AT_FDCWD, "/dev/zero", 10, &text, NULL), -EINVAL);
}

static void test_mkdir(void **state) {
        _cleanup_free_ char *deep = NULL;

        assert_int_equal(fs_mkdir(dir_fd, "d", 0700), 0);
        assert_int_equal(fs_mkdir(dir_fd, "d", 0700), 0);
        assert_int_equal(symlinkat("d", dir_fd, "to-d"), 0);
        assert_int_equal(fs_mkdir(dir_fd, "to-d", 0700), -ENOTDIR);
        assert_int_equal(fs_mkdir(dir_fd, "x/y", 0700), -ENOENT);
        assert_true(asprintf(&deep, "%s/p/q/r", dir_path) > 0);
        assert_int_equal(fs_mkdir_all(deep, 0700), 0);
        assert_int_equal(fs_mkdir_all(deep, 0700), 0);
        assert_true(fs_open_dir(dir_fd, "to-d") < 0); /* no symlinks */
}

static void test_confined(void **state) {
        static const struct { const char *path; int beneath, in_root; } cases[] = { /* 0: opens */
                { "in/f", 0, 0 },
                { "in/../in/f", 0, 0 },
                { "in/link", -ELOOP, 0 },
                { "in/abs", -ELOOP, 0 },         /* its target is below, seen from the root */
                { "in/out", -ELOOP, -ENOENT },
                { "in/up", -ELOOP, -ENOENT },
                { "../f", -EXDEV, -ENOENT },
                { "in/../../f", -EXDEV, -ENOENT },
                { "/in/f", -EXDEV, 0 },
                { "/etc/passwd", -EXDEV, -ENOENT },
                { "in/none", -ENOENT, -ENOENT },
        };
        _cleanup_close_ int outer = -EBADF, root = -EBADF;

        assert_int_equal(fs_mkdir(dir_fd, "outer", 0700), 0);
        outer = fs_open_dir(dir_fd, "outer");
        assert_int_equal(fs_write_file(outer, "f", "secret", 6, 0600, 0), 0);
        assert_int_equal(fs_mkdir(outer, "root", 0700), 0);
        root = fs_open_dir(outer, "root");
        assert_int_equal(fs_mkdir(root, "in", 0700), 0);
        assert_int_equal(fs_write_file(root, "in/f", "x", 1, 0600, 0), 0);
        assert_int_equal(symlinkat("f", root, "in/link"), 0);
        assert_int_equal(symlinkat("/in/f", root, "in/abs"), 0);
        assert_int_equal(symlinkat("/etc/passwd", root, "in/out"), 0);
        assert_int_equal(symlinkat("../../f", root, "in/up"), 0);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_close_ int a = fs_open_beneath(root, cases[i].path, O_RDONLY, 0),
                                    b = fs_open_in_root(root, cases[i].path, O_RDONLY, 0);
                if (MIN_OF(a, 0) != cases[i].beneath || MIN_OF(b, 0) != cases[i].in_root)
                        fail_msg("%s: %i %i", cases[i].path, a, b);
                assert_true(a < 0 || (fcntl(a, F_GETFD) & FD_CLOEXEC));
        }
}

/* Deeper than PATH_MAX and than the number of descriptors, and never through a symlink. */
static void test_remove(void **state) {
        _cleanup_close_ int at = -EBADF;

        assert_int_equal(fs_remove_tree(dir_fd, "nothing"), 0);
        assert_int_equal(fs_mkdir(dir_fd, "keep", 0700), 0);
        assert_int_equal(fs_write_file(dir_fd, "keep/f", "x", 1, 0600, 0), 0);
        assert_int_equal(fs_mkdir(dir_fd, "t", 0700), 0);
        at = fs_open_dir(dir_fd, "t");
        for (int i = 0; i < 3000; i++) {
                assert_int_equal(fs_mkdir(at, "dddddddddd", 0700), 0);
                assert_int_equal(symlinkat("../keep", at, "s"), 0);
                int next = fs_open_dir(at, "dddddddddd");
                assert_true(next >= 0);
                fd_close(at);
                at = next;
        }
        for (int i = 0; i < 5000; i++) {
                char name[32];
                snprintf(name, sizeof(name), "f%i", i);
                assert_int_equal(symlinkat("x", at, name), 0);
        }
        assert_int_equal(fs_remove_tree(dir_fd, "t"), 0);
        assert_int_equal(faccessat(dir_fd, "t", F_OK, 0), -1);
        assert_int_equal(faccessat(dir_fd, "keep/f", F_OK, 0), 0);
        assert_int_equal(symlinkat("keep", dir_fd, "s"), 0);
        assert_int_equal(fs_remove_tree(dir_fd, "s"), 0);
        assert_int_equal(faccessat(dir_fd, "keep/f", F_OK, 0), 0);
}

static void test_remove_some(void **state) {
        _cleanup_close_ int trash = -EBADF;
        unsigned slices = 0;

        assert_int_equal(fs_mkdir(dir_fd, "trash", 0700), 0);
        trash = fs_open_dir(dir_fd, "trash");
        assert_int_equal(fs_remove_some(trash, 10), 0);
        for (int i = 0; i < 40; i++) {
                char name[64];
                snprintf(name, sizeof(name), "d%i", i % 4);
                assert_int_equal(fs_mkdir(trash, name, 0700), 0);
                snprintf(name, sizeof(name), "d%i/e%i", i % 4, i);
                assert_int_equal(fs_mkdir(trash, name, 0700), 0);
        }
        while (fs_remove_some(trash, 10) > 0)
                assert_true(++slices < 1000);
        assert_true(slices >= 4); /* 44 directories, ten at a time */
        assert_int_equal(unlinkat(dir_fd, "trash", AT_REMOVEDIR), 0);
}

static void test_descriptors(void **state) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int memfd = memfd_new_sealed("x", "hello", 5);
        size_t size;
        int fds[2];

        assert_true(memfd >= 0);
        assert_int_equal(fd_read_all(memfd, 5, &text, &size), 0);
        assert_int_equal(size, 5);
        assert_string_equal(text, "hello");
        assert_int_equal(write(memfd, "x", 1), -1);
        assert_int_equal(ftruncate(memfd, 0), -1);
        assert_int_equal(fd_write_all(memfd, "x", 1), -EPERM);

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(fd_wait(fds[0], POLLIN, 0), 0);
        assert_int_equal(fd_write_all(fds[1], "x", 1), 0);
        assert_true(fd_wait(fds[0], POLLIN, -1) & POLLIN);
        assert_int_equal(fd_set_nonblock(fds[0], true), 0);
        assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        assert_int_equal(fd_set_nonblock(fds[0], false), 0);
        assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        assert_int_equal(fd_set_cloexec(fds[0], false), 0);
        assert_int_equal(fcntl(fds[0], F_GETFD), 0);
        errno = ENOTTY;
        assert_int_equal(fd_close(fds[0]), -EBADF);
        assert_int_equal(fd_close(fds[1]), -EBADF);
        assert_int_equal(fd_close(-EBADF), -EBADF);
        assert_int_equal(errno, ENOTTY);
        assert_int_equal(fd_wait(fds[0], POLLIN, 0) & POLLNVAL, POLLNVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_write_read),  cmocka_unit_test(test_read_bounds),
                cmocka_unit_test(test_mkdir),       cmocka_unit_test(test_confined),
                cmocka_unit_test(test_remove),      cmocka_unit_test(test_remove_some),
                cmocka_unit_test(test_descriptors),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}

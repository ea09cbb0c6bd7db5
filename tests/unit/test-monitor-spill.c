/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring of what clients will read later: what goes in comes out, and what is out is not kept. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "monitor/spill.h"
#include "util/io.h"

#define PIECE ((size_t) 64 * 1024)

static const char *const directories[] = { NULL, "/var/tmp" }; /* memory, disk */

/* The bytes of the stream, from `offset` on. */
static void fill(char *data, size_t size, uint64_t offset) {
        for (size_t i = 0; i < size; i++)
                data[i] = (char) ((offset + i) * 31 + (offset + i) / 253);
}

static void append(Spill *s, const char *directory, size_t size, uint64_t *end) {
        static char data[PIECE];

        fill(data, size, *end);
        assert_int_equal(spill_append(s, directory, data, size), 0);
        *end += size;
}

static void take(Spill *s, size_t size, uint64_t *begin) {
        static char data[PIECE], wanted[PIECE];
        ssize_t n = spill_take(s, data, size);

        assert_true(n > 0);
        fill(wanted, (size_t) n, *begin);
        assert_memory_equal(data, wanted, (size_t) n);
        *begin += (uint64_t) n;
}

/* A client that stays a little behind: two rounds of the ring go through, and the file stays small. */
static void test_room_is_given_back(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(directories); i++) {
                Spill s = SPILL_NONE;
                uint64_t begin = 0, end = 0;
                struct stat st;

                while (end < 2 * SPILL_RING + 12345) {
                        append(&s, directories[i], PIECE - 7, &end);
                        while (end - begin > 2 * PIECE)
                                take(&s, PIECE, &begin);
                        assert_int_equal(fstat(s.fd, &st), 0);
                        assert_true((uint64_t) st.st_blocks * 512 <= 3 * SPILL_STEP);
                }
                while (begin < end)
                        take(&s, PIECE, &begin);
                assert_int_equal(s.fd, -EBADF);
        }
}

/* Full to the last byte at every place of the ring: nothing that is still wanted is given back. */
static void test_full_ring(void **state) {
        Spill s = SPILL_NONE;
        uint64_t begin = 0, end = 0;

        while (end < SPILL_RING)
                append(&s, NULL, PIECE, &end);
        assert_int_equal(spill_append(&s, NULL, "x", 1), -ENOSPC);
        while (end < 2 * SPILL_RING) {
                take(&s, PIECE - 1, &begin);
                append(&s, NULL, (size_t) (SPILL_RING - (end - begin)), &end);
                assert_int_equal(spill_size(&s), SPILL_RING);
        }
        while (begin < end)
                take(&s, PIECE, &begin);
        assert_int_equal(spill_size(&s), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_room_is_given_back),
                cmocka_unit_test(test_full_ring),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

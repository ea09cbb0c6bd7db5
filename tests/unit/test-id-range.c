/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ranges of ids: what is delegated or taken is left alone, and every range lies where systemd wants it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "container/id-range.h"
#include "util/fs.h"

static void test_delegated(void **state) {
        static const struct { const char *text; uint32_t base; bool taken; } cases[] = {
                { "",                                   524288, false },
                { "app:524288:65536\n",                 524288, true  },
                { "app:524288:65536\n",                 589824, false },
                { "app:458752:65536\n",                 524288, false }, /* ends where the range begins */
                { "app:458752:65537\n",                 524288, true  },
                { "app:589823:1",                       524288, true  }, /* its last id, no newline */
                { "app:589824:1\n",                     524288, false },
                { "app:100000:65536\nb:524300:5\n",     524288, true  },
                { "app:600000:0\n",                     589824, false },
                { "app:0:18446744073709551615\n",       524288, true  },
                { "app:1:18446744073709551615\n",       524288, true  }, /* the end overflows */
                { "app:18446744073709551615:1\n",       524288, false },
                { "app:99999999999999999999:1\n",       524288, false }, /* no number */
                { "# nothing\n::\n:\nx\napp:-1:5\n",    524288, false },
                { "app:524288:65536:more\n",            524288, false },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                assert_int_equal(id_range_is_delegated(cases[i].text, cases[i].base), cases[i].taken);
}

typedef struct Taken {
        const uint32_t *bases;
        size_t n;
        bool all;
        unsigned asked;
} Taken;

static bool is_taken(uint32_t base, void *userdata) {
        Taken *t = userdata;

        t->asked++;
        for (size_t i = 0; i < t->n; i++)
                if (t->bases[i] == base)
                        return true;
        return t->all;
}

static void test_pick(void **state) {
        static const char *const seeds[] = { "", "a", "ec4f5396631b", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" };

        for (size_t i = 0; i < N_ELEMENTS(seeds); i++) {
                uint32_t first, again, second;
                Taken none = { 0 }, one = { .bases = &first, .n = 1 };

                assert_int_equal(id_range_pick(seeds[i], "/nonexistent", "/nonexistent", NULL, is_taken, &none, &first),
                                 0);
                assert_true(first >= ID_RANGE_FIRST && first + ID_RANGE_SIZE - 1 <= ID_RANGE_LAST);
                assert_int_equal(first % ID_RANGE_SIZE, 0);
                assert_int_equal(id_range_pick(seeds[i], "/nonexistent", "/nonexistent", NULL, is_taken, &none, &again),
                                 0);
                assert_int_equal(again, first);
                assert_int_equal(id_range_pick(seeds[i], "/nonexistent", "/nonexistent", NULL, is_taken, &one, &second),
                                 0);
                assert_int_not_equal(second, first);
        }
}

static void test_files(void **state) {
        char subuid[] = "/tmp/test-id-range.XXXXXX", subgid[] = "/tmp/test-id-range.XXXXXX", line[64];
        uint32_t first, second, third;

        close(mkstemp(subuid));
        close(mkstemp(subgid));
        assert_int_equal(id_range_pick("seed", subuid, subgid, NULL, NULL, NULL, &first), 0);
        snprintf(line, sizeof(line), "app:%u:1\n", first + 100);
        assert_int_equal(fs_write_file(AT_FDCWD, subuid, line, strlen(line), 0600, 0), 0);
        assert_int_equal(id_range_pick("seed", subuid, subgid, NULL, NULL, NULL, &second), 0);
        assert_int_not_equal(second, first);
        snprintf(line, sizeof(line), "app:%u:70000\n", second);
        assert_int_equal(fs_write_file(AT_FDCWD, subgid, line, strlen(line), 0600, 0), 0);
        assert_int_equal(id_range_pick("seed", subuid, subgid, NULL, NULL, NULL, &third), 0);
        assert_true(third < second || third >= second + 2 * ID_RANGE_SIZE);
        assert_int_not_equal(third, first);
        unlink(subuid);
        unlink(subgid);
}

static void test_full(void **state) {
        Taken all = { .all = true };
        uint32_t base = 7;

        assert_int_equal(id_range_pick("seed", "/nonexistent", "/nonexistent", NULL, is_taken, &all, &base), -ENOSPC);
        assert_int_equal(base, 7);
        assert_int_equal(all.asked, (ID_RANGE_LAST + 1 - ID_RANGE_FIRST) / ID_RANGE_SIZE); /* each once */
}

/* What was given back last is taken first, unless it is somebody's by now; no more are kept than there is room for. */
static void test_spares(void **state) {
        IdRangeSpares spares = { 0 };
        const uint32_t a = ID_RANGE_FIRST, b = ID_RANGE_FIRST + ID_RANGE_SIZE;
        Taken taken = { .bases = &b, .n = 1 };
        uint32_t base;

        id_range_give_back(&spares, a);
        id_range_give_back(&spares, b);
        assert_int_equal(id_range_pick("seed", "/nonexistent", "/nonexistent", &spares, is_taken, &taken, &base), 0);
        assert_int_equal(base, a);
        assert_int_equal(spares.n, 0);
        assert_int_equal(id_range_pick("seed", "/nonexistent", "/nonexistent", &spares, is_taken, &taken, &base), 0);
        assert_int_not_equal(base, a);

        for (uint32_t i = 0; i < 100; i++)
                id_range_give_back(&spares, ID_RANGE_FIRST + i * ID_RANGE_SIZE);
        assert_int_equal(spares.n, N_ELEMENTS(spares.ranges));
        assert_int_equal(spares.ranges[spares.n - 1].base, ID_RANGE_FIRST + 99 * ID_RANGE_SIZE);

        id_range_give_back(&spares, a);
        spares.ranges[spares.n - 1].until = 0; /* long ago */
        assert_int_equal(id_range_pick("seed", "/nonexistent", "/nonexistent", &spares, is_taken, &taken, &base), 0);
        assert_int_not_equal(base, a);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_delegated),
                cmocka_unit_test(test_pick),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_spares),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

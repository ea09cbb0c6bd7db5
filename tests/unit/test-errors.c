/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of errors, row by row: as berthd sends it, as sd-bus gives it back to a caller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "container/bus-errors.h"
#include "util/strv.h"
#include "wire/errors.h"

static void test_rows(void **state) {
        for (size_t i = 0; i + 1 < n_berth_errors; i++) {
                const BerthError *e = &berth_errors[i];

                assert_non_null(startswith(e->name, "org.berth1.Error."));
                assert_true(sd_bus_interface_name_is_valid(e->name) > 0);
                assert_true(e->error > 0);
                assert_in_range(e->run_exit, 125, 127); /* so that it is told apart from what the container itself ends with */
                assert_int_equal(e->exit, 1);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(berth_errors[k].name, e->name);
                assert_ptr_equal(berth_error_find(e->name), e);
        }
}

static void test_last_row(void **state) {
        const BerthError *last = &berth_errors[n_berth_errors - 1];

        assert_null(last->name);
        assert_ptr_equal(berth_error_find("org.freedesktop.DBus.Error.NoReply"), last);
        assert_ptr_equal(berth_error_find(NULL), last);
        assert_int_equal(last->run_exit, 125);
        assert_int_equal(last->exit, 1);
}

static void test_errno(void **state) {
        for (size_t i = 0; i + 1 < n_berth_errors; i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                assert_int_equal(sd_bus_error_set(&error, berth_errors[i].name, "why"), -berth_errors[i].error);
                assert_int_equal(sd_bus_error_get_errno(&error), berth_errors[i].error);
                assert_string_equal(error.message, "why");
        }
}

/* A text that was cut within a character, or decoded from a path: sd-bus would send no answer with it. */
static void test_refuse(void **state) {
        _cleanup_(sd_bus_error_free) sd_bus_error cut = SD_BUS_ERROR_NULL, raw = SD_BUS_ERROR_NULL;

        assert_int_equal(bus_refuse(&cut, BERTH_ERROR_NO_SUCH_CONTAINER, "No: %.2s", "a\xc3\xa9"), -ENOENT);
        assert_string_equal(cut.message, "No: a?");
        assert_int_equal(bus_refuse(&raw, BERTH_ERROR_BAD_OPTION, "\xc3\xa9 caf\xe9\n\xed\xa0\x80"), -EINVAL);
        assert_string_equal(raw.message, "\xc3\xa9 caf?????");
}

static int setup(void **state) {
        return bus_errors_register() < 0 ? -1 : 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_last_row),
                cmocka_unit_test(test_errno),
                cmocka_unit_test(test_refuse),
        };
        return cmocka_run_group_tests(tests, setup, NULL);
}

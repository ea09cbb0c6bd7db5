/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Durations, dates, what --since takes. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "util/timestamp.h"

#define S 1000000000LL

static void test_duration(void **state) {
        static const struct { const char *text; int result; int64_t nsec; } cases[] = {
                { "0", 0, 0 },
                { "0s", 0, 0 },
                { "1s", 0, S },
                { "1.5s", 0, 3 * S / 2 },
                { ".5s", 0, S / 2 },
                { "1.s", 0, S },
                { "1m30s", 0, 90 * S },
                { "1h1m1s1ms1us1ns", 0, 3661 * S + 1001001 },
                { "300ms", 0, 300000000 },
                { "2\u00b5s", 0, 2000 },
                { "2\u03bcs", 0, 2000 },
                { "-1m", 0, -60 * S },
                { "+1m", 0, 60 * S },
                { "-0", 0, 0 },
                { "72h", 0, 259200 * S },
                { "0.000000001s", 0, 1 },
                { "0.0000000001s", 0, 0 },
                { "2562047h", 0, 2562047LL * 3600 * S },
                { "", -EINVAL, 0 },
                { "-", -EINVAL, 0 },
                { "1", -EINVAL, 0 },
                { "s", -EINVAL, 0 },
                { ".s", -EINVAL, 0 },
                { "1d", -EINVAL, 0 },
                { "1 m", -EINVAL, 0 },
                { "1m ", -EINVAL, 0 },
                { " 1m", -EINVAL, 0 },
                { "--1m", -EINVAL, 0 },
                { "1m-1s", -EINVAL, 0 },
                { "1e3s", -EINVAL, 0 },
                { "0x1s", -EINVAL, 0 },
                { "1.2.3s", -EINVAL, 0 },
                { "2562048h", -ERANGE, 0 },
                { "99999999999999999999s", -ERANGE, 0 },
                { "9223372036854775807ns1ns", -ERANGE, 0 },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                int64_t nsec = 42;
                int r = time_parse_duration(cases[i].text, &nsec);
                if (r != cases[i].result || (r == 0 && nsec != cases[i].nsec) || (r < 0 && nsec != 42))
                        fail_msg("%s: %i %" PRIi64, cases[i].text, r, nsec);
        }
}

static void test_date(void **state) {
        static const struct { const char *text; int result; uint64_t nsec; } cases[] = { /* local: two hours ahead */
                { "1970-01-01T00:00:00Z", 0, 0 },
                { "2006-01-02T15:04:05Z", 0, 1136214245ULL * S },
                { "2006-01-02T15:04:05.1Z", 0, 1136214245ULL * S + S / 10 },
                { "2006-01-02T15:04:05.123456789Z", 0, 1136214245ULL * S + 123456789 },
                { "2006-01-02T15:04:05.1234567899Z", 0, 1136214245ULL * S + 123456789 },
                { "2006-01-02T15:04:05+01:00", 0, 1136210645ULL * S },
                { "2006-01-02T15:04:05-07:30", 0, 1136241245ULL * S },
                { "2006-01-02T15:04Z", 0, 1136214240ULL * S },
                { "2006-01-02Z", 0, 1136160000ULL * S },
                { "2006-01-02+02:00", 0, 1136152800ULL * S },
                { "2006-01-02T15:04:05", 0, 1136207045ULL * S },
                { "2006-01-02 15:04:05", 0, 1136207045ULL * S },
                { "2006-01-02T15:04", 0, 1136207040ULL * S },
                { "2006-01-02", 0, 1136152800ULL * S },
                { "2024-02-29Z", 0, 1709164800ULL * S },
                { "2023-02-29Z", -EINVAL, 0 },
                { "2006-13-02Z", -EINVAL, 0 },
                { "2006-00-02Z", -EINVAL, 0 },
                { "2006-01-32Z", -EINVAL, 0 },
                { "2006-01-00Z", -EINVAL, 0 },
                { "2006-1-2", -EINVAL, 0 },
                { "06-01-02", -EINVAL, 0 },
                { "2006-01-02T", -EINVAL, 0 },
                { "2006-01-02T15", 0, 1136206800ULL * S },
                { "2006-01-02T15Z", 0, 1136214000ULL * S },
                { "2006-01-02T24Z", -EINVAL, 0 },
                { "2006-01-02T1", -EINVAL, 0 },
                { "2006-01-02T24:00Z", -EINVAL, 0 },
                { "2006-01-02T15:60Z", -EINVAL, 0 },
                { "2006-01-02T15:04:61Z", -EINVAL, 0 },
                { "2006-01-02T15:04:05.Z", -EINVAL, 0 },
                { "2006-01-02T15:04:05ZZ", -EINVAL, 0 },
                { "2006-01-02T15:04:05+1", -EINVAL, 0 },
                { "2006-01-02T15:04:05+01", -EINVAL, 0 },
                { "2006-01-02T15:04:05+24:00", -EINVAL, 0 },
                { "2006-01-02T15:04:05 ", -EINVAL, 0 },
                { "", -EINVAL, 0 },
                { "now", -EINVAL, 0 },
                { "1969-12-31Z", 0, 0 },
                { "1970-01-01T00:00:00+01:00", 0, 0 },
                { "9999-01-01Z", 0, 16756761600ULL * S },
                { "2500-12-31T23:59:59Z", 0, 16756761599ULL * S },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                uint64_t nsec = 42;
                int r = time_parse_date(cases[i].text, &nsec);
                if (r != cases[i].result || (r == 0 && nsec != cases[i].nsec) || (r < 0 && nsec != 42))
                        fail_msg("%s: %i %" PRIu64, cases[i].text, r, nsec);
        }
}

static void test_argument(void **state) {
        static const uint64_t now = 1700000000ULL * S;
        static const struct { const char *text; int result; uint64_t nsec; } cases[] = {
                { "0", 0, 0 },
                { "1136073845", 0, 1136073845ULL * S },
                { "1136073845.000000001", 0, 1136073845ULL * S + 1 },
                { "1136073845.5", 0, 1136073845ULL * S + S / 2 },
                { "1m30s", 0, 1700000000ULL * S - 90ULL * S },
                { "-1m", 0, 1700000060ULL * S },
                { "999999h", 0, 0 }, /* before 1970: everything */
                { "2006-01-02T15:04:05Z", 0, 1136214245ULL * S },
                { "1136073845.", -EINVAL, 0 },
                { "1136073845.x", -EINVAL, 0 },
                { "-1", -EINVAL, 0 },
                { "yesterday", -EINVAL, 0 },
                { "", -EINVAL, 0 },
                { "18446744073709551616", -ERANGE, 0 },
                { "99999999999", -ERANGE, 0 },
                { "9999999h", -ERANGE, 0 },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                uint64_t nsec = 42;
                int r = time_parse_argument(cases[i].text, now, &nsec);
                if (r != cases[i].result || (r == 0 && nsec != cases[i].nsec))
                        fail_msg("%s: %i %" PRIu64, cases[i].text, r, nsec);
        }
}

static void test_format(void **state) {
        char a[TIME_RFC3339_MAX], b[TIME_LOCAL_MAX];
        uint64_t nsec;

        assert_string_equal(time_format_rfc3339(0, a), "1970-01-01T00:00:00.000000000Z");
        assert_string_equal(time_format_rfc3339(1136214245ULL * S + 5, a), "2006-01-02T15:04:05.000000005Z");
        assert_int_equal(time_parse_date(a, &nsec), 0);
        assert_int_equal(nsec, 1136214245ULL * S + 5);
        assert_non_null(time_format_rfc3339(UINT64_MAX, a));
        assert_string_equal(time_format_local(1136214245ULL * USEC_PER_SEC, b), "2006-01-02 17:04:05 +0200 TST");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_duration),
                cmocka_unit_test(test_date),
                cmocka_unit_test(test_argument),
                cmocka_unit_test(test_format),
        };
        setenv("TZ", "TST-2", 1);
        tzset();
        return cmocka_run_group_tests(tests, NULL, NULL);
}

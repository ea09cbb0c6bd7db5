/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Points in time: see timestamp.h. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/strv.h"
#include "util/timestamp.h"

#define YEAR_MAX 2500 /* nanoseconds since 1970 fit in 64 bits until 2554 */
#define TIME_NSEC_MAX (16756761600 * NSEC_PER_SEC) /* when that begins to end */

static uint64_t clock_usec(clockid_t clock) {
        struct timespec ts = {};

        clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

uint64_t time_now_usec(void) {
        return clock_usec(CLOCK_REALTIME);
}

uint64_t time_monotonic_usec(void) {
        return clock_usec(CLOCK_MONOTONIC);
}

/* Digits at *s as a whole number; how many there were, or -ERANGE. */
static int read_number(const char **s, uint64_t *ret) {
        uint64_t value = 0;
        int n = 0;

        for (; **s >= '0' && **s <= '9'; (*s)++, n++)
                if (__builtin_mul_overflow(value, (uint64_t) 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (**s - '0'), &value))
                        return -ERANGE;
        *ret = value;
        return MIN_OF(n, 100);
}

/* A fraction behind the point, as billionths; digits beyond the ninth are dropped. The number of digits. */
static int read_fraction(const char **s, uint64_t *ret) {
        uint64_t value = 0, place = NSEC_PER_SEC / 10;
        int n = 0;

        for (; **s >= '0' && **s <= '9'; (*s)++, place /= 10) {
                value += place * (uint64_t) (**s - '0');
                n = 1;
        }
        *ret = value;
        return n;
}

int time_parse_duration(const char *s, int64_t *ret_nsec) {
        static const struct { const char *name; uint64_t nsec; } units[] = { /* longer names first */
                { "ns", 1 },           { "us", 1000 },               { "\u00b5s", 1000 },
                { "\u03bcs", 1000 },   { "ms", 1000000 },            { "s", NSEC_PER_SEC },
                { "m", 60 * NSEC_PER_SEC }, { "h", 3600 * NSEC_PER_SEC },
        };
        uint64_t total = 0;
        bool negative = *s == '-';

        if (*s == '-' || *s == '+')
                s++;
        if (streq(s, "0")) {
                *ret_nsec = 0;
                return 0;
        }
        if (!*s)
                return -EINVAL;
        while (*s) {
                uint64_t whole, fraction = 0, part;
                size_t i;
                int n = read_number(&s, &whole), m = 0;
                if (n < 0)
                        return n;
                if (*s == '.') {
                        s++;
                        m = read_fraction(&s, &fraction);
                }
                if (n + m == 0)
                        return -EINVAL;
                for (i = 0; i < N_ELEMENTS(units); i++)
                        if (startswith(s, units[i].name))
                                break;
                if (i == N_ELEMENTS(units))
                        return -EINVAL;
                s += strlen(units[i].name);
                if (__builtin_mul_overflow(whole, units[i].nsec, &part) || __builtin_add_overflow(total, part, &total))
                        return -ERANGE;
                part = (uint64_t) ((double) fraction / (double) NSEC_PER_SEC * (double) units[i].nsec + 0.5);
                if (__builtin_add_overflow(total, part, &total) || total > INT64_MAX)
                        return -ERANGE;
        }
        *ret_nsec = negative ? -(int64_t) total : (int64_t) total;
        return 0;
}

/* Exactly `count` digits. */
static bool read_digits(const char **s, unsigned count, int *ret) {
        *ret = 0;
        for (; count > 0; count--, (*s)++) {
                if (**s < '0' || **s > '9')
                        return false;
                *ret = *ret * 10 + (**s - '0');
        }
        return true;
}

/* "15", "15:04", "15:04:05", "15:04:05.123". */
static int read_clock(const char **s, struct tm *tm, uint64_t *ret_nsec) {
        if (!read_digits(s, 2, &tm->tm_hour))
                return -EINVAL;
        if (**s != ':')
                return tm->tm_hour > 23 ? -EINVAL : 0;
        (*s)++;
        if (!read_digits(s, 2, &tm->tm_min))
                return -EINVAL;
        if (**s == ':') {
                (*s)++;
                if (!read_digits(s, 2, &tm->tm_sec))
                        return -EINVAL;
                if (**s == '.') {
                        (*s)++;
                        if (read_fraction(s, ret_nsec) == 0)
                                return -EINVAL;
                }
        }
        return tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60 ? -EINVAL : 0;
}

/* "", "Z", "+01:00". 1: a zone, its offset in seconds; 0: none. */
static int read_zone(const char **s, int *ret_offset) {
        int hours, minutes;

        *ret_offset = 0;
        if (!**s)
                return 0;
        if (**s == 'Z' || **s == 'z') {
                (*s)++;
                return 1;
        }
        int sign = **s == '-' ? -1 : **s == '+' ? 1 : 0;
        if (sign == 0)
                return -EINVAL;
        (*s)++;
        if (!read_digits(s, 2, &hours) || *(*s)++ != ':' || !read_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
                return -EINVAL;
        *ret_offset = sign * (hours * 3600 + minutes * 60);
        return 1;
}

static bool day_exists(int year, int month, int day) {
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

int time_parse_date(const char *s, uint64_t *ret_nsec) {
        struct tm tm = { .tm_isdst = -1 };
        uint64_t nsec = 0;
        int year, month, offset, r = 0;

        if (!read_digits(&s, 4, &year) || *s++ != '-' || !read_digits(&s, 2, &month) || *s++ != '-' ||
            !read_digits(&s, 2, &tm.tm_mday) || !day_exists(year, month, tm.tm_mday))
                return -EINVAL;
        if (*s == 'T' || *s == 't' || (*s == ' ' && s[1])) {
                s++;
                r = read_clock(&s, &tm, &nsec);
        }
        if (r < 0)
                return r;
        int zoned = read_zone(&s, &offset);
        if (zoned < 0 || *s)
                return -EINVAL;
        if (year < 1970 || year > YEAR_MAX) { /* before all that is, or after it */
                *ret_nsec = year < 1970 ? 0 : TIME_NSEC_MAX;
                return 0;
        }
        tm.tm_year = year - 1900;
        tm.tm_mon = month - 1;
        time_t seconds = zoned ? timegm(&tm) - offset : mktime(&tm);
        *ret_nsec = seconds < 0 ? 0 : (uint64_t) seconds * NSEC_PER_SEC + nsec;
        return 0;
}

/* "1136073845", "1136073845.000000001" */
static int parse_seconds(const char *s, uint64_t *ret_nsec) {
        uint64_t seconds, nsec = 0;
        int n = read_number(&s, &seconds);

        if (n < 0)
                return n;
        if (n == 0)
                return -EINVAL;
        if (*s == '.') {
                s++;
                if (read_fraction(&s, &nsec) == 0)
                        return -EINVAL;
        }
        if (*s)
                return -EINVAL;
        if (__builtin_mul_overflow(seconds, NSEC_PER_SEC, &seconds) || __builtin_add_overflow(seconds, nsec, ret_nsec))
                return -ERANGE;
        return 0;
}

int time_parse_argument(const char *s, uint64_t now_nsec, uint64_t *ret_nsec) {
        int64_t ago;
        int r;

        r = parse_seconds(s, ret_nsec); /* before durations: 0 is 1970, as in Docker's API */
        if (r != -EINVAL)
                return r;
        r = time_parse_duration(s, &ago);
        if (r >= 0) {
                if (ago >= 0)
                        *ret_nsec = now_nsec > (uint64_t) ago ? now_nsec - (uint64_t) ago : 0;
                else if (__builtin_add_overflow(now_nsec, -(uint64_t) ago, ret_nsec))
                        return -ERANGE;
                return 0;
        }
        if (r == -ERANGE)
                return r;
        return time_parse_date(s, ret_nsec);
}

const char *time_format_rfc3339(uint64_t nsec, char buffer[TIME_RFC3339_MAX]) {
        time_t seconds = (time_t) (nsec / NSEC_PER_SEC);
        struct tm tm = {};
        char date[24];

        gmtime_r(&seconds, &tm);
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(buffer, TIME_RFC3339_MAX, "%s.%09uZ", date, (unsigned) (nsec % NSEC_PER_SEC));
        return buffer;
}

const char *time_format_local(uint64_t usec, char buffer[TIME_LOCAL_MAX]) {
        time_t seconds = (time_t) (usec / USEC_PER_SEC);
        struct tm tm = {};

        localtime_r(&seconds, &tm);
        if (strftime(buffer, TIME_LOCAL_MAX, "%Y-%m-%d %H:%M:%S %z %Z", &tm) == 0)
                buffer[0] = '\0';
        return buffer;
}

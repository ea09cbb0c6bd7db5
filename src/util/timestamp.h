/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Points in time as people and files write them. Microseconds since 1970 unless a name says otherwise. */
#pragma once

#include "util/macro.h"

#define USEC_PER_SEC 1000000ULL
#define NSEC_PER_SEC 1000000000ULL

uint64_t time_now_usec(void);       /* CLOCK_REALTIME */
uint64_t time_monotonic_usec(void); /* CLOCK_MONOTONIC */

/* Go's durations: 1h30m, 1.5s, 300ms, -2us, 0. Nanoseconds, with the sign. -EINVAL, -ERANGE. */
int time_parse_duration(const char *s, int64_t *ret_nsec);

/* RFC 3339 with any precision; `T` and the zone may be left out from the end (2006-01-02, 2006-01-02T15:04, …); without
 * a zone it is local time. Nanoseconds since 1970; what is before that counts as 1970, what is after 2500 as its end.
 * -EINVAL. */
int time_parse_date(const char *s, uint64_t *ret_nsec);

/* What --since and --until take: a duration before `now`, a date as above, or seconds since 1970 with a fraction. */
int time_parse_argument(const char *s, uint64_t now_nsec, uint64_t *ret_nsec);

/* "2006-01-02T15:04:05.123456789Z", always nine digits. */
#define TIME_RFC3339_MAX 36
const char *time_format_rfc3339(uint64_t nsec, char buffer[TIME_RFC3339_MAX]);

/* "2006-01-02 15:04:05 +0100 CET", as Docker prints CreatedAt. Local time. */
#define TIME_LOCAL_MAX 64
const char *time_format_local(uint64_t usec, char buffer[TIME_LOCAL_MAX]);

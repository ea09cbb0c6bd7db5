/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Restart policies: what their text may be, and what they decide. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/restarts.h"

#define MS UINT64_C(1000)
#define SEC UINT64_C(1000000)

static void test_text(void **state) {
        static const struct { const char *text; RestartKind kind; int max; const char *why; } cases[] = {
                { NULL,                       RESTART_NO,             0, NULL                                       },
                { "",                         RESTART_NO,             0, NULL                                       },
                { "no",                       RESTART_NO,             0, NULL                                       },
                { "no:0",                     RESTART_NO,             0, NULL                                       },
                { "always",                   RESTART_ALWAYS,         0, NULL                                       },
                { "unless-stopped",           RESTART_UNLESS_STOPPED, 0, NULL                                       },
                { "on-failure",               RESTART_ON_FAILURE,     0, NULL                                       },
                { "on-failure:0",             RESTART_ON_FAILURE,     0, NULL                                       },
                { "on-failure:7",             RESTART_ON_FAILURE,     7, NULL                                       },
                { "on-failure:2147483647",    RESTART_ON_FAILURE,     INT32_MAX, NULL                               },
                { "on-failure:2147483648",    RESTART_NO, 0, "maximum retry count must be an integer"               },
                { "on-failure:",              RESTART_NO, 0, "maximum retry count must be an integer"               },
                { "on-failure:x",             RESTART_NO, 0, "maximum retry count must be an integer"               },
                { "on-failure: 1",            RESTART_NO, 0, "maximum retry count must be an integer"               },
                { "on-failure:-1",            RESTART_NO, 0, "maximum retry count cannot be negative"               },
                { "on-failure:1:2",           RESTART_NO, 0, "invalid restart policy format"                        },
                { "always:3",  RESTART_NO, 0, "maximum retry count cannot be used with restart policy 'always'"     },
                { "no:1",      RESTART_NO, 0, "maximum retry count cannot be used with restart policy 'no'"         },
                { "unless-stopped:-1", RESTART_NO, 0, "cannot be used with restart policy 'unless-stopped'"         },
                { "foo",                      RESTART_NO, 0, "invalid restart policy 'foo'"                         },
                { "foo:1",                    RESTART_NO, 0, "invalid restart policy 'foo'"                         },
                { "Always",                   RESTART_NO, 0, "invalid restart policy 'Always'"                      },
                { "on-fail",                  RESTART_NO, 0, "invalid restart policy 'on-fail'"                     },
                { "always ",                  RESTART_NO, 0, "invalid restart policy 'always '"                     },
                { ":3",                       RESTART_NO, 0, "invalid restart policy ''"                            },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                RestartPolicy p = { .kind = RESTART_NO, .max_retries = -7 };
                char why[RESTART_TEXT_MAX];
                int r = restart_policy_parse(cases[i].text, &p, why);

                assert_int_equal(r, cases[i].why ? -EINVAL : 0);
                if (cases[i].why) {
                        assert_non_null(strstr(why, cases[i].why));
                        assert_int_equal(p.max_retries, -7); /* untouched */
                        continue;
                }
                assert_string_equal(why, "");
                assert_int_equal(p.kind, cases[i].kind);
                assert_int_equal(p.max_retries, cases[i].max);
        }
}

/* A long text is cut, not written over the end. */
static void test_long_text(void **state) {
        char text[1000], why[RESTART_TEXT_MAX];
        RestartPolicy p;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(restart_policy_parse(text, &p, why), -EINVAL);
        assert_true(strlen(why) < 100);
        memcpy(text, "no:", 3);
        assert_int_equal(restart_policy_parse(text, &p, why), -EINVAL);
        assert_true(strlen(why) < 120);
}

enum { NEVER = -1 };

/* One payload after the other: how it ended, how long it had lasted, and after how many ms the next is to be started. */
typedef struct Round { int code; uint64_t usec; int64_t delay_ms; } Round;

static const struct { const char *policy; Round rounds[14]; } lives[] = {
        { "no",             { { 1, 0, NEVER }, { 0, 0, NEVER } } },
        { "on-failure",     { { 0, 0, NEVER } } },
        { "on-failure",     { { 1, 0, 100 }, { 255, 0, 200 }, { 137, 0, 400 }, { 0, 0, NEVER } } },
        { "on-failure:1",   { { 3, 0, 100 }, { 3, 0, NEVER } } },
        { "on-failure:3",   { { 3, 0, 100 }, { 3, 0, 200 }, { 3, 60 * SEC, 100 }, { 3, 60 * SEC, NEVER } } },
        { "always",         { { 0, 0, 100 }, { 0, 0, 200 }, { 1, 0, 400 }, { 0, 0, 800 }, { 0, 0, 1600 }, { 0, 0, 3200 },
                              { 0, 0, 6400 }, { 0, 0, 12800 }, { 0, 0, 25600 }, { 0, 0, 51200 }, { 0, 0, 60000 },
                              { 0, 0, 60000 }, { 0, 10 * SEC, 100 }, { 0, 0, 200 } } },
        /* Ten seconds are a good run, all but a microsecond are not. */
        { "unless-stopped", { { 0, 0, 100 }, { 1, 10 * SEC - 1, 200 }, { 1, 10 * SEC, 100 }, { 1, 9999 * MS, 200 },
                              { 1, 3600 * SEC, 100 } } },
};

static void test_lives(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(lives); i++) {
                char why[RESTART_TEXT_MAX];
                Restarts r = { 0 };
                unsigned count = 0;

                assert_int_equal(restart_policy_parse(lives[i].policy, &r.policy, why), 0);
                for (const Round *round = lives[i].rounds; round < lives[i].rounds + 14 && round->delay_ms; round++) {
                        uint64_t delay = 12345;
                        bool again = restarts_decide(&r, round->code, round->usec, &delay);
                        assert_int_equal(again, round->delay_ms != NEVER);
                        assert_int_equal(delay, again ? (uint64_t) round->delay_ms * MS : 12345);
                        count += again;
                        assert_int_equal(r.count, count);
                }
        }
}

/* Which signals, sent by hand, end it: as dockerd 20.10 was seen to do. */
static void test_signals(void **state) {
        static const struct { const char *policy; int stop_signal, signo; bool again; } cases[] = {
                { "always",         0,       SIGTERM, false },
                { "always",         0,       SIGHUP,  false }, /* no stop signal to compare with: any is one */
                { "always",         0,       SIGKILL, false },
                { "always",         SIGTERM, SIGTERM, false },
                { "always",         SIGTERM, SIGKILL, false },
                { "always",         SIGTERM, SIGHUP,  true  },
                { "on-failure",     SIGTERM, SIGHUP,  true  },
                { "on-failure",     SIGTERM, SIGTERM, false },
                { "on-failure",     0,       SIGUSR1, false },
                { "unless-stopped", SIGTERM, SIGHUP,  false }, /* touched is as good as stopped */
                { "unless-stopped", SIGQUIT, SIGTERM, false },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                char why[RESTART_TEXT_MAX];
                Restarts r = { .stop_signal = cases[i].stop_signal };
                uint64_t delay;

                assert_int_equal(restart_policy_parse(cases[i].policy, &r.policy, why), 0);
                assert_true(restarts_decide(&r, 1, 0, &delay));
                restarts_signalled(&r, cases[i].signo);
                assert_true(r.touched);
                assert_int_equal(restarts_decide(&r, 1, 0, &delay), cases[i].again);
                assert_int_equal(r.count, 1u + cases[i].again);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_long_text),
                cmocka_unit_test(test_lives),
                cmocka_unit_test(test_signals),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

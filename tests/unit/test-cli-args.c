/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flags of the command line: every way to write one, and what each mistake is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "cli/args.h"
#include "util/strv.h"

static bool arg_force, arg_all, arg_proxy;
static char *arg_name, **arg_env;
static int32_t arg_timeout;

static const Arg rows[] = {
        { "force", 'f', ARG_BOOL, &arg_force, NULL, "force" },
        { "all", 'a', ARG_BOOL, &arg_all, NULL, "all" },
        { "sig-proxy", 0, ARG_BOOL, &arg_proxy, NULL, "proxy" },
        { "name", 'n', ARG_STRING, &arg_name, "string", "name" },
        { "env", 'e', ARG_STRV, &arg_env, "list", "env" },
        { "timeout", 't', ARG_I32, &arg_timeout, "int", "timeout" },
        { 0 },
};

/* `words` are split at blanks; `text` is what came out: f, a, p where set, name, env, timeout, arguments. */
static const struct { const char *words; ArgsFlags flags; int result; const char *text; } cases[] = {
        { "", 0, 0, "p [] [] 0:" },
        { "x y", 0, 0, "p [] [] 0: x y" },
        { "-f x --all y", 0, 0, "fap [] [] 0: x y" },
        { "-fa", 0, 0, "fap [] [] 0:" },
        { "-fan web", 0, 0, "fap [web] [] 0:" },
        { "-fanweb", 0, 0, "fap [web] [] 0:" },
        { "-n=web", 0, 0, "p [web] [] 0:" },
        { "--name=web", 0, 0, "p [web] [] 0:" },
        { "--name=a=b", 0, 0, "p [a=b] [] 0:" },
        { "--name=", 0, 0, "p [] [] 0:" },
        { "--name web x", 0, 0, "p [web] [] 0: x" },
        { "--name --force", 0, 0, "p [--force] [] 0:" }, /* as docker: a value is a value */
        { "--name - -", 0, 0, "p [-] [] 0: -" },
        { "-e A=1 -eB=2 --env=C=3 --env D", 0, 0, "p [] [A=1,B=2,C=3,D] 0:" },
        { "--sig-proxy=false", 0, 0, " [] [] 0:" },
        { "--sig-proxy false", 0, 0, "p [] [] 0: false" }, /* a boolean takes its value behind "=" only */
        { "-f=false -a=1", 0, 0, "ap [] [] 0:" },
        { "-t -1 x", 0, 0, "p [] [] -1: x" },
        { "-t-1", 0, 0, "p [] [] -1:" },
        { "-f -- -a --name", 0, 0, "fp [] [] 0: -a --name" },
        { "-f img -a --help", ARGS_STOP_AT_FIRST, 0, "fp [] [] 0: img -a --help" },
        { "-f -- img -a", ARGS_STOP_AT_FIRST, 0, "fp [] [] 0: img -a" },
        { "-f - -a", ARGS_STOP_AT_FIRST, 0, "fp [] [] 0: - -a" },
        { "-- --", 0, 0, "p [] [] 0: --" },
        { "x --help", 0, 1, NULL },
        { "-fh", 0, 1, NULL },
        { "--nope", 0, -EINVAL, "unknown flag: --nope" },
        { "--nope=1", 0, -EINVAL, "unknown flag: --nope" },
        { "--forc", 0, -EINVAL, "unknown flag: --forc" }, /* no abbreviations */
        { "--=x", 0, -EINVAL, "bad flag syntax: --=x" },
        { "-fz", 0, -EINVAL, "unknown shorthand flag: 'z' in -fz" },
        { "--name", 0, -EINVAL, "flag needs an argument: --name" },
        { "-fn", 0, -EINVAL, "flag needs an argument: 'n' in -fn" },
        { "-t abc", 0, -EINVAL, "invalid argument \"abc\" for \"-t, --timeout\" flag: a whole number is needed" },
        { "-t 99999999999", 0, -EINVAL,
          "invalid argument \"99999999999\" for \"-t, --timeout\" flag: a whole number is needed" },
        { "--sig-proxy=perhaps", 0, -EINVAL,
          "invalid argument \"perhaps\" for \"--sig-proxy\" flag: true or false is needed" },
        { "-f=", 0, -EINVAL, "invalid argument \"\" for \"-f, --force\" flag: true or false is needed" },
};

static char *describe(int n, char **words) {
        _cleanup_free_ char *env = strv_join(arg_env, ",");
        char *text, *more;

        assert_true(asprintf(&text, "%s%s%s [%s] [%s] %d:", arg_force ? "f" : "", arg_all ? "a" : "",
                             arg_proxy ? "p" : "",
                             arg_name ?: "", env, arg_timeout) >= 0);
        for (int i = 0; i < n; i++, text = more) {
                assert_true(asprintf(&more, "%s %s", text, words[i]) >= 0);
                free(text);
        }
        return text;
}

static void test_parse(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_strv_ char **words = NULL;
                _cleanup_free_ char *why = NULL, *text = NULL;
                int n = 0, r;

                arg_force = arg_all = false;
                arg_proxy = true;
                arg_timeout = 0;
                string_replace(&arg_name, NULL);
                arg_env = strv_free(arg_env);
                if (*cases[i].words)
                        assert_int_equal(strv_split(cases[i].words, ' ', &words), 0);
                /* The parser moves words around: what is freed is the original vector. */
                size_t count = strv_length(words);
                char *moved[16];
                for (size_t k = 0; k < count; k++)
                        moved[k] = words[k];

                r = args_parse(rows, cases[i].flags, (int) count, moved, &n, &why);
                if (r != cases[i].result)
                        fail_msg("\"%s\": %d, not %d", cases[i].words, r, cases[i].result);
                if (r > 0)
                        continue;
                text = r < 0 ? strdup(why) : describe(n, moved);
                assert_string_equal(text, cases[i].text);
        }
        string_replace(&arg_name, NULL);
        arg_env = strv_free(arg_env);
}

static void test_no_table(void **state) {
        char *words[] = { (char *) "a", (char *) "-x" };
        _cleanup_free_ char *why = NULL;
        int n;

        assert_int_equal(args_parse(NULL, 0, 2, words, &n, &why), -EINVAL);
        assert_string_equal(why, "unknown shorthand flag: 'x' in -x");
        assert_int_equal(args_parse(NULL, 0, 1, words, &n, &why), 0);
        assert_int_equal(n, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_no_table),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The option table: what its values may be, and that bus and file bring back what went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "container/container-options.h"
#include "container/option-values.h"
#include "util/io.h"
#include "util/signals.h"
#include "util/strv.h"
#include "util/utf8.h"

static const ContainerOption *find_option(const char *name) {
        for (size_t i = 0; i < n_container_options; i++)
                if (streq_null(container_options[i].flag, name) || streq_null(container_options[i].key, name))
                        return &container_options[i];
        fail_msg("there is no option %s", name);
        return NULL;
}

/* One value, as the command line takes it: parsed, then everything checked. */
static int take_value(ContainerSettings *s, const char *name, const char *value, char **ret_error) {
        const ContainerOption *o = find_option(name);
        void *member = (char *) s + o->offset;
        int r;

        if (o->parse)
                r = o->parse(value, member, ret_error);
        else
                r = o->type == OPTION_STRV ? strv_extend(member, value) : string_replace(member, value);
        return r < 0 ? r : container_settings_validate(s, ret_error);
}

static const struct { const char *option, *value; int result; } values[] = {
        { "name", "web", 0 },
        { "name", "a.b_c-1", 0 },
        { "name", "", 0 }, /* as if it were not given */
        { "name", "a", -EINVAL },
        { "name", "-web", -EINVAL },
        { "name", ".web", -EINVAL },
        { "name", "we b", -EINVAL },
        { "name", "../../etc", -EINVAL },
        { "name", "web/x", -EINVAL },
        { "name", "web\n", -EINVAL },
        { "name", "w\xc3\xa4" "b", -EINVAL },
        { "name", "\xff\xfe", -EINVAL },
        { "env", "A=1", 0 },
        { "env", "A=", 0 },
        { "env", "A=b=c", 0 },
        { "env", "A=line\nline", 0 },
        { "env", "=1", -EINVAL },
        { "env", "", -EINVAL },
        { "env", "A=\xff", -EINVAL },
        { "env", "A=\xed\xa0\x80", -EINVAL }, /* a surrogate */
        { "label", "a", 0 },
        { "label", "a=b", 0 },
        { "label", "=b", -EINVAL },
        { "hostname", "web-1.example.org", 0 },
        { "hostname", "-web", -EINVAL },
        { "hostname", "web.", -EINVAL },
        { "hostname", "a..b", -EINVAL },
        { "hostname", "a b", -EINVAL },
        { "hostname", "a\n127.0.0.1 evil", -EINVAL },
        { "hostname", "0123456789012345678901234567890123456789012345678901234567890123", 0 },
        { "hostname", "01234567890123456789012345678901234567890123456789012345678901234", -EINVAL },
        { "network", "none", 0 },
        { "network", "host", 0 },
        { "network", "Host", -EINVAL },
        { "network", "bridge", -EINVAL },
        { "pull", "never", 0 },
        { "pull", "sometimes", -EINVAL },
        { "stop-signal", "SIGTERM", 0 },
        { "stop-signal", "rtmin+3", 0 },
        { "stop-signal", "64", 0 },
        { "stop-signal", "65", -EINVAL },
        { "stop-signal", "0", -EINVAL },
        { "stop-signal", "SIGNOPE", -EINVAL },
        { "stop-signal", "RTMIN+99", -EINVAL },
        { "stop-signal", "RTMIN-1", -EINVAL },
        { "stop-timeout", "10", 0 },
        { "stop-timeout", "-1", 0 },
        { "stop-timeout", "-2", -EINVAL }, /* not taken for "not given" */
        { "stop-timeout", "2147483648", -EINVAL },
        { "stop-timeout", "10s", -EINVAL },
        { "stop-timeout", "", -EINVAL },
        { "user", "root", 0 },
        { "user", "1000:1000", 0 },
        { "user", "www-data:adm", 0 },
        { "user", "65535", 0 },
        { "user", "65536", -EINVAL },
        { "user", "0:65536", -EINVAL },
        { "user", "4294967296", -EINVAL },
        { "user", "99999999999999999999999", -EINVAL },
        { "user", ":0", 0 },
        { "user", ":staff", 0 },
        { "user", ":65536", -EINVAL },
        { "user", ":", -EINVAL },
        { "user", "0:", -EINVAL },
        { "user", "a b", -EINVAL },
        { "user", "../x", -EINVAL },
        { "user", "a:b:c", 0 }, /* a group of that name is looked for, and not found */
        { "workdir", "/srv", 0 },
        { "workdir", "srv", -EINVAL },
        { "workdir", "../srv", -EINVAL },
        { "entrypoint", "", 0 },
        { "entrypoint", "/bin/\xc0\xaf", -EINVAL }, /* an overlong slash */
        { "security-opt", "no-new-privileges", 0 },
        { "security-opt", "no-new-privileges:true", 0 },
        { "security-opt", "no-new-privileges=false", 0 },
        { "security-opt", "no-new-privileges:maybe", -EINVAL },
        { "security-opt", "no-new-privilegesX", -EINVAL },
        { "security-opt", "seccomp=unconfined", -EINVAL },
        { "command", "\xf5\x80\x80\x80", -EINVAL },
        { "image", "", -EINVAL },
};

static void test_values(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(values); i++) {
                _cleanup_(container_settings_done) ContainerSettings s;
                _cleanup_free_ char *why = NULL;
                int r;

                container_settings_init(&s);
                r = take_value(&s, values[i].option, values[i].value, &why);
                if (r != values[i].result)
                        fail_msg("--%s \"%s\": %d, not %d", values[i].option, values[i].value, r, values[i].result);
                if (r < 0) {
                        assert_non_null(why);
                        assert_null(strchr(why, '\n'));
                        assert_true(utf8_is_valid(why));
                }
        }
}

static void test_too_long(void **state) {
        static const char *const options[] = { "name", "env", "label", "hostname", "user", "workdir", "entrypoint",
                                               "image" };
        _cleanup_free_ char *value = malloc(200 * 1024);

        memset(value, 'a', 200 * 1024 - 1);
        value[0] = '/';
        value[5] = '=';
        value[200 * 1024 - 1] = '\0';
        for (size_t i = 0; i < N_ELEMENTS(options); i++) {
                _cleanup_(container_settings_done) ContainerSettings s;
                _cleanup_free_ char *why = NULL;

                container_settings_init(&s);
                assert_int_equal(take_value(&s, options[i], value, &why), -EINVAL);
                assert_true(strlen(why) < 300);
        }
}

static void test_too_many(void **state) {
        _cleanup_(container_settings_done) ContainerSettings s;
        _cleanup_free_ char *why = NULL, *value = calloc(1, 64 * 1024);

        container_settings_init(&s);
        memset(value, 'a', 64 * 1024 - 1);
        for (int i = 0; i < 33; i++)
                assert_int_equal(strv_extend(&s.command, value), 0);
        assert_int_equal(container_settings_validate(&s, &why), -EINVAL);
}

static void test_env_of_the_caller(void **state) {
        _cleanup_(container_settings_done) ContainerSettings s;
        _cleanup_free_ char *why = NULL;

        container_settings_init(&s);
        setenv("BERTH_TEST_HERE", "yes", 1);
        unsetenv("BERTH_TEST_NOT_HERE");
        assert_int_equal(take_value(&s, "env", "BERTH_TEST_HERE", &why), 0);
        assert_int_equal(take_value(&s, "env", "BERTH_TEST_NOT_HERE", &why), 0);
        assert_int_equal(take_value(&s, "env", "A=1", &why), 0);
        assert_int_equal(take_value(&s, "env", "A=2", &why), 0);
        assert_int_equal(strv_length(s.env), 2);
        assert_string_equal(s.env[0], "BERTH_TEST_HERE=yes");
        assert_string_equal(s.env[1], "A=2");
}

static void write_file(char *path, const char *text, size_t size) {
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, size), 0);
        close(fd);
}

static const struct { const char *text; size_t size; int result; const char *env; } files[] = {
        { "A=1\nB=2", 0, 0, "A=1 B=2" },
        { "\xef\xbb\xbf" "A=1\r\n\n  # no\n\t#no\n  B= 2 \n", 0, 0, "A=1 B= 2 " },
        { "A=\"x\"\n", 0, 0, "A=\"x\"" }, /* quotes are part of it, as with docker */
        { "A=1\nA=2\n", 0, 0, "A=2" },
        { "BERTH_TEST_NOT_HERE\n", 0, 0, "" },
        { "", 0, 0, "" },
        { "=1\n", 0, -EINVAL, NULL },
        { "A B=1\n", 0, -EINVAL, NULL },
        { "A=1\0B=2\n", 8, -EINVAL, NULL },
};

static void test_env_files(void **state) {
        unsetenv("BERTH_TEST_NOT_HERE");
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                _cleanup_(container_settings_done) ContainerSettings s;
                _cleanup_free_ char *why = NULL, *all = NULL;
                char path[] = "/tmp/berth-test-XXXXXX";

                container_settings_init(&s);
                write_file(path, files[i].text, files[i].size ?: strlen(files[i].text));
                assert_int_equal(strv_extend(&s.env_files, path), 0);
                assert_int_equal(container_settings_read_files(&s, &why), files[i].result);
                unlink(path);
                if (files[i].result < 0)
                        continue;
                all = strv_join(s.env, " ");
                assert_string_equal(all, files[i].env);
        }
}

static void test_flags_win_over_files(void **state) {
        _cleanup_(container_settings_done) ContainerSettings s;
        _cleanup_free_ char *why = NULL, *labels = NULL;
        char first[] = "/tmp/berth-test-XXXXXX", second[] = "/tmp/berth-test-XXXXXX";

        container_settings_init(&s);
        write_file(first, "a=1\nb=1\nc=1\n", 12);
        write_file(second, "b=2\nc=2\nd\n", 10);
        assert_int_equal(take_value(&s, "label", "c=3", &why), 0);
        assert_int_equal(strv_extend(&s.label_files, first), 0);
        assert_int_equal(strv_extend(&s.label_files, second), 0);
        assert_int_equal(container_settings_read_files(&s, &why), 0);
        unlink(first);
        unlink(second);
        labels = strv_join(s.labels, " ");
        assert_string_equal(labels, "a=1 b=2 c=3 d=");
        s.label_files = strv_free(s.label_files);
        assert_int_equal(strv_extend(&s.label_files, "/nonexistent/file"), 0);
        assert_int_equal(container_settings_read_files(&s, &why), -EINVAL);
        assert_non_null(strstr(why, "/nonexistent/file"));
}

static void fill_everything(ContainerSettings *s) {
        static const struct { const char *option, *value; } all[] = {
                { "name", "web" }, { "entrypoint", "" }, { "env", "A=1" }, { "env", "B=" }, { "label", "x" },
                { "workdir", "/w" }, { "user", "1:2" }, { "hostname", "h" }, { "stop-signal", "USR1" },
                { "stop-timeout", "-1" }, { "network", "host" }, { "pull", "never" },
                { "security-opt", "no-new-privileges" }, { "image", "busybox" }, { "command", "sh" }, { "command", "" },
        };
        _cleanup_free_ char *why = NULL;

        container_settings_init(s);
        for (size_t i = 0; i < N_ELEMENTS(all); i++)
                assert_int_equal(take_value(s, all[i].option, all[i].value, &why), 0);
        s->auto_remove = s->interactive = s->tty = s->read_only = s->init = true;
}

static void check_everything(const ContainerSettings *s, const char *image) {
        _cleanup_json_ json_object *had = NULL, *wanted = NULL;
        _cleanup_(container_settings_done) ContainerSettings all;

        fill_everything(&all);
        assert_int_equal(string_replace(&all.image, image), 0);
        assert_int_equal(container_settings_to_json(s, &had), 0);
        assert_int_equal(container_settings_to_json(&all, &wanted), 0);
        assert_string_equal(json_object_to_json_string(had), json_object_to_json_string(wanted));
}

static void test_json(void **state) {
        _cleanup_(container_settings_done) ContainerSettings s, back;
        _cleanup_json_ json_object *object = NULL;

        container_settings_init(&back);
        fill_everything(&s);
        assert_int_equal(container_settings_to_json(&s, &object), 0);
        assert_int_equal(json_object_object_length(object), 19);
        assert_int_equal(container_settings_from_json(object, &back), 0);
        check_everything(&back, "busybox");
}

static const struct { const char *text; int result; } json_cases[] = {
        { "{}", 0 },
        { "{\"somebody-elses\": 1}", 0 },
        { "{\"name\": 1}", -EINVAL },
        { "{\"name\": \"../x\"}", -EINVAL },
        { "{\"env\": \"A=1\"}", -EINVAL },
        { "{\"env\": [\"A\"]}", -EINVAL },
        { "{\"env\": [1]}", -EINVAL },
        { "{\"tty\": \"yes\"}", -EINVAL },
        { "{\"stop-timeout\": -2}", -EINVAL },
        { "{\"stop-timeout\": \"3\"}", -EINVAL },
};

static void test_json_refused(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(json_cases); i++) {
                _cleanup_(container_settings_done) ContainerSettings s;
                _cleanup_json_ json_object *object = NULL;

                container_settings_init(&s);
                assert_int_equal(json_parse(json_cases[i].text, strlen(json_cases[i].text), &object), 0);
                if ((container_settings_from_json(object, &s) < 0) != (json_cases[i].result < 0))
                        fail_msg("%s", json_cases[i].text);
        }
}

/* A bus without a bus: messages can be made on any connection that has begun. */
static int setup_bus(void **state) {
        int pair[2];
        sd_bus *bus;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, pair[0], pair[0]) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        close(pair[1]);
        *state = bus;
        return 0;
}

static int teardown_bus(void **state) {
        sd_bus_close_unref(*state);
        return 0;
}

static sd_bus_message *new_message(void **state) {
        sd_bus_message *m;

        assert_true(sd_bus_message_new_method_call(*state, &m, "a.b", "/", "a.b", "C") >= 0);
        return m;
}

static void finish(sd_bus_message *m) {
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_true(sd_bus_message_rewind(m, 1) >= 0);
}

static void test_bus(void **state) {
        _cleanup_(container_settings_done) ContainerSettings s, back;
        _cleanup_free_ char *why = NULL;
        sd_bus_message *m = new_message(state);

        container_settings_init(&back);
        fill_everything(&s);
        assert_true(container_settings_to_bus(&s, m) >= 0);
        finish(m);
        assert_true(container_settings_from_bus(m, &back, &why) >= 0);
        assert_null(back.image); /* that is CreateContainer's own argument */
        check_everything(&back, NULL);
        assert_int_equal(sd_bus_message_at_end(m, 1), 1);
        sd_bus_message_unref(m);
}

static const struct { const char *key, *type, *value; int number; const char *says; } bus_cases[] = {
        { "no-such-key", "s", "x", 0, "no-such-key" },
        { "image", "s", "x", 0, "image" },
        { "env-file", "s", "/etc/shadow", 0, "env-file" }, /* files are read by the client, with the client's rights */
        { "name", "i", NULL, 7, "type" },
        { "tty", "s", "true", 0, "type" },
        { "env", "s", "A=1", 0, "type" },
        { "name", "s", "a/b", 0, "name" },
        { "stop-timeout", "i", NULL, -2, "timeout" },
        { "stop-timeout", "u", NULL, 3, "type" },
};

static void test_bus_refused(void **state) {
        for (size_t i = 0; i < N_ELEMENTS(bus_cases); i++) {
                _cleanup_(container_settings_done) ContainerSettings s;
                _cleanup_free_ char *why = NULL;
                sd_bus_message *m = new_message(state);

                container_settings_init(&s);
                assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
                if (bus_cases[i].value)
                        assert_true(sd_bus_message_append(m, "{sv}", bus_cases[i].key, bus_cases[i].type,
                                                          bus_cases[i].value) >= 0);
                else
                        assert_true(sd_bus_message_append(m, "{sv}", bus_cases[i].key, bus_cases[i].type,
                                                          bus_cases[i].number) >= 0);
                assert_true(sd_bus_message_close_container(m) >= 0);
                finish(m);
                assert_int_equal(container_settings_from_bus(m, &s, &why), -EINVAL);
                assert_non_null(why);
                assert_non_null(strstr(why, bus_cases[i].says));
                sd_bus_message_unref(m);
        }
}

static void test_rows(void **state) {
        for (size_t i = 0; i < n_container_options; i++) {
                const ContainerOption *o = &container_options[i];

                assert_true(o->key || o->flag);
                if (!o->flag)
                        continue;
                assert_non_null(o->help);
                assert_true(o->verbs != 0);
                assert_true((o->type == OPTION_BOOL) == (o->argument == NULL));
                for (size_t j = i + 1; j < n_container_options; j++) {
                        assert_false(streq_null(o->flag, container_options[j].flag));
                        assert_false(o->short_flag && o->short_flag == container_options[j].short_flag);
                        assert_false(o->key && streq_null(o->key, container_options[j].key));
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_env_of_the_caller),
                cmocka_unit_test(test_env_files),
                cmocka_unit_test(test_flags_win_over_files),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_json_refused),
                cmocka_unit_test_setup_teardown(test_bus, setup_bus, teardown_bus),
                cmocka_unit_test_setup_teardown(test_bus_refused, setup_bus, teardown_bus),
                cmocka_unit_test(test_rows),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings over an image: the merged configuration, and the config.json made of it, which must be one that the
 * monitor reads. */
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "container/container-spec.h"
#include "oci/runtime-config.h"
#include "util/strv.h"

#define ID "ec4f5396631b3dc2dec83f52d77264e642e87d6bb9c0a79b8a7405074c4d598e"

static char **words(const char *text) {
        char **v = NULL;

        if (text)
                assert_int_equal(*text ? strv_split(text, ' ', &v) : strv_extend(&v, ""), 0);
        return v;
}

static json_object *image_config(const char *text) {
        json_object *object = NULL;

        if (text)
                assert_int_equal(json_parse(text, strlen(text), &object), 0);
        return object;
}

/* Docker's rules for entrypoint and arguments. "" is an empty string, NULL: not given. */
static void test_commands(void **state) {
        static const struct { const char *entrypoint, *command, *image, *result; } cases[] = {
                { NULL,  NULL,   "{\"Cmd\":[\"sh\"]}",                               "sh"      },
                { NULL,  "ls /", "{\"Cmd\":[\"sh\"]}",                               "ls /"    },
                { NULL,  NULL,   "{\"Cmd\":[\"b\"],\"Entrypoint\":[\"a\"]}",         "a b"     },
                { NULL,  "c d",  "{\"Cmd\":[\"b\"],\"Entrypoint\":[\"a\"]}",         "a c d"   },
                { "x",   NULL,   "{\"Cmd\":[\"b\"],\"Entrypoint\":[\"a\"]}",         "x"       }, /* leaves the image's arguments behind */
                { "x",   "y",    "{\"Cmd\":[\"b\"],\"Entrypoint\":[\"a\"]}",         "x y"     },
                { "",    "y",    "{\"Cmd\":[\"b\"],\"Entrypoint\":[\"a\"]}",         "y"       },
                { "",    NULL,   "{\"Cmd\":[\"b\"],\"Entrypoint\":[\"a\"]}",         NULL      },
                { NULL,  NULL,   "{\"Cmd\":null,\"Entrypoint\":null}",               NULL      },
                { NULL,  NULL,   "{}",                                               NULL      },
                { NULL,  NULL,   NULL,                                               NULL      },
                { NULL,  "true", NULL,                                               "true"    },
                { NULL,  NULL,   "{\"Cmd\":\"sh\"}",                                 NULL      }, /* mistyped */
                { NULL,  "true", "{\"Env\":[1]}",                                    NULL      },
                { NULL,  "true", "{\"StopSignal\":\"SIGNONSENSE\"}",                 NULL      },
        };

        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(container_settings_done) ContainerSettings s;
                _cleanup_(container_config_done) ContainerConfig c = { 0 };
                _cleanup_json_ json_object *image = image_config(cases[i].image);
                _cleanup_free_ char *why = NULL, *head = NULL, *tail = NULL, *all = NULL;

                container_settings_init(&s);
                s.entrypoint = words(cases[i].entrypoint);
                s.command = words(cases[i].command);
                int r = container_config_merge(&s, image, &c, &why);
                if (!cases[i].result) {
                        assert_int_equal(r, -EINVAL);
                        assert_non_null(why);
                        continue;
                }
                assert_int_equal(r, 0);
                head = strv_join(c.entrypoint, " ");
                tail = strv_join(c.command, " ");
                assert_true(asprintf(&all, "%s%s%s", head, *head && *tail ? " " : "", tail) >= 0);
                assert_string_equal(all, cases[i].result);
        }
}

static void test_merge(void **state) {
        _cleanup_(container_settings_done) ContainerSettings s;
        _cleanup_(container_config_done) ContainerConfig c = { 0 };
        _cleanup_json_ json_object *image = image_config(
                "{\"Cmd\":[\"sh\"],\"Env\":[\"A=image\",\"B=image\",\"BROKEN\"],\"Labels\":{\"l\":\"image\",\"m\":\"image\"},"
                "\"User\":\"app\",\"WorkingDir\":\"srv\",\"StopSignal\":\"SIGQUIT\"}");
        _cleanup_free_ char *why = NULL, *env = NULL, *labels = NULL;

        container_settings_init(&s);
        s.env = words("B=mine C=mine");
        s.labels = words("m=mine");
        s.security_opt = words("no-new-privileges");
        assert_int_equal(container_config_merge(&s, image, &c, &why), 0);
        env = strv_join(c.env, " ");
        labels = strv_join(c.labels, " ");
        assert_string_equal(env, "B=mine C=mine A=image BROKEN"); /* as Docker's inspect has them */
        assert_string_equal(labels, "m=mine l=image");
        assert_string_equal(c.user, "app");
        assert_string_equal(c.working_dir, "/srv"); /* an image may leave the slash out */
        assert_int_equal(c.stop_signal, SIGQUIT);
        assert_int_equal(c.stop_timeout, STOP_TIMEOUT_DEFAULT);
        assert_true(c.no_new_privileges);
}

static void fill(Container *c, const char *network) {
        static ContainerHost host = { .statedir = "/var/lib/berth", .rundir = "/run/berth" };
        char *why = NULL;

        *c = (Container) { .host = &host, .ids_base = 655360, .id = ID };
        container_settings_init(&c->settings);
        c->settings.name = strdup("web");
        c->name = c->settings.name;
        c->settings.image = strdup("busybox");
        c->settings.command = words("sh -c true");
        c->settings.network = network ? strdup(network) : NULL;
        c->settings.tty = true;
        c->settings.user = strdup("app:staff");
        c->settings.env = words("PATH=/mine X==");
        c->image_id = strdup(ID);
        c->image_digest = strdup("sha256:" ID);
        memset(c->result.run_id, 'a', 32);
        c->image_config = image_config("{\"Env\":[\"BROKEN\",\"=x\",\"TERM=vt100\"]}");
        assert_int_equal(container_config_merge(&c->settings, c->image_config, &c->config, &why), 0);
}

static void clear(Container *c) {
        container_settings_done(&c->settings);
        container_config_done(&c->config);
        free(c->image_id);
        free(c->image_digest);
        json_object_put(c->image_config);
}

static void test_spec(void **state) {
        _cleanup_json_ json_object *spec = NULL;
        _cleanup_(runtime_config_freep) RuntimeConfig *config = NULL;
        _cleanup_free_ char *args = NULL;
        const char *where = NULL;
        Container c;

        fill(&c, NULL);
        assert_int_equal(container_spec_new(&c, "/top:/bottom", "/cache/x.bpf", &spec), 0);
        assert_int_equal(runtime_config_read(spec, &config, &where), 0);
        args = strv_join(config->process.args, " ");
        assert_string_equal(args, "sh -c true");
        assert_string_equal(strv_env_get(config->process.env, "PATH"), "/mine");
        assert_string_equal(strv_env_get(config->process.env, "X"), "=");
        assert_string_equal(strv_env_get(config->process.env, "TERM"), "vt100");
        assert_string_equal(strv_env_get(config->process.env, "HOSTNAME"), "ec4f5396631b");
        assert_false(strv_contains(config->process.env, "BROKEN"));
        assert_string_equal(config->process.username, "app:staff");
        assert_string_equal(config->process.cwd, "/");
        assert_true(config->process.terminal);
        assert_int_equal(config->namespaces, CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS |
                                                     CLONE_NEWCGROUP | CLONE_NEWUSER | CLONE_NEWNET);
        assert_int_equal(config->uid_map.host_id, 655360);
        assert_int_equal(config->gid_map.size, 65536);
        assert_string_equal(config->hostname, "ec4f5396631b");
        assert_int_equal(config->process.bounding, container_capabilities());
        assert_int_equal(config->process.inheritable, 0);
        assert_int_equal(config->process.ambient, 0);
        assert_int_equal(__builtin_popcountll(container_capabilities()), 14);
        assert_false(container_capabilities() & (UINT64_C(1) << CAP_SYS_ADMIN));
        assert_string_equal(runtime_config_annotation(config, "layers"), "/top:/bottom");
        assert_string_equal(runtime_config_annotation(config, "state"), "/var/lib/berth/containers/" ID);
        assert_string_equal(runtime_config_annotation(config, "seccomp"), "/cache/x.bpf");
        assert_string_equal(runtime_config_annotation(config, "stopSignal"), "15");
        assert_null(runtime_config_annotation(config, "logBatches")); /* nobody has said which systemd this is */
        assert_null(runtime_config_annotation(config, "init"));
        assert_null(runtime_config_annotation(config, "stdinOnce")); /* without -i there is no stdin */
        for (size_t i = 0; i < config->n_mounts; i++) /* what is bound is found in the monitor's namespace, by path */
                if (streq(config->mounts[i].type, "bind"))
                        assert_non_null(startswith(config->mounts[i].source, "/run/berth/containers/" ID "/"));
        clear(&c);
}

static void test_host_network(void **state) {
        _cleanup_json_ json_object *spec = NULL;
        _cleanup_(runtime_config_freep) RuntimeConfig *config = NULL;
        bool sys = false;
        Container c;

        fill(&c, "host");
        c.settings.interactive = c.settings.init = true;
        c.settings.attach = words("stdin stdout");
        c.settings.console_size = strdup("50x132");
        assert_int_equal(container_spec_new(&c, "/one", NULL, &spec), 0);
        assert_int_equal(runtime_config_read(spec, &config, NULL), 0);
        assert_false(config->namespaces & CLONE_NEWNET);
        assert_true(!config->sysctls || !config->sysctls[0]); /* these would be the host's */
        for (size_t i = 0; i < config->n_mounts; i++)
                if (streq(config->mounts[i].destination, "/sys")) {
                        assert_false(sys);
                        sys = true;
                        assert_string_equal(config->mounts[i].type, "bind");
                        assert_true(strv_contains(config->mounts[i].options, "ro"));
                }
        assert_true(sys);
        assert_null(runtime_config_annotation(config, "seccomp"));
        assert_string_equal(runtime_config_annotation(config, "init"), "true");
        assert_string_equal(runtime_config_annotation(config, "stdinOnce"), "true");
        assert_int_equal(config->process.rows, 50);
        assert_int_equal(config->process.columns, 132);
        clear(&c);
}

static void test_exec(void **state) {
        _cleanup_json_ json_object *object = NULL;
        _cleanup_(runtime_process_freep) RuntimeProcess *process = NULL;
        ExecSettings exec = { .command = words("id -u"), .env = words("PATH=/exec") };
        Container c;

        fill(&c, NULL);
        assert_int_equal(container_spec_exec(&c, &exec, &object), 0);
        assert_int_equal(runtime_process_read(object, &process, NULL), 0);
        assert_string_equal(process->username, "app:staff"); /* the container's, unless asked otherwise */
        assert_string_equal(strv_env_get(process->env, "PATH"), "/exec");
        assert_string_equal(strv_env_get(process->env, "X"), "=");
        assert_false(process->terminal);
        strv_free(exec.command);
        strv_free(exec.env);
        clear(&c);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_merge),
                cmocka_unit_test(test_spec),
                cmocka_unit_test(test_host_network),
                cmocka_unit_test(test_exec),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

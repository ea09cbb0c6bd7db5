/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.json: what is understood, and that whatever is not is refused and named. */
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oci/runtime-config.h"
#include "util/strv.h"

#define PROCESS "\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\"}"
#define LINUX "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}"
#define BEGIN "{\"ociVersion\":\"1.0.2\","

static int read_text(const char *text, RuntimeConfig **ret, char *where, size_t size) {
        _cleanup_json_ json_object *object = NULL;
        const char *fault = "";
        int r = json_parse(text, strlen(text), &object);

        assert_int_equal(r, 0);
        r = runtime_config_read(object, ret, &fault);
        snprintf(where, size, "%s", fault);
        return r;
}

static void test_whole(void **state) {
        static const char text[] =
                BEGIN "\"process\":{\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},\"user\":{\"uid\":1,"
                        "\"gid\":2,"
                "\"additionalGids\":[3,4],\"username\":\"web:www\"},\"args\":[\"sh\",\"-c\",\"true\"],"
                        "\"env\":[\"A=b=c\",\"D=\"],\"cwd\":\"/srv\","
                "\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_CHECKPOINT_RESTORE\"],\"effective\":[\"CAP_KILL\"],"
                        "\"ambient\":[]},"
                "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":10,\"hard\":20},{\"type\":\"RLIMIT_CORE\","
                        "\"soft\":18446744073709551615,"
                "\"hard\":18446744073709551615}],\"noNewPrivileges\":true,\"oomScoreAdj\":-500},\"root\":{"
                        "\"path\":\"rootfs\",\"readonly\":true},"
                "\"hostname\":\"box\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","
                        "\"options\":[\"nosuid\"]}],"
                "\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":524288,\"size\":65536}],\"gidMappings\":[{"
                        "\"containerID\":0,"
                "\"hostID\":524288,\"size\":65536}],\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"},{"
                        "\"type\":\"pid\"}],"
                "\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"],\"sysctl\":{\"a.b\":\"1\"},"
                        "\"resources\":{},"
                "\"cgroupsPath\":\"/x\"},\"annotations\":{\"org.berth.id\":\"0123\",\"org.berth.idle\":\"no\","
                        "\"other\":\"x\"}}";
        _cleanup_(runtime_config_freep) RuntimeConfig *c = NULL;
        char where[64];

        assert_int_equal(read_text(text, &c, where, sizeof(where)), 0);
        assert_true(c->process.terminal && c->process.no_new_privileges && c->root_readonly &&
                c->process.has_oom_score_adj);
        assert_int_equal(c->process.rows, 24);
        assert_int_equal(c->process.columns, 80);
        assert_int_equal(c->process.gid, 2);
        assert_int_equal(c->process.n_groups, 2);
        assert_int_equal(c->process.groups[1], 4);
        assert_string_equal(c->process.username, "web:www");
        assert_string_equal(c->process.args[2], "true");
        assert_string_equal(c->process.env[0], "A=b=c");
        assert_int_equal(c->process.oom_score_adj, -500);
        assert_true(c->process.bounding == (UINT64_C(1) << CAP_KILL | UINT64_C(1) << CAP_CHECKPOINT_RESTORE));
        assert_true(c->process.effective == UINT64_C(1) << CAP_KILL);
        assert_int_equal(c->process.n_rlimits, 2);
        assert_int_equal(c->process.rlimits[0].limit.rlim_max, 20);
        assert_true(c->process.rlimits[1].limit.rlim_cur == RLIM_INFINITY);
        assert_int_equal(c->namespaces, CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID);
        assert_int_equal(c->uid_map.host_id, 524288);
        assert_int_equal(c->n_mounts, 1);
        assert_string_equal(c->mounts[0].options[0], "nosuid");
        assert_string_equal(c->sysctls[0], "a.b=1");
        assert_string_equal(runtime_config_annotation(c, "id"), "0123");
        assert_null(runtime_config_annotation(c, "i"));
        assert_null(runtime_config_annotation(c, "nothing"));
}

static void test_refused(void **state) {
        static const struct {
                const char *text;
                int result;
                const char *where;
        } cases[] = {
                { BEGIN PROCESS "," LINUX "}", 0, "" },
                { "[]", -EINVAL, "" },
                { "{" PROCESS "," LINUX "}", -EINVAL, "ociVersion" },
                { "{\"ociVersion\":\"2.0.0\"," PROCESS "," LINUX "}", -EINVAL, "ociVersion" },
                { "{\"ociVersion\":1," PROCESS "," LINUX "}", -EINVAL, "ociVersion" },
                { BEGIN LINUX "}", -EINVAL, "process" },
                { BEGIN PROCESS "}", -EINVAL, "linux" },
                { BEGIN PROCESS "," LINUX ",\"hooks\":{}}", -EOPNOTSUPP, "hooks" },
                { BEGIN PROCESS "," LINUX ",\"hooks\":null}", 0, "" },
                { BEGIN PROCESS "," LINUX ",\"hostname\":\"a\\u0000b\"}", -EINVAL, "hostname" },
                { BEGIN PROCESS "," LINUX ","
                  "\"hostname\":\"12345678901234567890123456789012345678901234567890123456789012345\"}", -ERANGE,
                  "hostname" },
                { BEGIN PROCESS "," LINUX ",\"annotations\":{\"a\":1}}", -EINVAL, "annotations" },
                { BEGIN PROCESS "," LINUX ",\"mounts\":[{\"destination\":\"proc\",\"type\":\"proc\"}]}", -EINVAL,
                  "destination" },
                { BEGIN PROCESS "," LINUX ",\"mounts\":[{\"destination\":\"/proc\"}]}", -EINVAL, "type" },
                { BEGIN PROCESS "," LINUX ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\","
                  "\"uidMappings\":[]}]}", -EOPNOTSUPP,
                  "uidMappings" },
                { BEGIN PROCESS "," LINUX ",\"mounts\":{}}", -EINVAL, "mounts" },
                { BEGIN PROCESS "," LINUX ",\"root\":{\"readonly\":1}}", -EINVAL, "readonly" },

                { BEGIN "\"process\":{\"args\":[],\"cwd\":\"/\"}," LINUX "}", -EINVAL, "args" },
                { BEGIN "\"process\":{\"args\":[1],\"cwd\":\"/\"}," LINUX "}", -EINVAL, "args" },
                { BEGIN "\"process\":{\"args\":[\"a\"]}," LINUX "}", -EINVAL, "cwd" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"\"}," LINUX "}", -EINVAL, "cwd" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"../x\"}," LINUX "}", -EINVAL, "cwd" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"env\":[\"NOTHING\"]}," LINUX "}", -EINVAL,
                  "env" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"env\":[\"=x\"]}," LINUX "}", -EINVAL, "env" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"selinuxLabel\":\"x\"}," LINUX "}", -EOPNOTSUPP,
                  "selinuxLabel" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":-1}}," LINUX "}", -EINVAL,
                  "uid" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":4294967296}}," LINUX "}",
                  -ERANGE, "uid" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"umask\":18}}," LINUX "}", -EOPNOTSUPP,
                  "umask" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"capabilities\":{\"bounding\":[\"KILL\"]}},"
                  "" LINUX "}", -EINVAL, "bounding" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\","
                  "\"soft\":2,\"hard\":1}]}," LINUX "}",
                  -EINVAL, "rlimits" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,"
                  "\"hard\":1}]}," LINUX "}",
                  -EINVAL, "rlimits" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,"
                  "\"hard\":1},"
                  "{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}]}," LINUX "}", -EINVAL, "rlimits" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"oomScoreAdj\":1001}," LINUX "}", -ERANGE,
                  "oomScoreAdj" },
                { BEGIN "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"consoleSize\":{\"height\":70000,\"width\":1}},"
                  "" LINUX "}", -ERANGE,
                  "consoleSize" },

                { BEGIN PROCESS ",\"linux\":{}}", -EOPNOTSUPP, "linux.namespaces" },
                  /* never without a mount namespace */
                { BEGIN PROCESS ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"mount\"}]}}", -EINVAL,
                  "namespaces" },
                { BEGIN PROCESS ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"time\"}]}}", -EINVAL,
                  "namespaces" },
                { BEGIN PROCESS ",\"linux\":{\"namespaces\":[{\"type\":\"mount\",\"path\":\"/proc/1/ns/mnt\"}]}}",
                  -EOPNOTSUPP, "namespaces" },
                { BEGIN PROCESS ",\"linux\":{\"namespaces\":[1]}}", -EINVAL, "namespaces" },
                { BEGIN PROCESS ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}]}}", -EINVAL,
                  "linux.uidMappings" },
                { BEGIN PROCESS ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],\"uidMappings\":[{\"containerID\":0,"
                  "\"hostID\":1,\"size\":1}]}}",
                  -EINVAL, "linux.uidMappings" },
                { BEGIN PROCESS ",\"linux\":{\"uidMappings\":[{\"containerID\":1,\"hostID\":1,\"size\":1}]}}", -ERANGE,
                  "uidMappings" },
                { BEGIN PROCESS ",\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":4294967295,\"size\":2}]}}",
                  -ERANGE, "uidMappings" },
                { BEGIN PROCESS ",\"linux\":{\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":0}]}}", -ERANGE,
                  "gidMappings" },
                { BEGIN PROCESS ",\"linux\":{\"maskedPaths\":[\"proc\"]}}", -EINVAL, "maskedPaths" },
                { BEGIN PROCESS ",\"linux\":{\"seccomp\":{}}}", -EOPNOTSUPP, "seccomp" },
                { BEGIN PROCESS ",\"linux\":{\"rootfsPropagation\":\"shared\"}}", -EOPNOTSUPP, "rootfsPropagation" },
                { BEGIN PROCESS ",\"linux\":{\"sysctl\":{\"a=b\":\"1\"}}}", -EINVAL, "sysctl" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(runtime_config_freep) RuntimeConfig *c = NULL;
                char where[64];

                print_message("%s\n", cases[i].text);
                assert_int_equal(read_text(cases[i].text, &c, where, sizeof(where)), cases[i].result);
                assert_string_equal(where, cases[i].where);
                assert_int_equal(c != NULL, cases[i].result == 0);
        }
}

static void test_process(void **state) {
        static const char text[] = "{\"args\":[\"id\"],\"cwd\":\"/\",\"user\":{\"username\":\"\"}}";
        _cleanup_(runtime_process_freep) RuntimeProcess *p = NULL;
        _cleanup_json_ json_object *object = NULL, *array = json_object_new_array();
        const char *where;

        assert_int_equal(json_parse(text, strlen(text), &object), 0);
        assert_int_equal(runtime_process_read(object, &p, &where), 0);
        assert_string_equal(p->username, ""); /* asked for nobody: not the same as not asked */
        p = runtime_process_free(p);
        assert_int_equal(runtime_process_read(array, &p, &where), -EINVAL);
        assert_string_equal(where, "");

        for (size_t i = 0; i < 70000; i++) /* more than anybody needs */
                json_object_array_add(array, json_object_new_string("x"));
        json_object_object_add(object, "args", json_object_get(array));
        assert_int_equal(runtime_process_read(object, &p, &where), -E2BIG);
        assert_string_equal(where, "args");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_process),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

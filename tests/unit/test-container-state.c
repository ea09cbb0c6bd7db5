/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's files: what was saved is loaded again, and what a crash, a disk or somebody else left there is
 * refused, not believed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "container/container-bundle.h"
#include "container/container.h"
#include "util/fs.h"
#include "util/strv.h"

#define ID "ec4f5396631b3dc2dec83f52d77264e642e87d6bb9c0a79b8a7405074c4d598e"
#define RUN "0123456789abcdef0123456789abcdef"

typedef struct Fixture {
        char root[64];
        char *state, *run;
        ContainerHost host;
        int dir_fd; /* STATEDIR/containers/ID */
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));
        _cleanup_free_ char *a = NULL, *b = NULL;

        strcpy(f->root, "/tmp/test-container-state.XXXXXX");
        assert_non_null(mkdtemp(f->root));
        assert_true(asprintf(&f->state, "%s/state", f->root) > 0 && asprintf(&f->run, "%s/run", f->root) > 0);
        assert_true(asprintf(&a, "%s/containers/" ID, f->state) > 0 && asprintf(&b, "%s/containers/" ID, f->run) > 0);
        assert_int_equal(fs_mkdir_all(a, 0700), 0);
        assert_int_equal(fs_mkdir_all(b, 0700), 0);
        f->host = (ContainerHost) { .statedir = f->state, .rundir = f->run };
        f->dir_fd = fs_open_dir(AT_FDCWD, a);
        assert_true(f->dir_fd >= 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        fd_close(f->dir_fd);
        assert_int_equal(fs_remove_tree(AT_FDCWD, f->root), 0);
        free(f->state);
        free(f->run);
        free(f);
        return 0;
}

static Container *make(Fixture *f) {
        Container *c = calloc(1, sizeof(Container));

        c->host = &f->host;
        strcpy(c->id, ID);
        container_settings_init(&c->settings);
        c->settings.name = strdup("web");
        c->name = c->settings.name;
        c->settings.image = strdup("busybox:latest");
        assert_int_equal(strv_extend(&c->settings.command, "sleep"), 0);
        assert_int_equal(strv_extend(&c->settings.env, "A=b\nc"), 0);
        c->settings.stop_timeout = -1;
        c->settings.init = true;
        c->created_usec = 1764000000000000;
        c->image_id = strdup(ID);
        c->image_digest = strdup("sha256:" ID);
        assert_int_equal(json_parse("{\"Cmd\":[\"sh\"]}", 14, &c->image_config), 0);
        return c;
}

static void test_round_trip(void **state) {
        Fixture *f = *state;
        _cleanup_(container_freep) Container *c = make(f), *d = NULL;

        assert_int_equal(container_load(&f->host, f->dir_fd, ID, &d), -ENOENT);
        assert_int_equal(container_save(c), 0);
        assert_int_equal(container_load(&f->host, f->dir_fd, ID, &d), 0);
        assert_string_equal(d->name, "web");
        assert_string_equal(d->settings.image, "busybox:latest");
        assert_string_equal(d->settings.env[0], "A=b\nc");
        assert_int_equal(d->settings.stop_timeout, -1);
        assert_true(d->settings.init);
        assert_string_equal(d->config.command[0], "sleep");
        assert_string_equal(d->image_id, ID);
        assert_int_equal(d->created_usec, c->created_usec);
        assert_int_equal(d->state, CONTAINER_CREATED);
        assert_int_equal(container_load_result(d, f->dir_fd), -ENOENT);
}

static void test_result(void **state) {
        Fixture *f = *state;
        _cleanup_(container_freep) Container *c = make(f), *d = NULL;

        strcpy(c->result.run_id, RUN);
        c->result.exit_code = 137;
        c->result.signal = 9;
        c->result.oom_killed = true;
        c->result.error = strdup("the monitor was killed");
        c->result.started_usec = 5;
        c->result.finished_usec = UINT64_C(1764000000000001);
        c->result.log_ordinal = 17;
        c->unit = strdup("berth-web.scope");
        assert_int_equal(container_save(c), 0);
        assert_int_equal(container_save_result(c), 0);
        assert_int_equal(container_load(&f->host, f->dir_fd, ID, &d), 0);
        assert_int_equal(container_load_result(d, f->dir_fd), 0);
        assert_int_equal(d->state, CONTAINER_EXITED);
        assert_string_equal(d->result.run_id, RUN);
        assert_int_equal(d->result.exit_code, 137);
        assert_true(d->result.oom_killed);
        assert_string_equal(d->result.error, "the monitor was killed");
        assert_null(d->result.stopped_by);
        assert_int_equal(d->result.finished_usec, c->result.finished_usec);
        assert_int_equal(d->result.log_ordinal, 17);
        assert_string_equal(d->unit, "berth-web.scope");
}

/* A start that failed is no run: the container is as it was created, and its exit code says what went wrong. */
static void test_never_ran(void **state) {
        Fixture *f = *state;
        _cleanup_(container_freep) Container *c = make(f), *d = NULL;

        strcpy(c->result.run_id, RUN);
        c->result.exit_code = 127;
        assert_int_equal(container_save(c), 0);
        assert_int_equal(container_save_result(c), 0);
        assert_int_equal(container_load(&f->host, f->dir_fd, ID, &d), 0);
        assert_int_equal(container_load_result(d, f->dir_fd), 0);
        assert_int_equal(d->state, CONTAINER_CREATED);
        assert_int_equal(d->result.exit_code, 127);
}

#define IMAGE "\"image\":{\"id\":\"" ID "\"}"

static void test_bad_containers(void **state) {
        static const char *const texts[] = {
                "", "{", "null", "[]", "{}",
                "{\"version\":1,\"id\":\"" ID "\",\"created\":1,\"settings\":{}," IMAGE "}",               /* no name */
                "{\"version\":1,\"id\":\"" ID "\",\"created\":1,\"settings\":{\"name\":\"w\"}," IMAGE "}", /* no valid one */
                "{\"version\":1,\"id\":\"" ID "\",\"created\":1,\"settings\":{\"name\":\"../x\",\"image\":\"i\",\"command\":[\"x\"]}," IMAGE "}",
                "{\"version\":2,\"id\":\"" ID "\",\"created\":1,\"settings\":{\"name\":\"web\",\"image\":\"i\",\"command\":[\"x\"]}," IMAGE "}",
                "{\"version\":1,\"id\":\"abc\",\"created\":1,\"settings\":{\"name\":\"web\",\"image\":\"i\",\"command\":[\"x\"]}," IMAGE "}",
                "{\"version\":1,\"id\":\"" ID "\",\"created\":-1,\"settings\":{\"name\":\"web\",\"image\":\"i\",\"command\":[\"x\"]}," IMAGE "}",
                "{\"version\":1,\"id\":\"" ID "\",\"created\":1,\"settings\":{\"name\":\"web\",\"image\":\"i\",\"command\":[\"x\"]},\"image\":{\"id\":\"../..\"}}",
                "{\"version\":1,\"id\":\"" ID "\",\"created\":1,\"settings\":{\"name\":\"web\",\"image\":\"i\"}," IMAGE "}", /* nothing to run */
        };
        Fixture *f = *state;

        for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
                Container *c = NULL;
                assert_int_equal(fs_write_file(f->dir_fd, "container.json", texts[i], strlen(texts[i]), 0600, 0), 0);
                assert_int_equal(container_load(&f->host, f->dir_fd, ID, &c), -EBADMSG);
                assert_null(c);
        }
}

static void test_exit_records(void **state) {
        static const struct { const char *text; int result; } cases[] = {
                { "{\"runId\":\"" RUN "\",\"exitCode\":3,\"stoppedBy\":\"\",\"error\":\"\"}",   0        },
                { "{\"runId\":\"" RUN "\",\"exitCode\":3,\"logLost\":5}",                       0        }, /* more than we know */
                { "{\"runId\":\"ffffffffffffffffffffffffffffffff\",\"exitCode\":3}",            -EBADMSG }, /* another run's */
                { "{\"runId\":\"" RUN "\"}",                                                    -EBADMSG },
                { "{\"runId\":\"" RUN "\",\"exitCode\":99999999999}",                           -EBADMSG },
                { "{\"runId\":\"" RUN "0\",\"exitCode\":3}",                                    -EBADMSG },
                { "{\"runId\":\"" RUN "\",\"exitCode\":3,\"logEpoch\":\"" RUN RUN "\"}",        -EBADMSG },
                { "{\"runId\":\"" RUN "\",\"exitCode\":3",                                      -EBADMSG },
                { "",                                                                           -EBADMSG },
        };
        Fixture *f = *state;
        ContainerResult result;

        assert_int_equal(container_result_read(f->dir_fd, RUN, &result), -ENOENT);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                assert_int_equal(fs_write_file(f->dir_fd, "exit.json", cases[i].text, strlen(cases[i].text), 0600, 0),
                                 0);
                int r = container_result_read(f->dir_fd, RUN, &result);
                assert_int_equal(r, cases[i].result);
                if (r < 0)
                        continue;
                assert_int_equal(result.exit_code, 3);
                assert_null(result.error); /* "" is none */
                assert_null(result.stopped_by);
                container_result_done(&result);
        }
}

static void test_runs(void **state) {
        Fixture *f = *state;
        RunRecord out = {
                .unit = (char *) "berth-web.scope", .ids_base = 655360, .monitor = 77, .monitor_start = 123456789};
        _cleanup_(run_record_done) RunRecord in = { 0 };

        assert_int_equal(container_bundle_load_run(f->dir_fd, &in), -ENOENT);
        strcpy(out.run_id, RUN);
        assert_int_equal(container_bundle_save_run(f->dir_fd, &out), 0);
        assert_int_equal(container_bundle_load_run(f->dir_fd, &in), 0);
        assert_string_equal(in.unit, out.unit);
        assert_string_equal(in.run_id, RUN);
        assert_int_equal(in.ids_base, out.ids_base);
        assert_int_equal(in.monitor, 77);
        assert_int_equal(in.monitor_start, 123456789);
        assert_int_equal(fs_write_file(f->dir_fd, "run.json", "{\"runId\":\"x\"}", 13, 0600, 0), 0);
        run_record_done(&in);
        assert_true(container_bundle_load_run(f->dir_fd, &in) < 0);
}

/* What a machine that went down left: the mark of a run, and perhaps what its monitor wrote. */
static void test_lost_runs(void **state) {
        static const char record[] = "{\"runId\":\"" RUN "\",\"exitCode\":7,\"started\":5,\"finished\":6}";
        Fixture *f = *state;
        _cleanup_(container_freep) Container *c = make(f);
        ContainerResult result = { 0 };

        assert_int_equal(container_lost_run(c, &result), 0);
        strcpy(c->result.run_id, RUN);
        assert_int_equal(container_mark_running(c), 0);
        assert_int_equal(container_mark_running(c), 0); /* a later berthd does, too */
        assert_int_equal(container_lost_run(c, &result), 0); /* its end is known: nothing is lost */

        strcpy(c->result.run_id, "");
        assert_int_equal(container_lost_run(c, &result), 1);
        assert_string_equal(result.run_id, RUN);
        assert_int_equal(result.exit_code, 255);
        assert_non_null(result.error);
        assert_true(result.started_usec > 0 && result.finished_usec >= result.started_usec);
        container_result_done(&result);

        assert_int_equal(fs_write_file(f->dir_fd, "exit.json", record, strlen(record), 0600, 0), 0);
        assert_int_equal(container_lost_run(c, &result), 1);
        assert_int_equal(result.exit_code, 7);
        c->result = result;
        assert_int_equal(container_save_result(c), 0);
        assert_int_equal(faccessat(f->dir_fd, "running", F_OK, AT_SYMLINK_NOFOLLOW), -1);
        assert_int_equal(faccessat(f->dir_fd, "exit.json", F_OK, 0), -1);

        assert_int_equal(symlinkat("somewhere", f->dir_fd, "running"), 0);
        assert_int_equal(container_lost_run(c, &result), -EBADMSG);
        c->settings.auto_remove = true;
        assert_int_equal(container_lost_run(c, &result), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
                cmocka_unit_test_setup_teardown(test_result, setup, teardown),
                cmocka_unit_test_setup_teardown(test_never_ran, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bad_containers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_exit_records, setup, teardown),
                cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
                cmocka_unit_test_setup_teardown(test_lost_runs, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

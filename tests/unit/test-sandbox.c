/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sandbox with a busybox image: exit codes, what it looks like inside, what the configuration asks for, exec,
 * terminals. */
#include "sandbox-fixture.h"

/* --- exit codes ------------------------------------------------------------------------------------------------- */

static void test_exit_codes(void) {
        static const struct {
                const char *args;
                int status, refused;
                const char *error;
        } cases[] = {
                { "[\"true\"]", 0, 0, "" },
                { "[\"sh\",\"-c\",\"exit 7\"]", 7, 0, "" },
                { "[\"sh\",\"-c\",\"kill -9 $$; exit 3\"]", 3, 0, "" }, /* PID 1 does not get its own KILL */
                { "[\"missing\"]", -1, 127, "exec: \"missing\": executable file not found in $PATH" },
                { "[\"\"]", -1, 127, "exec: \"\": executable file not found in $PATH" },
                { "[\"/bin/missing\"]", -1, 127, "exec: \"/bin/missing\": stat /bin/missing: no such file or "
                  "directory" },
                { "[\"/etc\"]", -1, 126, "exec: \"/etc\": is a directory" },
                { "[\"/bin/noexec\"]", -1, 126, "exec: \"/bin/noexec\": permission denied" },
                { "[\"noexec\"]", -1, 126, "exec: \"noexec\": permission denied" },
                { "[\"nonsense\"]", -1, 126, "exec /bin/nonsense: exec format error" },
                { "[\"/bin/lost\"]", -1, 127, "exec /bin/lost: no such file or directory" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Result res = run(&(Run) { .args = cases[i].args });
                CHECK(res.status == cases[i].status, "%s: status %i (%s)", cases[i].args, res.status, res.error.text);
                CHECK(res.error.exit_code == cases[i].refused, "%s: code %i", cases[i].args, res.error.exit_code);
                CHECK(streq(res.error.text, cases[i].error), "%s: %s", cases[i].args, res.error.text);
                result_end(&res);
        }
}

/* --- what it looks like inside ----------------------------------------------------------------------------------- */

static void test_inside(void) {
        static const struct {
                const char *command;
                const char *expected; /* in the output */
        } cases[] = {
                { "cat /proc/self/uid_map", "         0  600047616      65536\n" },
                { "cat /proc/self/gid_map", "         0  600047616      65536\n" },
                { "id", "uid=0(root) gid=0(root) groups=0(root)\n" }, /* the primary group, too: CVE-2022-36109 */
                { "readlink /etc/mtab", "/proc/mounts\n" },
                { "stat -c '%u %g %a' /dev/mqueue; touch /dev/mqueue/x && stat -c %u /dev/mqueue/x",
                  "0 0 1777\n0\n" },
                { "grep -cE '^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ / ' /proc/self/mountinfo", "1\n" }, /* one root */
                { "stat -c '%u %g' / /bin/busybox /etc/above", "0 0\n0 0\n0 0\n" },
                { "touch /new && mkdir /d && stat -c '%u %g %a' /new /d", "0 0 644\n0 0 755\n" },
                { "cat /etc/above", "above\n" },
                { "echo x > /bin/noexec && cat /bin/noexec", "x\n" }, /* copied up */
                { "hostname", "boxed\n" },
                { "cat /etc/hosts /etc/hostname", "127.0.0.1 localhost\nboxed\n" },
                { "echo x > /etc/hostname", "Read-only file system" },
                { "cat /etc/resolv.conf /run/systemd/resolve/stub-resolv.conf",
                  "nameserver 192.0.2.1\nnameserver 192.0.2.1\n" },
                { "ip -o link show lo", "<LOOPBACK,UP,LOWER_UP>" },
                { "ping -c1 -w2 127.0.0.1", "1 packets received" },
                { "stat -c '%n %F %u %g %a' /dev/null /dev/full /dev/tty", "/dev/null character special file 0 0 666\n"
                  "/dev/full character special file 0 0 666\n/dev/tty character special file 0 0 666\n" },
                { "echo gone > /dev/null; dd if=/dev/urandom of=/dev/null bs=8 count=1 2>/dev/null && echo fine",
                  "fine\n" },
                { "readlink /dev/fd; readlink /dev/stdout; readlink /dev/ptmx",
                  "/proc/self/fd\n/proc/self/fd/1\npts/ptmx\n" },
                { "echo through > /dev/stdout", "through\n" },
                { "grep -E 'Cap(Prm|Eff|Bnd|Amb)' /proc/self/status",
                  "CapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
                  "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n" },
                                { "umask; pwd", "0022\n/\n" },
                { "env", "HOME=/root\n" },
                { "ls /proc/self/fd", "0\n1\n2\n3\n" }, /* 3 is ls's own */
                { "ps > /tmp/all; grep -c . /tmp/all", "3\n" }, /* a heading, sh, ps */
                { "cat /proc/kcore | grep -c .; ls -A /sys/firmware /proc/acpi /proc/scsi | grep -v : | grep -c .",
                  "0\n" },
                { "echo 1 > /proc/sys/net/ipv4/ip_forward", "Read-only file system\n" },
                { "cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start",
                  "0\t65535\n0\n" },
                { "mount | grep -E ' (/|/proc|/sys|/dev|/dev/pts|/dev/shm|/dev/mqueue|/sys/fs/cgroup) ' | grep -c .",
                  "8\n" },
                { "grep -c /var/tmp /proc/self/mountinfo", "3\n" }, /* hosts, hostname, resolv.conf, and no scratch */
                { "touch /sys/fs/cgroup/x", "Read-only file system\n" },
                { "cat /proc/self/cgroup", "0::/\n" },
                { "mount -t tmpfs none /tmp", "permission denied" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ json_object *args = json_object_new_array();
                json_object_array_add(args, json_object_new_string("sh"));
                json_object_array_add(args, json_object_new_string("-c"));
                json_object_array_add(args, json_object_new_string(cases[i].command));
                Result res = run(&(Run) { .args = json_object_to_json_string(args) });
                CHECK(has(&res, cases[i].expected), "%s:\n%s%s", cases[i].command, res.output, res.error.text);
                result_end(&res);
        }
}

/* --- what the configuration asks for ------------------------------------------------------------------------------ */

static void test_options(void) {
        static const struct {
                Run run;
                int status;
                const char *expected; /* in the output or the error */
        } cases[] = {
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"web\"}" }, 0,
                  "uid=33(web) gid=33(www) groups=4(adm),33(www),50(logs)\n" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"\"}" }, 0,
                  "uid=0(root) gid=0(root) groups=0(root),4(adm)\n" },
                { { .args = "[\"grep\",\"-E\",\"NoNewPrivs|Seccomp:|Sig(Blk|Ign)\",\"/proc/1/status\"]" }, 0,
                  "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\n" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"web:4\"}" }, 0,
                  "uid=33(web) gid=4(adm)" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"1234:4321\"}" }, 0, "uid=1234 gid=4321" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7,8]}" }, 0,
                  "uid=5 gid=6 groups=6,7,8\n" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"nobody\"}" }, -1,
                  "unable to find user nobody: no matching entries in passwd file" },
                { { .args = "[\"id\"]", .process = ",\"user\":{\"username\":\"far\"}" }, -1,
                  "user 70000 is above 65535" },
                { { .args = "[\"env\"]", .process = ",\"user\":{\"username\":\"web\"}" }, 0, "HOME=/srv/web\n" },
                { { .args = "[\"grep\",\"Cap\",\"/proc/self/status\"]", .process = ",\"user\":{\"username\":\"web\"}" },
                  0,
                  "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\n"
                  "CapAmb:\t0000000000000000\n" },
                { { .args = "[\"sh\",\"-c\",\"echo mine > /dev/stdout\"]",
                  .process = ",\"user\":{\"username\":\"web\"}" }, 0, "mine\n" },
                { { .args = "[\"grep\",\"NoNewPrivs\",\"/proc/self/status\"]", .process = ",\"noNewPrivileges\":true" },
                  0, "NoNewPrivs:\t1\n" },
                { { .args = "[\"sh\",\"-c\",\"pwd; stat -c '%u %a' .\"]", .process = ",\"cwd\":\"/made/for/it\"" }, 0,
                  "/made/for/it\n0 755\n" },
                { { .args = "[\"pwd\"]", .process = ",\"cwd\":\"/etc/above\"" }, -1,
                  "cannot make the working directory /etc/above: Not a directory" },
                { { .args = "[\"true\"]", .process = ",\"cwd\":\"/proc/self/fd/3\"" }, -1,
                  "cannot enter the working directory" },
                { { .args = "[\"sh\",\"-c\",\"ulimit -n; ulimit -Hn\"]",
                    .process = ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":100,\"hard\":200}]" }, 0,
                            "100\n200\n" },
                { { .args = "[\"cat\",\"/proc/self/oom_score_adj\"]", .process = ",\"oomScoreAdj\":500" }, 0, "500\n" },
                { { .args = "[\"touch\",\"/x\"]", .root = ",\"readonly\":true" }, 1, "Read-only file system" },
                { { .args = "[\"touch\",\"/dev/shm/x\"]", .root = ",\"readonly\":true" }, 0, "" },
                { { .args = "[\"id\"]", .host_users = true }, 0, "uid=0(root)" },
                { { .args = "[\"cat\",\"/proc/self/uid_map\"]", .host_users = true }, 0, "4294967295" },
                { { .args = "[\"id\"]", .host_users = true, .process = ",\"user\":{\"username\":\"far\"}" }, 0,
                  "uid=70000(far)" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                Result res = run(&cases[i].run);
                CHECK(res.status == cases[i].status, "%s%s: status %i (%s)", cases[i].run.args,
                        cases[i].run.process ?: "",
                      res.status, res.error.text);
                CHECK(has(&res, cases[i].expected) || strstr(res.error.text, cases[i].expected), "%s%s:\n%s%s",
                        cases[i].run.args,
                      cases[i].run.process ?: "", res.output, res.error.text);
                result_end(&res);
        }
}

/* What a program that launches takes for itself, its payloads do not get: not by run, not by exec. Nor is the link to
 * /proc/kcore there without that file. */
static void test_limits(void) {
        struct rlimit before, now;

        if (getrlimit(RLIMIT_NOFILE, &before) < 0)
                die("limit");
        struct rlimit low = { .rlim_cur = 77, .rlim_max = before.rlim_max };
        if (setrlimit(RLIMIT_NOFILE, &low) < 0)
                die("limit");
        CHECK(sandbox_keep_limits() == 0, "not kept");
        CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == before.rlim_max, "%llu of %llu",
              (unsigned long long) now.rlim_cur, (unsigned long long) before.rlim_max);
        _cleanup_free_ char *wanted = before.rlim_max == RLIM_INFINITY ? strdup("77\nunlimited\n")
                                      : text("77\n%llu\n", (unsigned long long) before.rlim_max);
        _cleanup_free_ char *core = text("%i\n", access("/proc/kcore", F_OK) == 0);
        Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"ulimit -n; ulimit -Hn; ls /dev | grep -cx core\"]" });
        CHECK(has(&res, wanted) && has(&res, core), "%s (%s)", res.output, res.error.text);
        result_end(&res);
}

/* On disk the ids are those of the inside. */
static void test_upper_ids(void) {
        Result res = run(&(Run) { .args = "[\"touch\",\"/made\"]", .process = ",\"user\":{\"username\":\"0:33\"}" });
        _cleanup_free_ char *made = text("%s/state-%u/upper/made", top, serial);
        struct stat st;

        CHECK(stat(made, &st) >= 0 && st.st_uid == 0 && st.st_gid == 33, "%s: %u:%u", made, st.st_uid, st.st_gid);
        result_end(&res);
}

/* --- exec -------------------------------------------------------------------------------------------------------- */

static RuntimeProcess *make_process(const char *args, const char *more) {
        _cleanup_free_ char *json = text("{\"args\":%s,\"cwd\":\"/\",\"env\":[\"PATH=/bin\"]%s}", args, more);
        _cleanup_json_ json_object *object = NULL;
        RuntimeProcess *p = NULL;

        if (json_parse(json, strlen(json), &object) < 0 || runtime_process_read(object, &p, NULL) < 0)
                die(json);
        return p;
}

static void test_exec(void) {
        static const struct {
                const char *args, *more;
                int status, refused;
                const char *expected;
        } cases[] = {
                { "[\"id\"]", "", 0, 0, "uid=0(root)" },
                { "[\"id\"]", ",\"user\":{\"username\":\"web\"}", 0, 0,
                  "uid=33(web) gid=33(www) groups=4(adm),33(www),50(logs)" },
                { "[\"id\"]", ",\"user\":{\"username\":\"nosuch\"}", -1, 126, "unable to find user nosuch" },
                { "[\"sh\",\"-c\",\"exit 9\"]", "", 9, 0, "" },
                { "[\"cat\",\"/tmp/left\"]", "", 0, 0, "by init\n" },
                { "[\"hostname\"]", "", 0, 0, "boxed\n" },
                { "[\"ps\"]", "", 0, 0, "sleep 1000" },
                { "[\"grep\",\"Cap\",\"/proc/self/status\"]", ",\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}", 0, 0,
                  "CapEff:\t0000000000000020\n" },
                { "[\"missing\"]", "", -1, 127, "exec: \"missing\": executable file not found in $PATH" },
                { "[\"/etc\"]", "", -1, 126, "exec: \"/etc\": is a directory" },
                { "[\"ls\",\"/proc/self/fd\"]", "", 0, 0, "0\n1\n2\n3\n" },
        };
        Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"echo by init > /tmp/left; echo up; exec sleep 1000\"]",
                .keep = true });
        char line[8];

        CHECK(res.sandbox && read(res.output_fd, line, 3) == 3, "not started: %s", res.error.text);
        for (size_t i = 0; i < N_ELEMENTS(cases) && res.sandbox; i++) {
                _cleanup_(runtime_process_freep) RuntimeProcess *p = make_process(cases[i].args, cases[i].more);
                Result exec = { .status = -1, .output_fd = -EBADF, .input_fd = -EBADF };
                int out[2], pidfd = -EBADF, terminal;
                pid_t pid;

                if (pipe2(out, O_CLOEXEC) < 0)
                        die("pipe");
                int stdio[3] = { -EBADF, out[1], out[1] };
                int r = sandbox_exec(res.sandbox, p, stdio, -EBADF, &pid, &pidfd, &terminal, &exec.error);
                fd_close(out[1]);
                exec.output_fd = out[0];
                if (r >= 0) {
                        read_output(&exec);
                        exec.status = wait_status(pidfd);
                        fd_close(pidfd);
                }
                CHECK(exec.status == cases[i].status, "%s: status %i (%s)", cases[i].args, exec.status,
                        exec.error.text);
                CHECK(exec.error.exit_code == cases[i].refused, "%s: code %i", cases[i].args, exec.error.exit_code);
                CHECK(has(&exec, cases[i].expected) || strstr(exec.error.text, cases[i].expected), "%s:\n%s%s",
                        cases[i].args,
                      exec.output, exec.error.text);
                result_end(&exec);
        }
        if (res.sandbox) { /* and when it has ended */
                _cleanup_(runtime_process_freep) RuntimeProcess *p = make_process("[\"true\"]", "");
                int stdio[3] = { -EBADF, -EBADF, -EBADF }, pidfd, terminal;
                SandboxError error = { 0 };
                pid_t pid;

                kill(sandbox_pid(res.sandbox), SIGKILL);
                CHECK(wait_status(sandbox_pidfd(res.sandbox)) == 137, "not killed");
                CHECK(sandbox_exec(res.sandbox, p, stdio, -EBADF, &pid, &pidfd, &terminal, &error) < 0,
                        "runs in nothing");
                CHECK(streq(error.text, "the container is not running"), "%s", error.text);
        }
        result_end(&res);
}

/* --- terminal ---------------------------------------------------------------------------------------------------- */

static void test_terminal(void) {
        Result res = run(&(Run) { .args = "[\"sh\",\"-c\",\"tty; stty size; stat -c '%F' /dev/console; echo ctl > "
                "/dev/tty; stat -c '%u' $(tty)\"]",
                                  .process = ",\"consoleSize\":{\"height\":33,\"width\":111},\"user\":{"
                                          "\"username\":\"web\"}",
                                  .terminal = true });
        CHECK(res.status == 0, "status %i: %s", res.status, res.error.text);
        CHECK(has(&res, "/dev/pts/0\r\n33 111\r\ncharacter special file\r\nctl\r\n33\r\n"), "%s", res.output);
        result_end(&res);

        res = run(&(Run) { .args = "[\"sleep\",\"1000\"]", .keep = true });
        if (res.sandbox) {
                _cleanup_(runtime_process_freep) RuntimeProcess *p =
                        make_process("[\"sh\",\"-c\",\"tty; echo ctl > /dev/tty\"]", ",\"terminal\":true");
                int stdio[3] = { -EBADF, -EBADF, -EBADF }, pidfd;
                Result exec = { .output_fd = -EBADF, .input_fd = -EBADF };
                pid_t pid;
                int r = sandbox_exec(res.sandbox, p, stdio, -EBADF, &pid, &pidfd, &exec.output_fd, &exec.error);
                CHECK(r >= 0, "%s", exec.error.text);
                if (r >= 0) {
                        read_output(&exec);
                        CHECK(wait_status(pidfd) == 0, "failed");
                        CHECK(has(&exec, "/dev/pts/0\r\nctl\r\n"), "%s", exec.output);
                        fd_close(pidfd);
                }
                result_end(&exec);
        }
        result_end(&res);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                SANDBOX_TEST(test_exit_codes),
                SANDBOX_TEST(test_inside),
                SANDBOX_TEST(test_options),
                SANDBOX_TEST(test_upper_ids),
                SANDBOX_TEST(test_exec),
                SANDBOX_TEST(test_terminal),
                SANDBOX_TEST(test_limits),
        };

        return sandbox_tests(tests, N_ELEMENTS(tests));
}

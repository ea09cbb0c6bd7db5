/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-log-limit UNIT: does journald honour /run/systemd/units/log-rate-limit-burst:UNIT? Run by berthd as UNIT, with a limit so small that
 * journald has to drop some of a few lines. Prints one word: `honoured`; `unlimited`, it honours none but has no limit for anybody either;
 * `limited`; `unknown`, the lines did not come. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"
#include "util/timestamp.h"

/* A burst of 1 is made more where much of the disk is free: (log2(free bytes) - 16) / 4, 11 for all that a number can say. */
#define N_LINES 16
#define WAIT_USEC (10 * USEC_PER_SEC)
#define CONFIG_MAX ((size_t) 1024 * 1024)

/* --- The test --- */

/* To stderr, which is journald's. journald counts debug apart, so that the last one is not dropped: with it, all have arrived. */
static void write_lines(unsigned long long token) {
        for (unsigned i = 1; i <= N_LINES; i++)
                dprintf(STDERR_FILENO, "<7>A test of the rate limit, which is to drop some of these lines: %u of %i (%llu)\n", i, N_LINES, token);
        dprintf(STDERR_FILENO, "<6>The end of the test of the rate limit (%llu)\n", token);
}

/* Counts what has arrived. 1: the last one, too. */
static int count_lines(sd_journal *j, uint64_t since, unsigned long long token, unsigned *ret) {
        char suffix[32];
        const void *data;
        size_t size;
        int r = sd_journal_seek_realtime_usec(j, since);

        int n = snprintf(suffix, sizeof(suffix), "(%llu)", token);
        *ret = 0;
        while (r >= 0 && (r = sd_journal_next(j)) > 0) {
                if (sd_journal_get_data(j, "MESSAGE", &data, &size) < 0 || size < (size_t) n)
                        continue;
                if (memcmp((const char *) data + size - n, suffix, (size_t) n) != 0)
                        continue;
                if (startswith(data, "MESSAGE=The end"))
                        return 1;
                ++*ret;
        }
        return r;
}

static int test(sd_journal *j, const char *unit, unsigned *ret) {
        _cleanup_free_ char *match = NULL;
        uint64_t since = time_now_usec(), deadline = time_monotonic_usec() + WAIT_USEC;
        int r;

        if (asprintf(&match, "_SYSTEMD_UNIT=%s", unit) < 0)
                return -ENOMEM;
        r = sd_journal_add_match(j, match, 0);
        if (r >= 0)
                r = sd_journal_get_fd(j); /* changes are noticed from now on */
        if (r < 0)
                return r;
        write_lines(since);
        for (;;) {
                uint64_t now = time_monotonic_usec();
                r = count_lines(j, since, since, ret);
                if (r != 0)
                        return r;
                if (now >= deadline)
                        return 0;
                r = sd_journal_wait(j, deadline - now);
                if (r < 0)
                        return r;
        }
}

/* --- journald's configuration: is there a limit for anybody? --- */

static bool is_zero(const char *value) {
        value += strspn(value, " \t");
        size_t n = strspn(value, "0");
        return n > 0 && !(value[n] >= '0' && value[n] <= '9') && value[n] != '.';
}

/* The last assignment counts; none after the equals sign: the default. */
static void read_config(const char *path, bool off[2]) {
        static const char *const keys[] = { "RateLimitBurst", "RateLimitIntervalSec" };
        _cleanup_free_ char *text = NULL;
        char *p, *line;
        size_t size;

        if (fs_read_file(AT_FDCWD, path, CONFIG_MAX, &text, &size) < 0)
                return;
        for (p = text; (line = strsep(&p, "\n"));) {
                char *equals = strchr(line, '=');
                if (!equals)
                        continue;
                line += strspn(line, " \t");
                size_t n = strcspn(line, " \t=");
                for (size_t i = 0; i < N_ELEMENTS(keys); i++)
                        if (strlen(keys[i]) == n && memcmp(line, keys[i], n) == 0)
                                off[i] = is_zero(equals + 1);
        }
}

static const char *const config_dirs[] = { "/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd" };

/* A file hides those of the same name in later directories. */
static int find_drop_ins(char ***ret) {
        for (size_t i = 0; i < N_ELEMENTS(config_dirs); i++) {
                _cleanup_free_ char *path = NULL;
                if (asprintf(&path, "%s/journald.conf.d", config_dirs[i]) < 0)
                        return -ENOMEM;
                DIR *dir = opendir(path);
                if (!dir)
                        continue;
                int r = 0;
                for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                        size_t n = strlen(e->d_name);
                        if (n > 5 && streq(e->d_name + n - 5, ".conf") && *e->d_name != '.' && !strv_contains(*ret, e->d_name))
                                r = strv_extendf(ret, "%s", e->d_name);
                }
                closedir(dir);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void read_first(const char *name, bool off[2]) {
        for (size_t i = 0; i < N_ELEMENTS(config_dirs); i++) {
                _cleanup_free_ char *path = NULL;
                if (asprintf(&path, "%s/%s", config_dirs[i], name) < 0)
                        return;
                if (access(path, F_OK) >= 0) {
                        read_config(path, off);
                        return;
                }
        }
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool limit_is_off(void) {
        _cleanup_strv_ char **drop_ins = NULL;
        bool off[2] = { false, false };

        read_first("journald.conf", off);
        if (find_drop_ins(&drop_ins) < 0)
                return false;
        if (drop_ins)
                qsort(drop_ins, strv_length(drop_ins), sizeof(char *), compare);
        for (char **d = drop_ins; d && *d; d++) {
                _cleanup_free_ char *name = NULL;
                if (asprintf(&name, "journald.conf.d/%s", *d) >= 0)
                        read_first(name, off);
        }
        return off[0] || off[1];
}

int main(int argc, char *argv[]) {
        sd_journal *j = NULL;
        unsigned n = 0;
        int r;

        log_open("berth-log-limit");
        if (argc != 2) {
                log_error("Usage: berth-log-limit UNIT");
                return EXIT_FAILURE;
        }
        r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r >= 0)
                r = test(j, argv[1], &n);
        if (j)
                sd_journal_close(j);
        if (r < 0)
                log_error("The journal cannot be read: %s", strerror(-r));
        puts(r <= 0 || n == 0 ? "unknown" : n < N_LINES ? "honoured" : limit_is_off() ? "unlimited" : "limited");
        return EXIT_SUCCESS;
}

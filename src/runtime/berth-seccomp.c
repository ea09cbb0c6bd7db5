/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-seccomp MASK PATH: builds the filter for the capabilities of MASK (hexadecimal) and puts it at PATH, whole or not at all. Run by
 * berthd in a unit of its own that may write to nothing but the directory of filters. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime/seccomp-build.h"
#include "util/fs.h"
#include "util/log.h"

static int parse_mask(const char *text, uint64_t *ret) {
        char *end;

        if (!isxdigit((unsigned char) text[0])) /* strtoull takes blanks and signs */
                return -EINVAL;
        errno = 0;
        *ret = strtoull(text, &end, 16);
        return errno != 0 ? -errno : *end != '\0' ? -EINVAL : 0;
}

static int run(uint64_t capabilities, const char *path) {
        _cleanup_free_ struct sock_filter *filter = NULL;
        SeccompSituation situation;
        SeccompFamily family;
        const char *where;
        size_t n;
        int r;

        r = seccomp_situation_now(capabilities, &situation);
        if (r < 0) {
                log_error("Cannot tell which kernel this is: %s", strerror(-r));
                return r;
        }
        family = seccomp_family_native(situation.machine);
        r = seccomp_build(&situation, &family, &filter, &n, &where);
        if (r < 0) {
                log_error("Cannot build the seccomp filter%s%s: %s", where ? ", at " : "", where ? where : "", strerror(-r));
                return r;
        }
        r = fs_write_file(AT_FDCWD, path, filter, n * sizeof(*filter), 0600, WRITE_SYNC);
        if (r < 0)
                log_error("Cannot write the seccomp filter to %s: %s", path, strerror(-r));
        return r;
}

int main(int argc, char *argv[]) {
        uint64_t capabilities;

        log_open("berth-seccomp");
        if (argc != 3 || parse_mask(argv[1], &capabilities) < 0 || argv[2][0] != '/') {
                log_error("Usage: berth-seccomp CAPABILITIES-IN-HEXADECIMAL /ABSOLUTE/PATH.bpf");
                return EXIT_FAILURE;
        }
        return run(capabilities, argv[2]) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

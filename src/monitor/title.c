/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The title of a process: see title.h. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "monitor/title.h"
#include "util/strv.h"

static char *title;
static size_t title_room;

int title_init(int argc, char **argv) {
        char **copy, *end;
        int r;

        if (argc < 1)
                return 0;
        /* The kernel lays out arguments, then environment, without gaps, and shows both as the command line once the
         * last byte of the arguments is no longer NUL. */
        end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
        for (char **e = environ; e && *e && *e == end; e++)
                end = *e + strlen(*e) + 1;
        r = strv_copy(environ, &copy);
        if (r < 0)
                return r;
        environ = copy;
        title = argv[0];
        title_room = (size_t) (end - argv[0]);
        return 0;
}

void title_set(const char *name, const char *detail) {
        (void) prctl(PR_SET_NAME, name);
        if (title_room == 0)
                return;
        memset(title, 0, title_room);
        snprintf(title, title_room, "%s %s", name, detail);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of --env-file and --label-file: see option-values.h. */
#include <fcntl.h>
#include <string.h>

#include "container/option-values.h"
#include "util/io.h"
#include "util/strv.h"

#define OPTION_FILE_MAX (1024 * 1024)

typedef int (*EntryParse)(const char *value, void *member, char **ret_error);

static int read_line(const char *file, char *line, EntryParse parse, char ***entries, char **ret_error) {
        size_t key;

        line += strspn(line, " \t\v\f\r");
        if (!*line || *line == '#')
                return 0;
        key = strcspn(line, "=");
        if (key == 0)
                return option_error(ret_error, "\"%s\" has a line without a name before the \"=\"", file);
        if (strcspn(line, " \t") < key)
                return option_error(ret_error, "\"%s\" has a name with a blank in it: \"%.*s\"", file,
                                    (int) MIN_OF(key, 64), line);
        return parse(line, entries, ret_error);
}

static int read_file(const char *file, EntryParse parse, char ***entries, char **ret_error) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
        r = fd < 0 ? -errno : fd_read_all(fd, OPTION_FILE_MAX, &text, &size);
        if (r == -EFBIG)
                return option_error(ret_error, "\"%s\" is larger than 1 MiB", file);
        if (r < 0)
                return option_error(ret_error, "cannot read \"%s\": %s", file, strerror(-r));
        if (strlen(text) != size)
                return option_error(ret_error, "\"%s\" is no text: there is a zero byte in it", file);

        const char *bom = startswith(text, "\xef\xbb\xbf");
        char *next = text + (bom ? 3 : 0);
        for (char *line; (line = strsep(&next, "\n"));) {
                size_t length = strlen(line);
                if (length > 0 && line[length - 1] == '\r')
                        line[length - 1] = '\0';
                r = read_line(file, line, parse, entries, ret_error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_files(char *const *files, EntryParse parse, char ***entries, char **ret_error) {
        _cleanup_strv_ char **all = NULL;
        int r;

        if (!files)
                return 0;
        for (; *files; files++) {
                r = read_file(*files, parse, &all, ret_error);
                if (r < 0)
                        return r;
        }
        for (char **e = *entries; e && *e; e++) {
                r = strv_env_set(&all, *e);
                if (r < 0)
                        return r;
        }
        strv_free(*entries);
        *entries = TAKE(all);
        return 0;
}

int env_read_files(char *const *files, char ***env, char **ret_error) {
        return read_files(files, parse_env, env, ret_error);
}

int labels_read_files(char *const *files, char ***labels, char **ret_error) {
        return read_files(files, parse_label, labels, ret_error);
}

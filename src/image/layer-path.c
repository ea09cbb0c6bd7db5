/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of a layer's entries: see layer-path.h. */
#include <stdio.h>

#include "image/layer-path.h"
#include "util/strv.h"

#define WHITEOUT     ".wh."
#define AUFS         ".wh..wh."
#define OPAQUE_NAME  ".wh..wh..opq"

static int refuse(int error, const char *why, const char **ret_why) {
        *ret_why = why;
        return error;
}

/* Copies the components that count; *ret_last is where the last one begins. */
static int make_plain(const char *name, char *path, char **ret_last, const char **ret_why) {
        char *end = path;

        *ret_last = path;
        for (const char *p = name; *p;) {
                size_t n = strcspn(p, "/");
                if (n == 2 && p[0] == '.' && p[1] == '.')
                        return refuse(-EINVAL, "it climbs by \"..\"", ret_why);
                if (n > NAME_MAX)
                        return refuse(-ENAMETOOLONG, "a part of its name is longer than 255 bytes", ret_why);
                if (n > 0 && !(n == 1 && p[0] == '.')) {
                        if ((size_t) (end - path) + 1 + n >= PATH_MAX)
                                return refuse(-ENAMETOOLONG, "its name is longer than 4095 bytes", ret_why);
                        if (end > path)
                                *end++ = '/';
                        *ret_last = end;
                        memcpy(end, p, n);
                        end += n;
                }
                p += n + (p[n] == '/');
        }
        *end = '\0';
        return 0;
}

int layer_path_parse(const char *name, LayerPath *ret, const char **ret_why) {
        char *last;
        int r;

        r = make_plain(name, ret->path, &last, ret_why);
        if (r < 0)
                return r;
        ret->kind = ret->path[0] ? LAYER_PATH_ENTRY : LAYER_PATH_ROOT;
        if (streq(last, OPAQUE_NAME)) {
                ret->kind = LAYER_PATH_OPAQUE;
                last[last > ret->path ? -1 : 0] = '\0';
                last = strrchr(ret->path, '/') ? strrchr(ret->path, '/') + 1 : ret->path;
        }
        for (const char *p = ret->path; *p;) {
                bool is_last = p == last;
                if (startswith(p, AUFS)) {
                        ret->kind = LAYER_PATH_NOTHING;
                        return 0;
                }
                if (startswith(p, WHITEOUT) && (!is_last || ret->kind == LAYER_PATH_OPAQUE))
                        return refuse(-EINVAL, "a part of its name is a whiteout", ret_why);
                p += strcspn(p, "/");
                p += *p == '/';
        }
        const char *target = startswith(last, WHITEOUT);
        if (ret->kind != LAYER_PATH_ENTRY || !target)
                return 0;
        if (!target[0] || streq(target, ".") || streq(target, ".."))
                return refuse(-EINVAL, "it is a whiteout of nothing that could be removed", ret_why);
        memmove(last, target, strlen(target) + 1);
        ret->kind = LAYER_PATH_WHITEOUT;
        return 0;
}

static bool is_plain(char c) {
        return c > ' ' && c < 0x7f && c != '%' && c != '"' && c != '\\';
}

int layer_path_escape(const char *path, char **ret) {
        char *text = malloc(3 * strlen(path) + 1), *p = text;

        if (!text)
                return -ENOMEM;
        for (; *path; path++)
                if (is_plain(*path))
                        *p++ = *path;
                else
                        p += sprintf(p, "%%%02X", (unsigned char) *path);
        *p = '\0';
        *ret = text;
        return 0;
}

static int hex_value(char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int layer_path_unescape(const char *text, char **ret) {
        _cleanup_free_ char *path = malloc(strlen(text) + 1);
        char *p = path;

        if (!path)
                return -ENOMEM;
        for (; *text; text++) {
                if (*text != '%') {
                        *p++ = *text;
                        continue;
                }
                int high = hex_value(text[1]), low = high < 0 ? -1 : hex_value(text[2]);
                if (low < 0 || (high == 0 && low == 0))
                        return -EINVAL;
                *p++ = (char) (high << 4 | low);
                text += 2;
        }
        *p = '\0';
        *ret = TAKE(path);
        return 0;
}

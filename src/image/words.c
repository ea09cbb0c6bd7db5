/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of Dockerfile instructions: see words.h. */
#include <stdio.h>

#include "image/words.h"

#define BLANKS    " \t\r\n"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define EXPANSION_MAX (1U << 20)
#define NESTING_MAX 16U

/* The end of the word that begins at p; NULL if a quote stays open. */
static const char *word_end(const char *p) {
        char quote = 0;

        for (; *p && (quote || !strchr(BLANKS, *p)); p++) {
                if (*p == '\\' && quote != '\'' && p[1])
                        p++;
                else if (quote ? *p == quote : *p == '"' || *p == '\'')
                        quote = quote ? 0 : *p;
        }
        return quote ? NULL : p;
}

int words_split(const char *text, char ***ret) {
        _cleanup_strv_ char **words = NULL;

        for (const char *p = text + strspn(text, BLANKS); *p; p += strspn(p, BLANKS)) {
                const char *end = word_end(p);
                if (!end)
                        return -EINVAL;
                char *word = strndup(p, (size_t) (end - p));
                int r = word ? strv_consume(&words, word) : -ENOMEM;
                if (r < 0)
                        return r;
                p = end;
        }
        *ret = TAKE(words);
        return 0;
}

typedef struct Expansion {
        char *const *env;
        FILE *out;
        unsigned nesting;
} Expansion;

static int expand(Expansion *x, const char *p, const char *end);

/* `p` is behind "${"; *ret_next behind the "}". */
static int expand_braces(Expansion *x, const char *p, const char *end, const char **ret_next) {
        size_t n = strspn(p, NAME_CHARS), depth = 1;
        const char *close = p;

        for (; close < end; close++) {
                if (*close == '{')
                        depth++;
                else if (*close == '}' && --depth == 0)
                        break;
        }
        if (close >= end || n == 0 || p + n > close)
                return -EINVAL;
        *ret_next = close + 1;
        _cleanup_free_ char *name = strndup(p, n);
        if (!name)
                return -ENOMEM;
        const char *value = strv_env_get(x->env, name), *word = p + n;
        if (word == close) {
                fputs(value ?: "", x->out);
                return 0;
        }
        bool is_set = value && value[0];
        if (*word != ':' || (word[1] != '-' && word[1] != '+') || ++x->nesting > NESTING_MAX)
                return -EINVAL;
        int r = 0;
        if (word[1] == '-' && is_set)
                fputs(value, x->out);
        else if ((word[1] == '+') == is_set)
                r = expand(x, word + 2, close);
        x->nesting--;
        return r;
}

static int expand_variable(Expansion *x, const char *p, const char *end, const char **ret_next) {
        if (*p == '{')
                return expand_braces(x, p + 1, end, ret_next);
        size_t n = MIN_OF(strspn(p, NAME_CHARS), (size_t) (end - p));
        *ret_next = p + n;
        if (n == 0) {
                fputc('$', x->out);
                return 0;
        }
        _cleanup_free_ char *name = strndup(p, n);
        if (!name)
                return -ENOMEM;
        fputs(strv_env_get(x->env, name) ?: "", x->out);
        return 0;
}

static int expand(Expansion *x, const char *p, const char *end) {
        char quote = 0;

        while (p < end) {
                if (*p == '\\' && quote != '\'' && p + 1 < end) {
                        /* Inside of double quotes a backslash is one, unless it keeps something from being special. */
                        if (quote && !strchr("\"$\\", p[1]))
                                fputc('\\', x->out);
                        fputc(p[1], x->out);
                        p += 2;
                } else if (quote ? *p == quote : *p == '"' || *p == '\'') {
                        quote = quote ? 0 : *p;
                        p++;
                } else if (*p == '$' && quote != '\'') {
                        int r = expand_variable(x, p + 1, end, &p);
                        if (r < 0)
                                return r;
                } else
                        fputc(*p++, x->out);
                if (ftell(x->out) > (long) EXPANSION_MAX)
                        return -E2BIG;
        }
        return quote ? -EINVAL : 0;
}

int words_expand(const char *word, char *const *env, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        Expansion x = { .env = env, .out = open_memstream(&text, &size) };

        if (!x.out)
                return -ENOMEM;
        int r = expand(&x, word, word + strlen(word));
        if (fclose(x.out) != 0 && r >= 0)
                r = -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE(text);
        return 0;
}

int words_read(const char *text, char *const *env, char ***ret) {
        _cleanup_strv_ char **raw = NULL, **words = NULL;
        int r;

        r = words_split(text, &raw);
        for (char **word = raw; r >= 0 && word && *word; word++) {
                char *value;
                r = words_expand(*word, env, &value);
                if (r >= 0)
                        r = strv_consume(&words, value);
        }
        if (r < 0)
                return r;
        *ret = TAKE(words);
        return 0;
}

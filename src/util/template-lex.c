/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tokens of a template: see template-lex.h. */
#include <string.h>

#include "util/strv.h"
#include "util/template-lex.h"

static bool is_space(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Letters beyond ASCII are taken as they come: they can only name a field. */
static bool is_word(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || (unsigned char) c >= 0x80;
}

static Token token(Lexer *l, TokenType type, size_t length) {
        Token t = { .type = type, .start = l->position, .length = length };
        l->position += length;
        return t;
}

static Token failure(Lexer *l, const char *error) {
        l->error = error;
        return token(l, TOKEN_ERROR, 0);
}

static size_t word_length(const char *s) {
        size_t n = 0;

        while (is_word(s[n]))
                n++;
        return n;
}

/* Names end where something else can begin; `.A%` is a mistake, not two things. */
static Token word(Lexer *l, TokenType type, size_t length) {
        char after = l->text[l->position + length];

        if (after && !is_space(after) && !strchr(".,|:=()}", after))
                return failure(l, "bad character after a name");
        return token(l, type, length);
}

static Token quoted(Lexer *l, char quote, TokenType type) {
        const char *s = l->text + l->position;

        for (size_t n = 1; s[n]; n++) {
                if (s[n] == quote)
                        return token(l, type, n + 1);
                if (quote == '`')
                        continue;
                if (s[n] == '\n')
                        break;
                if (s[n] == '\\' && s[n + 1] && s[n + 1] != '\n')
                        n++;
        }
        return failure(l, quote == '`' ? "unterminated raw quoted string"
                          : quote == '"' ? "unterminated quoted string" : "unterminated character constant");
}

static Token number(Lexer *l) {
        const char *s = l->text + l->position;
        size_t n = *s == '+' || *s == '-';

        while (is_word(s[n]) || s[n] == '.' ||
               ((s[n] == '+' || s[n] == '-') && n > 0 && (s[n - 1] == 'e' || s[n - 1] == 'E')))
                n++;
        return token(l, TOKEN_NUMBER, n);
}

Token lexer_next(Lexer *l) {
        static const struct { char c; TokenType type; } singles[] = {
                { '|', TOKEN_PIPE }, { ',', TOKEN_COMMA }, { '=', TOKEN_ASSIGN }, { '(', TOKEN_LEFT },
                { ')', TOKEN_RIGHT },
        };
        const char *s = l->text + l->position;
        size_t blanks = 0;

        while (is_space(s[blanks]))
                blanks++;
        if (startswith(s + blanks, "}}"))
                return token(l, TOKEN_CLOSE, blanks + 2);
        if (blanks > 0 && startswith(s + blanks, "-}}")) {
                Token t = token(l, TOKEN_CLOSE, blanks + 3);
                t.trims = true;
                return t;
        }
        if (blanks > 0)
                return token(l, TOKEN_SPACE, blanks);
        if (!*s)
                return token(l, TOKEN_END, 0);
        if (startswith(s, ":="))
                return token(l, TOKEN_DECLARE, 2);
        for (size_t i = 0; i < N_ELEMENTS(singles); i++)
                if (*s == singles[i].c)
                        return token(l, singles[i].type, 1);
        if (*s == '"')
                return quoted(l, '"', TOKEN_STRING);
        if (*s == '`')
                return quoted(l, '`', TOKEN_RAW_STRING);
        if (*s == '\'')
                return quoted(l, '\'', TOKEN_CHARACTER);
        if (*s == '$')
                return word(l, TOKEN_VARIABLE, 1 + word_length(s + 1));
        if (is_digit(*s) || ((*s == '.' || *s == '+' || *s == '-') && is_digit(s[1])))
                return number(l);
        if (*s == '.')
                return word_length(s + 1) > 0 ? word(l, TOKEN_FIELD, 1 + word_length(s + 1)) : token(l, TOKEN_DOT, 1);
        if (is_word(*s))
                return word(l, TOKEN_IDENTIFIER, word_length(s));
        return token(l, TOKEN_OTHER, 1);
}

Token lexer_next_non_space(Lexer *l) {
        Token t;

        do
                t = lexer_next(l);
        while (t.type == TOKEN_SPACE);
        return t;
}

static size_t put_utf8(char *out, uint32_t c) {
        if (c < 0x80) {
                out[0] = (char) c;
                return 1;
        }
        if (c < 0x800) {
                out[0] = (char) (0xc0 | c >> 6);
                out[1] = (char) (0x80 | (c & 0x3f));
                return 2;
        }
        if (c < 0x10000) {
                out[0] = (char) (0xe0 | c >> 12);
                out[1] = (char) (0x80 | (c >> 6 & 0x3f));
                out[2] = (char) (0x80 | (c & 0x3f));
                return 3;
        }
        out[0] = (char) (0xf0 | c >> 18);
        out[1] = (char) (0x80 | (c >> 12 & 0x3f));
        out[2] = (char) (0x80 | (c >> 6 & 0x3f));
        out[3] = (char) (0x80 | (c & 0x3f));
        return 4;
}

/* `count` digits of a base at s; -EINVAL if there are fewer. */
static int read_digits(const char *s, size_t left, size_t count, unsigned base, uint32_t *ret) {
        uint32_t value = 0;

        if (left < count)
                return -EINVAL;
        for (size_t i = 0; i < count; i++) {
                static const char digits[] = "0123456789abcdef";
                const char *d = strchr(digits, s[i] >= 'A' && s[i] <= 'F' ? s[i] | 0x20 : s[i]);
                if (!s[i] || !d || (unsigned) (d - digits) >= base)
                        return -EINVAL;
                value = value * base + (uint32_t) (d - digits);
        }
        *ret = value;
        return 0;
}

/* One escape, s behind the backslash. Returns how much of s it took. */
static int read_escape(const char *s, size_t left, char *out, size_t *ret_written) {
        static const struct { char c, value; } simple[] = {
                { 'a', '\a' }, { 'b', '\b' }, { 'f', '\f' }, { 'n', '\n' }, { 'r', '\r' }, { 't', '\t' }, { 'v', '\v' },
                { '\\', '\\' }, { '"', '"' }, { '\'', '\'' },
        };
        static const struct { char c; unsigned count; bool is_rune; } hex[] = {
                { 'x', 2, false }, { 'u', 4, true }, { 'U', 8, true },
        };
        uint32_t value;

        for (size_t i = 0; i < N_ELEMENTS(simple); i++)
                if (*s == simple[i].c) {
                        *out = simple[i].value;
                        *ret_written = 1;
                        return 1;
                }
        for (size_t i = 0; i < N_ELEMENTS(hex); i++) {
                if (*s != hex[i].c)
                        continue;
                if (read_digits(s + 1, left - 1, hex[i].count, 16, &value) < 0)
                        return -EINVAL;
                if (hex[i].is_rune && (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)))
                        return -EINVAL;
                *out = (char) value;
                *ret_written = hex[i].is_rune ? put_utf8(out, value) : 1;
                return (int) hex[i].count + 1;
        }
        if (read_digits(s, left, 3, 8, &value) < 0 || value > 0xff)
                return -EINVAL;
        *out = (char) value;
        *ret_written = 1;
        return 3;
}

int lexer_unquote(const char *s, size_t length, char **ret, size_t *ret_size) {
        _cleanup_free_ char *out = malloc(length + 1); /* no escape is shorter than what it stands for */
        size_t size = 0;

        if (!out)
                return -ENOMEM;
        for (size_t i = 1; i + 1 < length;) {
                size_t written = 1;
                if (s[0] != '`' && s[i] == '\\') {
                        int n = read_escape(s + i + 1, length - 2 - i, out + size, &written);
                        if (n < 0)
                                return n;
                        i += (size_t) n + 1;
                } else
                        out[size] = s[i++];
                size += written;
        }
        out[size] = '\0';
        *ret_size = size;
        *ret = TAKE(out);
        return 0;
}

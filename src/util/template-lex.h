/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tokens inside `{{ }}`. Reading one has no effect but to move `position`, so a parser can look ahead. */
#pragma once

#include "util/macro.h"

typedef enum TokenType {
        TOKEN_ERROR,      /* lexer.error says what */
        TOKEN_END,        /* of the template, inside an action */
        TOKEN_CLOSE,      /* }} with the blanks before it; trims says whether it was -}} */
        TOKEN_SPACE,
        TOKEN_IDENTIFIER, /* keyword, function, true, false, nil */
        TOKEN_FIELD,      /* .Name */
        TOKEN_DOT,
        TOKEN_VARIABLE,   /* $name, or $ alone */
        TOKEN_NUMBER,
        TOKEN_CHARACTER,  /* 'c' */
        TOKEN_STRING,     /* "…" */
        TOKEN_RAW_STRING, /* `…` */
        TOKEN_PIPE,
        TOKEN_COMMA,
        TOKEN_DECLARE,    /* := */
        TOKEN_ASSIGN,     /* = */
        TOKEN_LEFT,       /* ( */
        TOKEN_RIGHT,      /* ) */
        TOKEN_OTHER,      /* a character that means nothing here */
} TokenType;

typedef struct Token {
        TokenType type;
        size_t start, length;
        bool trims;
} Token;

typedef struct Lexer {
        const char *text; /* NUL-terminated */
        size_t position;
        const char *error;
} Lexer;

Token lexer_next(Lexer *l);
Token lexer_next_non_space(Lexer *l);

/* What a quoted token stands for: a string to free and its size. -EINVAL: bad escapes. */
int lexer_unquote(const char *s, size_t length, char **ret, size_t *ret_size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the text of a template to its tree. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/strv.h"
#include "util/template-lex.h"
#include "util/template-node.h"

typedef struct Parser {
        Lexer lexer;
        Template *template;
        char **variables; /* in scope; "$" first */
        unsigned depth, ranges;
        bool trim;        /* the last action ended in -}} */
        char *error;
} Parser;

/* How a list of items ended. */
typedef enum ListEnd { LIST_AT_EOF, LIST_AT_END, LIST_AT_ELSE } ListEnd;

static Node *parse_pipeline(Parser *p, const char *context, TokenType close);
static int parse_list(Parser *p, Node **ret, ListEnd *ret_end);

static void parse_fail(Parser *p, const char *format, ...) _printf_(2, 3);
static void parse_fail(Parser *p, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        size_t line = 1;
        va_list ap;

        if (p->error) /* the first one is the cause */
                return;
        for (size_t i = 0; i < p->lexer.position && p->lexer.text[i]; i++)
                line += p->lexer.text[i] == '\n';
        va_start(ap, format);
        int n = vasprintf(&what, format, ap);
        va_end(ap);
        if (n < 0)
                what = NULL;
        if (asprintf(&p->error, "template: :%zu: %s", line, what ? what : "out of memory") < 0)
                p->error = NULL;
}

static void unexpected(Parser *p, Token t, const char *context) {
        if (t.type == TOKEN_ERROR)
                parse_fail(p, "%s", p->lexer.error);
        else if (t.type == TOKEN_END)
                parse_fail(p, "unclosed action");
        else if (t.type == TOKEN_CLOSE)
                parse_fail(p, "unexpected \"}}\" in %s", context);
        else if (t.type == TOKEN_RIGHT)
                parse_fail(p, "unexpected right paren");
        else
                parse_fail(p, "unexpected \"%.*s\" in %s", (int) MIN_OF(t.length, (size_t) 64), p->lexer.text + t.start,
                           context);
}

static Node *node_new(Parser *p, NodeType type, size_t position) {
        Node *n = calloc(1, sizeof(Node));

        if (!n) {
                parse_fail(p, "out of memory");
                return NULL;
        }
        n->type = type;
        n->position = n->start = n->end = position;
        n->owned = p->template->nodes;
        p->template->nodes = n;
        return n;
}

static bool token_is(Parser *p, Token t, const char *word) {
        return t.type == TOKEN_IDENTIFIER && strlen(word) == t.length &&
               memcmp(p->lexer.text + t.start, word, t.length) == 0;
}

/* Appends the token's text, less `skip` characters at its front, to the node's names. */
static bool add_name(Parser *p, Node *n, Token t, size_t skip) {
        if (strv_consume(&n->names, strndup(p->lexer.text + t.start + skip, t.length - skip)) < 0) {
                parse_fail(p, "out of memory");
                return false;
        }
        n->end = t.start + t.length;
        return true;
}

static Node *parse_number(Parser *p, Token t) {
        _cleanup_free_ char *s = strndup(p->lexer.text + t.start, t.length);
        Node *n = node_new(p, NODE_CONSTANT, t.start);
        char *end = NULL;

        if (!s || !n)
                return NULL;
        errno = 0;
        long long integer = strtoll(s, &end, 0);
        if (errno == 0 && end && !*end)
                n->value = json_object_new_int64(integer);
        else {
                errno = 0;
                double d = strtod(s, &end);
                if (errno != 0 || *end || t.length > 64) {
                        parse_fail(p, "bad number syntax: \"%.64s\"", s);
                        return NULL;
                }
                n->value = json_object_new_double(d);
        }
        n->end = t.start + t.length;
        return n;
}

static Node *parse_quoted(Parser *p, Token t) {
        _cleanup_free_ char *s = NULL;
        Node *n = node_new(p, NODE_CONSTANT, t.start);
        size_t size;

        if (!n)
                return NULL;
        int r = lexer_unquote(p->lexer.text + t.start, t.length, &s, &size);
        if (r < 0 || size > INT32_MAX) {
                parse_fail(p, "invalid syntax in %.*s", (int) MIN_OF(t.length, (size_t) 64), p->lexer.text + t.start);
                return NULL;
        }
        if (t.type == TOKEN_CHARACTER) { /* Go: the number of the character */
                if (size != 1) {
                        parse_fail(p, "malformed character constant");
                        return NULL;
                }
                n->value = json_object_new_int64((unsigned char) s[0]);
        } else
                n->value = json_object_new_string_len(s, (int) size);
        n->end = t.start + t.length;
        return n;
}

static Node *parse_identifier(Parser *p, Token t) {
        static const char *const words[] = { "true", "false", "nil" };
        Node *n;

        for (size_t i = 0; i < N_ELEMENTS(words); i++)
                if (token_is(p, t, words[i])) {
                        n = node_new(p, i == 2 ? NODE_NIL : NODE_CONSTANT, t.start);
                        if (n && i < 2)
                                n->value = json_object_new_boolean(i == 0);
                        if (n)
                                n->end = t.start + t.length;
                        return n;
                }
        n = node_new(p, NODE_FUNCTION, t.start);
        if (!n || !add_name(p, n, t, 0))
                return NULL;
        if (function_is_left_out(n->names[0]))
                parse_fail(p, "function \"%s\" is not supported", n->names[0]);
        else if (!function_find(n->names[0]))
                parse_fail(p, "function \"%.64s\" not defined", n->names[0]);
        return p->error ? NULL : n;
}

static Node *parse_variable(Parser *p, Token t) {
        Node *n = node_new(p, NODE_VARIABLE, t.start);

        if (!n || !add_name(p, n, t, 0))
                return NULL;
        if (!strv_contains(p->variables, n->names[0])) {
                parse_fail(p, "undefined variable \"%s\"", n->names[0]);
                return NULL;
        }
        return n;
}

/* NULL without an error: here is no operand, and the lexer has not moved. */
static Node *parse_term(Parser *p) {
        size_t saved = p->lexer.position;
        Token t = lexer_next(&p->lexer);
        Node *n;

        switch (t.type) {
        case TOKEN_IDENTIFIER:
                return parse_identifier(p, t);
        case TOKEN_DOT:
                n = node_new(p, NODE_DOT, t.start);
                if (n)
                        n->end = t.start + 1;
                return n;
        case TOKEN_VARIABLE:
                return parse_variable(p, t);
        case TOKEN_FIELD:
                n = node_new(p, NODE_FIELD, t.start);
                return n && add_name(p, n, t, 1) ? n : NULL;
        case TOKEN_NUMBER:
                return parse_number(p, t);
        case TOKEN_CHARACTER:
        case TOKEN_STRING:
        case TOKEN_RAW_STRING:
                return parse_quoted(p, t);
        case TOKEN_LEFT:
                n = parse_pipeline(p, "parenthesized pipeline", TOKEN_RIGHT);
                if (n) {
                        n->start = t.start;
                        n->end = p->lexer.position;
                }
                return n;
        case TOKEN_ERROR:
                unexpected(p, t, "");
                return NULL;
        default:
                p->lexer.position = saved;
                return NULL;
        }
}

/* A term and the fields that follow it without a blank: (…).A.B */
static Node *parse_operand(Parser *p) {
        Node *n = parse_term(p);
        Node *chain = n;

        if (!n)
                return NULL;
        for (bool first = true;; first = false) {
                size_t saved = p->lexer.position;
                Token t = lexer_next(&p->lexer);
                if (t.type != TOKEN_FIELD) {
                        p->lexer.position = saved;
                        return chain;
                }
                if (n->type == NODE_DOT || n->type == NODE_CONSTANT || n->type == NODE_NIL) {
                        parse_fail(p, "unexpected . after term \"%.*s\"", (int) MIN_OF(n->end - n->start, (size_t) 64),
                                   p->lexer.text + n->start);
                        return NULL;
                }
                if (first && n->type != NODE_FIELD && n->type != NODE_VARIABLE) {
                        chain = node_new(p, NODE_CHAIN, t.start);
                        if (!chain)
                                return NULL;
                        chain->list = n;
                        chain->start = n->start;
                }
                if (first)
                        chain->position = t.start; /* as in Go, where the first of the fields behind the term counts */
                if (!add_name(p, chain, t, 1))
                        return NULL;
        }
}

/* An operand and its arguments, up to a pipe or the close, which is left to be read if it is the close. */
static Node *parse_command(Parser *p, TokenType close) {
        Node *command = node_new(p, NODE_COMMAND, p->lexer.position), **tail;
        unsigned n = 0;

        if (!command)
                return NULL;
        tail = &command->list;
        for (;;) {
                Node *operand = parse_operand(p);
                if (p->error)
                        return NULL;
                if (operand) {
                        *tail = operand;
                        tail = &operand->next;
                        command->end = operand->end;
                        if (++n > TEMPLATE_ARGS_MAX) {
                                parse_fail(p, "too many arguments");
                                return NULL;
                        }
                }
                size_t saved = p->lexer.position;
                Token t = lexer_next(&p->lexer);
                if (t.type == TOKEN_SPACE)
                        continue;
                if (t.type == close)
                        p->lexer.position = saved;
                else if (t.type != TOKEN_PIPE) {
                        if (t.type == TOKEN_CLOSE)
                                parse_fail(p, "unclosed left paren");
                        unexpected(p, t, "operand");
                        return NULL;
                } else {
                        Token after = lexer_next_non_space(&p->lexer);
                        if (after.type == close || after.type == TOKEN_PIPE) {
                                parse_fail(p, "missing value for command");
                                return NULL;
                        }
                        p->lexer.position = t.start + t.length;
                }
                if (!command->list) {
                        parse_fail(p, "empty command");
                        return NULL;
                }
                return command;
        }
}

/* `$x :=`, `$x =`, and in a range `$i, $e :=`; leaves the lexer where it was if there is none. */
static bool parse_declaration(Parser *p, Node *pipe, bool is_range) {
        size_t saved = p->lexer.position;

        for (;;) {
                Token name = lexer_next_non_space(&p->lexer);
                if (name.type != TOKEN_VARIABLE)
                        break;
                size_t behind = p->lexer.position;
                Token t = lexer_next_non_space(&p->lexer);
                if (t.type == TOKEN_COMMA && !is_range) {
                        p->lexer.position = behind;
                        break;
                }
                if (t.type != TOKEN_DECLARE && t.type != TOKEN_ASSIGN && t.type != TOKEN_COMMA)
                        break;
                if (!add_name(p, pipe, name, 0))
                        return false;
                if (t.type == TOKEN_COMMA) {
                        if (strv_length(pipe->names) < 2)
                                continue;
                        parse_fail(p, "too many declarations in range");
                        return false;
                }
                pipe->assigns = t.type == TOKEN_ASSIGN;
                for (char **v = pipe->names; *v; v++)
                        if (pipe->assigns && !strv_contains(p->variables, *v)) {
                                parse_fail(p, "undefined variable \"%s\"", *v);
                                return false;
                        }
                return true;
        }
        pipe->names = strv_free(pipe->names);
        p->lexer.position = saved;
        return true;
}

/* Whether every stage but the first is something that can be called. */
static bool check_stages(Parser *p, Node *pipe, const char *context) {
        unsigned stage = 1;

        if (!pipe->list) {
                parse_fail(p, "missing value for %s", context);
                return false;
        }
        for (Node *c = pipe->list->next; c; c = c->next) {
                stage++;
                if (c->list->type == NODE_CONSTANT || c->list->type == NODE_DOT || c->list->type == NODE_NIL) {
                        parse_fail(p, "non executable command in pipeline stage %u", stage);
                        return false;
                }
        }
        return true;
}

static Node *parse_pipeline(Parser *p, const char *context, TokenType close) {
        Node *pipe = node_new(p, NODE_PIPE, p->lexer.position), **tail;

        if (!pipe)
                return NULL;
        if (++p->depth > TEMPLATE_DEPTH_MAX) {
                parse_fail(p, "nested too deeply");
                return NULL;
        }
        if (!parse_declaration(p, pipe, streq(context, "range")))
                return NULL;
        tail = &pipe->list;
        for (;;) {
                Token t = lexer_next_non_space(&p->lexer);
                if (t.type == close) {
                        pipe->end = t.start;
                        p->trim = t.trims;
                        break;
                }
                if (t.type < TOKEN_IDENTIFIER || t.type >= TOKEN_PIPE) {
                        if (t.type != TOKEN_LEFT) {
                                unexpected(p, t, context);
                                return NULL;
                        }
                }
                p->lexer.position = t.start;
                Node *command = parse_command(p, close);
                if (!command)
                        return NULL;
                *tail = command;
                tail = &command->next;
        }
        p->depth--;
        if (!check_stages(p, pipe, context))
                return NULL;
        for (char **v = pipe->names; v && *v && !pipe->assigns; v++)
                if (strv_extend(&p->variables, *v) < 0) {
                        parse_fail(p, "out of memory");
                        return NULL;
                }
        return pipe;
}

static bool expect_close(Parser *p, const char *context) {
        Token t = lexer_next_non_space(&p->lexer);

        if (t.type == TOKEN_CLOSE) {
                p->trim = t.trims;
                return true;
        }
        unexpected(p, t, context);
        return false;
}

/* if, with, range: the lexer stands behind the word; takes everything up to its end. */
static Node *parse_control(Parser *p, NodeType type, size_t position) {
        static const char *const names[] = { [NODE_IF] = "if", [NODE_WITH] = "with", [NODE_RANGE] = "range" };
        Node *n = node_new(p, type, position);
        size_t n_variables = strv_length(p->variables);
        ListEnd end;

        if (!n)
                return NULL;
        if (++p->depth > TEMPLATE_DEPTH_MAX) {
                parse_fail(p, "nested too deeply");
                return NULL;
        }
        n->pipe = parse_pipeline(p, names[type], TOKEN_CLOSE);
        if (!n->pipe)
                return NULL;
        p->ranges += type == NODE_RANGE;
        if (parse_list(p, &n->list, &end) < 0)
                return NULL;
        p->ranges -= type == NODE_RANGE;
        if (end == LIST_AT_ELSE) {
                Token t = lexer_next_non_space(&p->lexer);
                if (type != NODE_RANGE && token_is(p, t, names[type])) { /* else if: its end is ours too */
                        n->else_list = parse_control(p, type, t.start);
                        if (!n->else_list)
                                return NULL;
                        end = LIST_AT_END;
                } else {
                        p->lexer.position = t.start;
                        if (!expect_close(p, "else") || parse_list(p, &n->else_list, &end) < 0)
                                return NULL;
                        if (end == LIST_AT_ELSE) {
                                parse_fail(p, "expected end; found {{else}}");
                                return NULL;
                        }
                }
        }
        if (end == LIST_AT_EOF) {
                parse_fail(p, "unexpected EOF");
                return NULL;
        }
        for (size_t i = strv_length(p->variables); i > n_variables; i--) { /* out of scope */
                free(p->variables[i - 1]);
                p->variables[i - 1] = NULL;
        }
        p->depth--;
        return n;
}

/* What stands between two actions. Returns NULL if nothing is left of it, or on an error. */
static Node *parse_text(Parser *p) {
        const char *s = p->lexer.text + p->lexer.position;
        const char *action = strstr(s, "{{");
        size_t length = action ? (size_t) (action - s) : strlen(s), start = 0;
        Node *n = NULL;

        p->lexer.position += length;
        if (p->trim)
                while (start < length && strchr(" \t\r\n", s[start]))
                        start++;
        if (action && action[2] == '-' && action[3] && strchr(" \t\r\n", action[3]))
                while (length > start && strchr(" \t\r\n", s[length - 1]))
                        length--;
        p->trim = false;
        if (length > start) {
                n = node_new(p, NODE_TEXT, p->lexer.position);
                if (n)
                        n->value = json_object_new_string_len(s + start, (int) (length - start));
        }
        return n;
}

/* Behind `{{`: the blanks and the trim mark. 1: a comment was taken whole, 0: here begins an action, or an error. */
static int parse_opening(Parser *p) {
        const char *s = p->lexer.text + p->lexer.position;

        if (s[0] == '-' && s[1] && strchr(" \t\r\n", s[1]))
                p->lexer.position++;
        s = p->lexer.text + p->lexer.position;
        size_t blanks = strspn(s, " \t\r\n");
        if (!startswith(s + blanks, "/*"))
                return 0;
        const char *end = strstr(s + blanks + 2, "*/");
        if (!end) {
                parse_fail(p, "unclosed comment");
                return -EINVAL;
        }
        p->lexer.position = (size_t) (end + 2 - p->lexer.text);
        Token t = lexer_next(&p->lexer);
        if (t.type != TOKEN_CLOSE) {
                parse_fail(p, "comment ends before closing delimiter");
                return -EINVAL;
        }
        p->trim = t.trims;
        return 1;
}

/* An action that is no part of the enclosing control: NULL on an error. */
static Node *parse_action(Parser *p, Token t) {
        static const struct { const char *word; NodeType type; } words[] = {
                { "if", NODE_IF },       { "with", NODE_WITH },         { "range", NODE_RANGE },
                { "break", NODE_BREAK }, { "continue", NODE_CONTINUE },
        };
        static const char *const left_out[] = { "define", "template", "block" };
        Node *n;

        for (size_t i = 0; i < N_ELEMENTS(words); i++) {
                if (!token_is(p, t, words[i].word))
                        continue;
                if (words[i].type == NODE_IF || words[i].type == NODE_WITH || words[i].type == NODE_RANGE)
                        return parse_control(p, words[i].type, t.start);
                if (p->ranges == 0) {
                        parse_fail(p, "{{%s}} outside {{range}}", words[i].word);
                        return NULL;
                }
                return expect_close(p, words[i].word) ? node_new(p, words[i].type, t.start) : NULL;
        }
        for (size_t i = 0; i < N_ELEMENTS(left_out); i++)
                if (token_is(p, t, left_out[i])) {
                        parse_fail(p, "{{%s}} is not supported", left_out[i]);
                        return NULL;
                }
        p->lexer.position = t.start;
        n = node_new(p, NODE_ACTION, t.start);
        if (!n)
                return NULL;
        n->pipe = parse_pipeline(p, "command", TOKEN_CLOSE);
        return n->pipe ? n : NULL;
}

static int parse_list(Parser *p, Node **ret, ListEnd *ret_end) {
        Node **tail = ret;

        for (;;) {
                Node *n = parse_text(p);
                if (p->error)
                        return -EINVAL;
                if (n) {
                        *tail = n;
                        tail = &n->next;
                }
                if (!p->lexer.text[p->lexer.position]) {
                        *ret_end = LIST_AT_EOF;
                        return 0;
                }
                p->lexer.position += 2;
                int r = parse_opening(p);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                Token t = lexer_next_non_space(&p->lexer);
                if (token_is(p, t, "end")) {
                        *ret_end = LIST_AT_END;
                        return expect_close(p, "end") ? 0 : -EINVAL;
                }
                if (token_is(p, t, "else")) {
                        *ret_end = LIST_AT_ELSE;
                        return 0;
                }
                n = parse_action(p, t);
                if (!n)
                        return -EINVAL;
                *tail = n;
                tail = &n->next;
        }
}

int template_parse(const char *text, Template **ret, char **ret_error) {
        _cleanup_(template_freep) Template *t = calloc(1, sizeof(Template));
        _cleanup_strv_ char **variables = NULL;
        ListEnd end = LIST_AT_EOF;
        int r;

        *ret_error = NULL;
        if (!t)
                return -ENOMEM;
        if (strlen(text) > TEMPLATE_TEXT_MAX) {
                *ret_error = strdup("template: the template is too long");
                return -EINVAL;
        }
        t->text = strdup(text);
        r = t->text ? strv_extend(&variables, "$") : -ENOMEM;
        if (r < 0)
                return r;
        Parser p = { .lexer = { .text = t->text }, .template = t, .variables = TAKE(variables) };
        r = parse_list(&p, &t->list, &end);
        if (r == 0 && end != LIST_AT_EOF)
                parse_fail(&p, "unexpected {{%s}}", end == LIST_AT_END ? "end" : "else");
        variables = p.variables;
        if (r < 0 || p.error) {
                *ret_error = p.error;
                return p.error ? -EINVAL : -ENOMEM;
        }
        *ret = TAKE(t);
        return 0;
}

Template *template_free(Template *t) {
        if (!t)
                return NULL;
        while (t->nodes) {
                Node *n = t->nodes;
                t->nodes = n->owned;
                strv_free(n->names);
                json_object_put(n->value);
                free(n);
        }
        free(t->text);
        free(t);
        return NULL;
}

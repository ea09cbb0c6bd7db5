/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the template interpreter share, and nobody else: the tree, values, the state of one execution. */
#pragma once

#include "util/json.h"
#include "util/template.h"

#define TEMPLATE_TEXT_MAX (256 * 1024)          /* the template itself */
#define TEMPLATE_DEPTH_MAX 100                  /* nested actions and parentheses */
#define TEMPLATE_ARGS_MAX 64
#define TEMPLATE_STEPS_MAX 2000000              /* evaluations in one execution */
#define TEMPLATE_OUTPUT_MAX (64 * 1024 * 1024)  /* everything that one execution makes */
#define TEMPLATE_WIDTH_MAX 100000               /* in printf and pad */

typedef enum NodeType {
        NODE_TEXT,     /* value: the text */
        NODE_ACTION,   /* pipe */
        NODE_IF,       /* pipe, list, else_list; so the two below */
        NODE_WITH,
        NODE_RANGE,
        NODE_BREAK,
        NODE_CONTINUE,
        NODE_PIPE,     /* list: commands; names: declared variables */
        NODE_COMMAND,  /* list: the operands */
        NODE_DOT,
        NODE_NIL,
        NODE_CONSTANT, /* value */
        NODE_FIELD,    /* names: .A.B */
        NODE_VARIABLE, /* names: $x, then fields */
        NODE_CHAIN,    /* list: the operand; names: fields of it */
        NODE_FUNCTION, /* names: its name */
} NodeType;

typedef struct Node Node;
struct Node {
        NodeType type;
        size_t position;   /* what errors point at, as Go has it */
        size_t start, end; /* the source it came from */
        Node *next;        /* in the list it is part of */
        Node *owned;       /* the template's list of all nodes */
        Node *pipe, *list, *else_list;
        char **names;
        json_object *value;
        bool assigns; /* `$x = …` rather than `$x := …` */
};

struct Template {
        char *text;
        Node *nodes; /* all, through `owned` */
        Node *list;
};

/* A string that grows, up to a limit. */
typedef struct Text {
        char *s;
        size_t size, room;
        int error; /* the first failure; later appends do nothing */
} Text;

void text_append(Text *t, const char *s, size_t size);
void text_string(Text *t, const char *s);
void text_repeat(Text *t, char c, size_t n);
void text_printf(Text *t, const char *format, ...) _printf_(2, 3);
static inline void text_freep(Text *t) {
        free(t->s);
}
#define _cleanup_text_ _cleanup_(text_freep)

/* A value while a template runs. The execution holds the references. */
typedef struct Value {
        json_object *json; /* NULL is nil */
        TemplateShape shape;
        bool absent; /* "no value": a key that was not there */
} Value;

typedef struct Variable {
        const char *name;
        Value value;
} Variable;

typedef struct Execution {
        const Template *template;
        const TemplateOptions *options;
        json_object *data;
        json_object *made; /* an array that keeps what was made until the end */
        Variable *variables;
        size_t n_variables, room_variables;
        Text output;
        size_t made_size;
        unsigned steps, depth;
        char *error;
} Execution;

/* Ends the execution with Go's wording for an error at this node; returns -EINVAL (-ENOMEM). */
int execution_fail(Execution *e, const Node *at, const char *format, ...) _printf_(3, 4);

/* Hands a new object to the execution and makes a value of it; NULL is -ENOMEM. */
int execution_keep(Execution *e, const Node *at, json_object *object, Value *ret);
int execution_keep_string(Execution *e, const Node *at, const char *s, size_t size, Value *ret);

bool value_is_true(Value v);
json_type value_type(Value v);
const char *value_type_name(Value v);
/* Prints as Go's fmt.Print does; nested: inside a list, a map or an argument, where nil is "<nil>". */
void value_print(Text *out, Value v, bool nested);
/* The bytes of a string value. */
const char *value_string(Value v, size_t *ret_size);
/* The keys of an object in sorted order: an array of borrowed strings, to be freed; NULL when out of memory. */
const char **value_sorted_keys(json_object *object, size_t *ret_n);
/* A float in Go's shortest form. */
void text_double(Text *out, double d);

typedef struct Function Function;
/* NULL if there is none of that name. */
const Function *function_find(const char *name);
/* Whether Go has one of that name that is left out here. */
bool function_is_left_out(const char *name);
/* `and` and `or` stop at the argument that decides: true if no more need to be evaluated after this one. */
bool function_decided(const Function *f, Value v);
int function_call(Execution *e, const Node *at, const Function *f, Value *args, const Node *const *arg_nodes, size_t n,
                  Value *ret);

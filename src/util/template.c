/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the tree of a template over a JSON value. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/strv.h"
#include "util/template-node.h"

/* How a list of nodes ended; negative is an error. */
enum { WALK_ON = 0, WALK_BREAK = 1, WALK_CONTINUE = 2 };

static int evaluate_pipe(Execution *e, Value dot, const Node *pipe, Value *ret);
static int walk_list(Execution *e, Value dot, const Node *list);

int execution_fail(Execution *e, const Node *at, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        const char *text = e->template->text;
        size_t line = 1, column = at->position, length = at->end - at->start;
        va_list ap;

        if (e->error)
                return -EINVAL;
        va_start(ap, format);
        int n = vasprintf(&what, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;
        for (size_t i = 0; i < at->position; i++)
                if (text[i] == '\n') {
                        line++;
                        column = at->position - i - 1;
                }
        while (length > 0 && strchr(" \t\r\n", text[at->start + length - 1]))
                length--;
        if (asprintf(&e->error, "template: :%zu:%zu: executing \"\" at <%.*s%s>: %s", line, column,
                     (int) MIN_OF(length, (size_t) 200), text + at->start, length > 200 ? "..." : "", what) < 0) {
                e->error = NULL;
                return -ENOMEM;
        }
        return -EINVAL;
}

int execution_keep(Execution *e, const Node *at, json_object *object, Value *ret) {
        if (!object)
                return -ENOMEM;
        if (json_object_array_add(e->made, object) < 0) {
                json_object_put(object);
                return -ENOMEM;
        }
        e->made_size += 64;
        if (e->made_size > TEMPLATE_OUTPUT_MAX)
                return execution_fail(e, at, "too much output");
        *ret = (Value) { .json = object };
        return 0;
}

int execution_keep_string(Execution *e, const Node *at, const char *s, size_t size, Value *ret) {
        if (size > TEMPLATE_OUTPUT_MAX - MIN_OF(e->made_size, (size_t) TEMPLATE_OUTPUT_MAX))
                return execution_fail(e, at, "too much output");
        e->made_size += size;
        return execution_keep(e, at, json_object_new_string_len(s, (int) size), ret);
}

static int take_step(Execution *e, const Node *at) {
        return ++e->steps > TEMPLATE_STEPS_MAX ? execution_fail(e, at, "the template takes too many steps") : 0;
}

static int push_variable(Execution *e, const char *name, Value value) {
        if (e->n_variables == e->room_variables) {
                size_t room = e->room_variables * 2 + 8;
                Variable *bigger = reallocarray(e->variables, room, sizeof(Variable));
                if (!bigger)
                        return -ENOMEM;
                e->variables = bigger;
                e->room_variables = room;
        }
        e->variables[e->n_variables++] = (Variable) { .name = name, .value = value };
        return 0;
}

static Variable *find_variable(Execution *e, const char *name) {
        for (size_t i = e->n_variables; i > 0; i--)
                if (streq(e->variables[i - 1].name, name))
                        return &e->variables[i - 1];
        return NULL; /* the parser has seen to it that there is one */
}

static TemplateShape shape_of(Execution *e, const char *field) {
        for (const TemplateHint *h = e->options->hints; h && h->field; h++)
                if (streq(h->field, field))
                        return h->shape;
        return TEMPLATE_SHAPE_PLAIN;
}

/* By its name, else by Go's spelling of it where that differs in case only (.ID for "Id"). */
static bool get_field(json_object *object, const char *name, bool fold, json_object **ret) {
        if (json_object_object_get_ex(object, name, ret))
                return true;
        if (!fold || *name < 'A' || *name > 'Z')
                return false;
        json_object_object_foreach(object, key, item) {
                if (strcasecmp(key, name) == 0) {
                        *ret = item;
                        return true;
                }
        }
        return false;
}

static int evaluate_field(Execution *e, const Node *at, Value receiver, const char *name, Value *ret) {
        json_object *item = NULL;
        int r = take_step(e, at);

        if (r < 0)
                return r;
        if (receiver.absent || (!receiver.json && receiver.shape == TEMPLATE_SHAPE_MAP)) {
                *ret = (Value) { .absent = true };
                return 0;
        }
        if (!receiver.json)
                return execution_fail(e, at, "nil pointer evaluating interface {}.%s", name);
        if (value_type(receiver) != json_type_object)
                return execution_fail(e, at, "can't evaluate field %s in type %s", name, value_type_name(receiver));
        if (get_field(receiver.json, name, receiver.shape != TEMPLATE_SHAPE_MAP, &item)) {
                *ret = (Value) { .json = item, .shape = shape_of(e, name) };
                return 0;
        }
        if (e->options->missing_is_error && receiver.shape != TEMPLATE_SHAPE_MAP) {
                if (e->options->type_name && receiver.json == e->data)
                        return execution_fail(e, at, "can't evaluate field %s in type %s", name, e->options->type_name);
                return execution_fail(e, at, "map has no entry for key \"%s\"", name);
        }
        *ret = (Value) { .absent = true };
        return 0;
}

/* `.Name "argument"` on the top object, where the caller has such methods. */
static int evaluate_method(Execution *e, const Node *field, Value dot, Value argument, Value *ret) {
        const char *name = field->names[0];
        json_object *result = NULL;
        int r = -ENOENT;

        if (!field->names[1] && dot.json == e->data && e->options->method && value_type(argument) == json_type_string)
                r = e->options->method(e->options->userdata, name, json_object_get_string(argument.json), &result);
        if (r == -ENOENT)
                return execution_fail(e, field, "%s is not a method but has arguments", name);
        return r < 0 ? r : execution_keep(e, field, result, ret);
}

static int evaluate_fields(Execution *e, const Node *at, Value receiver, char **names, Value *ret) {
        for (; *names; names++) {
                int r = evaluate_field(e, at, receiver, *names, &receiver);
                if (r < 0)
                        return r;
        }
        *ret = receiver;
        return 0;
}

static int call_function(Execution *e, Value dot, const Node *node, const Node *command, const Value *final,
                         Value *ret);

/* An operand that stands alone or as an argument. */
static int evaluate_operand(Execution *e, Value dot, const Node *n, Value *ret) {
        int r = take_step(e, n);

        if (r < 0)
                return r;
        switch (n->type) {
        case NODE_DOT:
                *ret = dot;
                return 0;
        case NODE_NIL:
                *ret = (Value) {};
                return 0;
        case NODE_CONSTANT:
                *ret = (Value) { .json = n->value };
                return 0;
        case NODE_FIELD:
                return evaluate_fields(e, n, dot, n->names, ret);
        case NODE_VARIABLE:
                return evaluate_fields(e, n, find_variable(e, n->names[0])->value, n->names + 1, ret);
        case NODE_CHAIN:
                r = evaluate_operand(e, dot, n->list, ret);
                return r < 0 ? r : evaluate_fields(e, n, *ret, n->names, ret);
        case NODE_FUNCTION:
                return call_function(e, dot, n, NULL, NULL, ret);
        case NODE_PIPE:
                return evaluate_pipe(e, dot, n, ret);
        default:
                return -EINVAL; /* the parser makes no others */
        }
}

/* The arguments are the operands behind the function in its command, then what the pipe brings. */
static int call_function(Execution *e, Value dot, const Node *node, const Node *command, const Value *final,
                         Value *ret) {
        const Function *f = function_find(node->names[0]);
        Value args[TEMPLATE_ARGS_MAX + 1];
        const Node *nodes[TEMPLATE_ARGS_MAX + 1];
        bool decided = false;
        size_t n = 0;
        int r;

        for (const Node *operand = command ? node->next : NULL; operand && !decided; operand = operand->next) {
                r = evaluate_operand(e, dot, operand, &args[n]);
                if (r < 0)
                        return r;
                decided = function_decided(f, args[n]);
                nodes[n++] = operand;
        }
        if (final && !decided) {
                args[n] = *final;
                nodes[n++] = node;
        }
        Node where = *node; /* an error shows the whole command */
        if (command)
                where.end = command->end;
        return function_call(e, &where, f, args, nodes, n, ret);
}

static int evaluate_command(Execution *e, Value dot, const Node *command, const Value *final, Value *ret) {
        const Node *first = command->list;

        if (first->type == NODE_FUNCTION)
                return call_function(e, dot, first, command, final, ret);
        if (first->type == NODE_NIL)
                return execution_fail(e, first, "nil is not a command");
        if (!first->next && !final)
                return evaluate_operand(e, dot, first, ret);
        if (first->type != NODE_FIELD)
                return execution_fail(e, first, "can't give argument to non-function %.*s",
                                      (int) MIN_OF(first->end - first->start, (size_t) 64),
                                      e->template->text + first->start);
        Value argument = {};
        int r = 0;
        if (first->next)
                r = evaluate_operand(e, dot, first->next, &argument);
        else
                argument = *final;
        if (r < 0)
                return r;
        if (first->next && (first->next->next || final))
                return execution_fail(e, first, "%s takes one argument", first->names[0]);
        return evaluate_method(e, first, dot, argument, ret);
}

static int evaluate_pipe(Execution *e, Value dot, const Node *pipe, Value *ret) {
        Value value = {};
        int r;

        for (const Node *c = pipe->list; c; c = c->next) {
                r = take_step(e, c);
                if (r < 0)
                        return r;
                Value result;
                r = evaluate_command(e, dot, c, c == pipe->list ? NULL : &value, &result);
                if (r < 0)
                        return r;
                value = result;
        }
        for (char **name = pipe->names; name && *name; name++) {
                if (pipe->assigns)
                        find_variable(e, *name)->value = value;
                else {
                        r = push_variable(e, *name, value);
                        if (r < 0)
                                return r;
                }
        }
        *ret = value;
        return 0;
}

/* One round of a range; the variables that the pipe declared are the last ones on the stack, or are found by name. */
static int walk_item(Execution *e, const Node *range, Value key, Value item) {
        char **names = range->pipe->names;
        size_t n = strv_length(names), mark = e->n_variables;
        int r = take_step(e, range);

        if (r < 0)
                return r;
        if (n > 0)
                find_variable(e, names[n - 1])->value = item;
        if (n > 1)
                find_variable(e, names[0])->value = key;
        r = walk_list(e, item, range->list);
        e->n_variables = mark;
        return r;
}

/* The n-th item of what a range goes over. */
static int range_item(Execution *e, const Node *at, Value over, const char **keys, size_t i, Value *ret_key,
                      Value *ret_item) {
        int r;

        if (keys) {
                r = execution_keep_string(e, at, keys[i], strlen(keys[i]), ret_key);
                *ret_item = (Value) { .json = json_object_object_get(over.json, keys[i]) };
                return r;
        }
        r = execution_keep(e, at, json_object_new_int64((int64_t) i), ret_key);
        *ret_item = value_type(over) == json_type_int ? *ret_key
                                                      : (Value) { .json = json_object_array_get_idx(over.json, i) };
        return r;
}

static int walk_range(Execution *e, Value dot, const Node *range) {
        _cleanup_free_ const char **keys = NULL;
        size_t mark = e->n_variables, n = 0;
        const Node *first = range->pipe->list->list;
        Value over = {}, key, item;
        int r = evaluate_pipe(e, dot, range->pipe, &over);

        if (r < 0)
                return r;
        switch (value_type(over)) {
        case json_type_array:
                n = json_object_array_length(over.json);
                break;
        case json_type_object:
                keys = value_sorted_keys(over.json, &n);
                if (!keys)
                        return -ENOMEM;
                break;
        case json_type_int:
                n = json_object_get_int64(over.json) > 0 ? (size_t) json_object_get_int64(over.json) : 0;
                break;
        case json_type_null: /* as if it were empty */
                break;
        default:
                return execution_fail(e, first, "range can't iterate over %s", json_object_to_json_string(over.json));
        }
        for (size_t i = 0; i < n; i++) {
                r = range_item(e, first, over, keys, i, &key, &item);
                if (r >= 0)
                        r = walk_item(e, range, key, item);
                if (r < 0)
                        return r;
                if (r == WALK_BREAK)
                        break;
        }
        e->n_variables = mark;
        return n == 0 ? walk_list(e, dot, range->else_list) : WALK_ON;
}

static int walk_condition(Execution *e, Value dot, const Node *n) {
        size_t mark = e->n_variables;
        Value value = {};
        int r = evaluate_pipe(e, dot, n->pipe, &value);

        if (r < 0)
                return r;
        if (value_is_true(value))
                r = walk_list(e, n->type == NODE_WITH ? value : dot, n->list);
        else
                r = walk_list(e, dot, n->else_list);
        e->n_variables = mark;
        return r;
}

static int walk_node(Execution *e, Value dot, const Node *n) {
        size_t size;
        Value value = {};
        const char *s;
        int r;

        switch (n->type) {
        case NODE_TEXT:
                s = value_string((Value) { .json = n->value }, &size);
                text_append(&e->output, s, size);
                return WALK_ON;
        case NODE_ACTION:
                r = evaluate_pipe(e, dot, n->pipe, &value);
                if (r >= 0 && !n->pipe->names)
                        value_print(&e->output, value, false);
                return r < 0 ? r : WALK_ON;
        case NODE_IF:
        case NODE_WITH:
                return walk_condition(e, dot, n);
        case NODE_RANGE:
                return walk_range(e, dot, n);
        case NODE_BREAK:
                return WALK_BREAK;
        case NODE_CONTINUE:
                return WALK_CONTINUE;
        default:
                return -EINVAL;
        }
}

static int walk_list(Execution *e, Value dot, const Node *list) {
        for (const Node *n = list; n; n = n->next) {
                int r = take_step(e, n);
                if (r >= 0)
                        r = walk_node(e, dot, n);
                if (r != WALK_ON)
                        return r;
                if (e->output.error == -EFBIG)
                        return execution_fail(e, n, "too much output");
                if (e->output.error < 0)
                        return e->output.error;
        }
        return WALK_ON;
}

int template_execute(const Template *t, json_object *data, const TemplateOptions *options, char **ret, size_t *ret_size,
                     char **ret_error) {
        static const TemplateOptions none = {};
        _cleanup_json_ json_object *made = json_object_new_array();
        _cleanup_free_ Variable *variables = NULL;
        Value dot = { .json = data };

        *ret_error = NULL;
        if (!made)
                return -ENOMEM;
        Execution e = { .template = t, .options = options ? options : &none, .data = data, .made = made };
        text_append(&e.output, "", 0);
        int r = push_variable(&e, "$", dot);
        if (r >= 0)
                r = walk_list(&e, dot, t->list);
        variables = e.variables;
        if (r < 0) {
                text_freep(&e.output);
                *ret_error = e.error;
                return r;
        }
        if (ret_size)
                *ret_size = e.output.size;
        *ret = e.output.s;
        return 0;
}

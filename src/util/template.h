/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Go's text/template over JSON, as `--format` takes it: fields, pipelines, variables, if, with, range, the functions of
 * Go and those of Docker's command line, Go's way to print values and to word errors. What is left out (define,
 * template, block, html, js, urlquery, call) is refused by name when the template is parsed.
 *
 * A template comes from the person at the keyboard and the data from a container: neither may make this use unbounded
 * memory, stack or time. Nesting, steps and output have limits. */
#pragma once

#include <json-c/json.h>

#include "util/macro.h"

typedef struct Template Template;

/* What a name that leads to a list or a map prints as when it is null, and whether its missing keys are an error. */
typedef enum TemplateShape {
        TEMPLATE_SHAPE_PLAIN,
        TEMPLATE_SHAPE_MAP,  /* keys come from outside (labels): a missing one is "no value" */
        TEMPLATE_SHAPE_LIST,
} TemplateShape;

typedef struct TemplateHint {
        const char *field;
        TemplateShape shape;
} TemplateHint;

typedef struct TemplateOptions {
        bool missing_is_error;     /* a field that is not there ends the execution; otherwise it is "no value" */
        const char *type_name;     /* says what lacks the field: "can't evaluate field X in type …" */
        const TemplateHint *hints; /* ends with a NULL field */
        bool header;               /* make the head of a table: functions leave the names of columns alone */
        /* `{{.Name "argument"}}` on the top object: a new reference in *ret, or -ENOENT if there is no such method. */
        int (*method)(void *userdata, const char *name, const char *argument, json_object **ret);
        void *userdata;
} TemplateOptions;

/* -EINVAL: *ret_error (owned by the caller) is one line in Go's words, "template: :1: …". */
int template_parse(const char *text, Template **ret, char **ret_error);

/* Appends nothing on failure: -EINVAL with *ret_error as above ("template: :1:2: executing …"), -ENOMEM. The text is
 * NUL-terminated; it may hold other NULs if the data does. */
int template_execute(const Template *t, json_object *data, const TemplateOptions *options, char **ret, size_t *ret_size,
                     char **ret_error);

Template *template_free(Template *t);
DEFINE_FREEP(Template, template_free)

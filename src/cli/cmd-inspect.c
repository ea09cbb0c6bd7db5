/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth inspect: everything about containers and images, as JSON or through a template. */
#include <stdio.h>
#include <string.h>

#include "cli/bus.h"
#include "cli/verb.h"
#include "util/format.h"
#include "util/json.h"
#include "util/strv.h"
#include "util/template.h"

static char *arg_format;
static char *arg_type;

#define FORMAT_ARG { "format", 'f', ARG_STRING, &arg_format, "string", "A Go template, or 'json'" }

const Arg inspect_args[] = {
        FORMAT_ARG,
        { "type", 0, ARG_STRING, &arg_type, "string", "Only objects of this type: container or image" },
        { 0 },
};
const Arg container_inspect_args[] = { FORMAT_ARG, { 0 } };
const Arg image_inspect_args[] = { FORMAT_ARG, { 0 } };

typedef struct Kind {
        const char *name, *interface, *not_found;
        int (*find)(const char *reference, char **ret_path, sd_bus_error *error);
} Kind;

/* In the order in which a name is looked up. */
static const Kind kinds[] = {
        { "container", BUS_CONTAINER, BERTH_ERROR_NO_SUCH_CONTAINER, bus_get_container },
        { "image",     BUS_IMAGE,     BERTH_ERROR_NO_SUCH_IMAGE,     bus_get_image     },
};

/* What berthd leaves null where Docker prints an empty list or map, and where keys come from outside. */
static const TemplateHint hints[] = {
        { "Annotations", TEMPLATE_SHAPE_MAP },         { "ExposedPorts", TEMPLATE_SHAPE_MAP },
        { "Labels", TEMPLATE_SHAPE_MAP },              { "LogOpts", TEMPLATE_SHAPE_MAP },
        { "Networks", TEMPLATE_SHAPE_MAP },            { "Options", TEMPLATE_SHAPE_MAP },
        { "PortBindings", TEMPLATE_SHAPE_MAP },        { "Ports", TEMPLATE_SHAPE_MAP },
        { "StorageOpt", TEMPLATE_SHAPE_MAP },          { "Sysctls", TEMPLATE_SHAPE_MAP },
        { "Tmpfs", TEMPLATE_SHAPE_MAP },               { "Volumes", TEMPLATE_SHAPE_MAP },
        { "Args", TEMPLATE_SHAPE_LIST },               { "Binds", TEMPLATE_SHAPE_LIST },
        { "CapAdd", TEMPLATE_SHAPE_LIST },             { "CapDrop", TEMPLATE_SHAPE_LIST },
        { "Cmd", TEMPLATE_SHAPE_LIST },                { "Dns", TEMPLATE_SHAPE_LIST },
        { "DnsOptions", TEMPLATE_SHAPE_LIST },         { "DnsSearch", TEMPLATE_SHAPE_LIST },
        { "Entrypoint", TEMPLATE_SHAPE_LIST },         { "Env", TEMPLATE_SHAPE_LIST },
        { "ExecIDs", TEMPLATE_SHAPE_LIST },            { "ExtraHosts", TEMPLATE_SHAPE_LIST },
        { "GroupAdd", TEMPLATE_SHAPE_LIST },           { "Layers", TEMPLATE_SHAPE_LIST },
        { "Links", TEMPLATE_SHAPE_LIST },              { "Mounts", TEMPLATE_SHAPE_LIST },
        { "OnBuild", TEMPLATE_SHAPE_LIST },            { "RepoDigests", TEMPLATE_SHAPE_LIST },
        { "RepoTags", TEMPLATE_SHAPE_LIST },           { "SecurityOpt", TEMPLATE_SHAPE_LIST },
        { "VolumesFrom", TEMPLATE_SHAPE_LIST },
        { NULL },
};

/* Errors are said at the end, behind what could be shown. */
typedef struct Inspection {
        const Kind *only;   /* NULL: any kind */
        Template *template; /* NULL: JSON */
        json_object *found;
        char *text;         /* what the templates made */
        char **errors;
} Inspection;

static int get_json(const Kind *kind, const char *path, json_object **ret, sd_bus_error *error) {
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        unsigned tries = 0;
        const char *text;
        int r;

        do
                r = bus_call_method(path, kind->interface, "Inspect", &reply, error, NULL);
        while (r < 0 && bus_ask_again(error, &tries));
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "s", &text);
        if (r >= 0)
                r = json_parse(text, strlen(text), ret);
        return r < 0 ? sd_bus_error_setf(error, SD_BUS_ERROR_INCONSISTENT_MESSAGE,
                                         "cannot read what berthd says about %s: %s", path, strerror(-r))
                     : 0;
}

/* 1: found; 0: there is none, or a line about it is in the errors. */
static int find(Inspection *in, const char *reference, json_object **ret) {
        for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
                _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
                _cleanup_free_ char *path = NULL;
                if (in->only && in->only != &kinds[i])
                        continue;
                int r = kinds[i].find(reference, &path, &error);
                if (r >= 0)
                        r = get_json(&kinds[i], path, ret, &error);
                if (r >= 0)
                        return 1;
                /* Removed between the two calls is as good as not there; so is a name that none can have. */
                if (sd_bus_error_has_names(&error, kinds[i].not_found, BERTH_ERROR_BAD_REFERENCE,
                                           SD_BUS_ERROR_UNKNOWN_OBJECT, SD_BUS_ERROR_UNKNOWN_METHOD))
                        continue;
                bus_print_error(&error, r);
                return -EBADMSG;
        }
        return strv_extendf(&in->errors, "Error: No such %s: %s", in->only ? in->only->name : "object", reference);
}

/* One line of output for one object; a template's error is a line of its own. */
static int apply_template(Inspection *in, json_object *object) {
        static const TemplateOptions options = { .missing_is_error = true, .hints = hints };
        _cleanup_free_ char *text = NULL, *error = NULL;
        char *longer = NULL;
        int r = template_execute(in->template, object, &options, &text, NULL, &error);

        if (r == -EINVAL && error)
                return strv_extendf(&in->errors, "template parsing error: %s", error);
        if (r < 0)
                return r;
        if (asprintf(&longer, "%s%s\n", in->text ? in->text : "", text) < 0)
                return -ENOMEM;
        free(in->text);
        in->text = longer;
        return 0;
}

static int inspect_one(Inspection *in, const char *reference) {
        _cleanup_json_ json_object *object = NULL;
        int r = find(in, reference, &object);

        if (r <= 0)
                return r;
        if (in->template)
                return apply_template(in, object);
        return json_object_array_add(in->found, TAKE(object)) < 0 ? -ENOMEM : 0;
}

static int print_all(const Inspection *in) {
        if (in->template)
                fputs(in->text ? in->text : "", stdout);
        else {
                _cleanup_free_ char *text = format_json(in->found, 0);
                if (!text)
                        return -ENOMEM;
                puts(text);
        }
        fflush(stdout);
        for (char **e = in->errors; e && *e; e++) {
                for (char *p = *e; *p; p++)
                        if ((unsigned char) *p < ' ' || *p == 127)
                                *p = ' ';
                fprintf(stderr, "%s\n", *e);
        }
        return in->errors ? EXIT_FAILED : EXIT_OK;
}

static int inspect(const Kind *only, char **references) {
        _cleanup_(template_freep) Template *template = NULL;
        _cleanup_json_ json_object *found = json_object_new_array();
        _cleanup_free_ char *error = NULL;
        Inspection in = { .only = only, .found = found };
        int r = found ? 0 : -ENOMEM;

        if (r >= 0 && arg_format && *arg_format)
                r = template_parse(streq(arg_format, "json") ? "{{json .}}" : arg_format, &template, &error);
        if (r == -EINVAL && error) {
                cli_error("template parsing error: %s", error);
                return EXIT_FAILED;
        }
        in.template = template;
        for (; r >= 0 && *references; references++)
                r = inspect_one(&in, *references);
        if (r >= 0)
                r = print_all(&in);
        free(in.text);
        strv_free(in.errors);
        return r == -EBADMSG ? EXIT_FAILED : r; /* said already */
}

int cmd_inspect(int argc, char **argv) {
        const Kind *only = NULL;

        for (size_t i = 0; arg_type && *arg_type && i < N_ELEMENTS(kinds); i++)
                if (streq(kinds[i].name, arg_type))
                        only = &kinds[i];
        if (arg_type && *arg_type && !only) {
                cli_error("\"%s\" is not a valid value for --type: container or image", arg_type);
                return EXIT_FAILED;
        }
        return inspect(only, argv);
}

int cmd_container_inspect(int argc, char **argv) {
        return inspect(&kinds[0], argv);
}

int cmd_image_inspect(int argc, char **argv) {
        return inspect(&kinds[1], argv);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth images: lists images, one row for each of their names. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "cli/filter.h"
#include "cli/objects.h"
#include "cli/verb.h"
#include "oci/reference.h"
#include "util/strv.h"
#include "util/table.h"
#include "util/timestamp.h"

static bool arg_all;
static bool arg_quiet;
static bool arg_digests;
static bool arg_no_trunc;
static char *arg_format;
static char **arg_filters;

const Arg images_args[] = {
        { "all",      'a', ARG_BOOL,   &arg_all,      NULL,
          "Show intermediate images too (those of berth are all shown anyway)" },
        { "digests",  0,   ARG_BOOL,   &arg_digests,  NULL,     "Show digests" },
        { "filter",   'f', ARG_STRV,   &arg_filters,  "filter",
          "Only those that fit: dangling, label, reference, before, since", filter_parse },
        { "format",   0,   ARG_STRING, &arg_format,   "string", "A Go template, 'table TEMPLATE', or 'json'" },
        { "no-trunc", 0,   ARG_BOOL,   &arg_no_trunc, NULL,     "Show whole ids" },
        { "quiet",    'q', ARG_BOOL,   &arg_quiet,    NULL,     "Show ids only" },
        { 0 },
};

static const char *const filter_keys[] = { "before", "dangling", "label", "reference", "since", NULL };

typedef struct Listed {
        char *id, *digest;
        char **references, **labels;
        uint64_t created, size;
        uint32_t containers;
} Listed;

static const Property listed_properties[] = {
        { "Id",         PROPERTY_STRING, offsetof(Listed, id)         },
        { "Digest",     PROPERTY_STRING, offsetof(Listed, digest)     },
        { "References", PROPERTY_STRV,   offsetof(Listed, references) },
        { "Labels",     PROPERTY_MAP,    offsetof(Listed, labels)     },
        { "Created",    PROPERTY_U64,    offsetof(Listed, created)    },
        { "Size",       PROPERTY_U64,    offsetof(Listed, size)       },
        { "Containers", PROPERTY_U32,    offsetof(Listed, containers) },
        { 0 },
};

enum {
        COLUMN_OF_REPOSITORY, COLUMN_OF_TAG, COLUMN_OF_DIGEST, COLUMN_OF_ID, COLUMN_OF_CREATED, COLUMN_OF_SIZE,
        COLUMN_OF_CREATED_AT, COLUMN_OF_CONTAINERS, N_COLUMNS,
};

/* --digests puts DIGEST into the default table. */
static Column columns[N_COLUMNS] = {
        [COLUMN_OF_REPOSITORY] = { "Repository",   "REPOSITORY", COLUMN_TEXT,   true  },
        [COLUMN_OF_TAG]        = { "Tag",          "TAG",        COLUMN_TEXT,   true  },
        [COLUMN_OF_DIGEST]     = { "Digest",       "DIGEST",     COLUMN_DIGEST, false },
        [COLUMN_OF_ID]         = { "ID",           "IMAGE ID",   COLUMN_ID,     true  },
        [COLUMN_OF_CREATED]    = { "CreatedSince", "CREATED",    COLUMN_AGO,    true  },
        [COLUMN_OF_SIZE]       = { "Size",         "SIZE",       COLUMN_SIZE,   true  },
        [COLUMN_OF_CREATED_AT] = { "CreatedAt",    "CREATED AT", COLUMN_TIME,   false },
        [COLUMN_OF_CONTAINERS] = { "Containers",   "CONTAINERS", COLUMN_TEXT,   false },
};

/* --- Which ones --- */

/* A pattern may stand for a name with or without its tag, in the short or in the full spelling. */
static bool test_reference(const void *object, const char *pattern) {
        const char *reference = object;
        _cleanup_(oci_reference_freep) OciReference *parsed = NULL;
        _cleanup_free_ char *familiar = NULL;

        if (fnmatch(pattern, reference, FNM_PATHNAME) == 0)
                return true;
        if (oci_reference_parse(reference, &parsed) < 0 || oci_reference_familiar(parsed, &familiar) < 0)
                return false;
        if (fnmatch(pattern, familiar, FNM_PATHNAME) == 0)
                return true;
        _cleanup_free_ char *full = NULL;
        if (asprintf(&full, "%s/%s", parsed->registry, parsed->repository) < 0) {
                full = NULL;
                return false;
        }
        const char *suffix = strrchr(familiar, '@');
        if (!suffix)
                suffix = strrchr(familiar, ':');
        if (suffix && !strchr(suffix, '/'))
                familiar[suffix - familiar] = '\0';
        return fnmatch(pattern, familiar, FNM_PATHNAME) == 0 || fnmatch(pattern, full, FNM_PATHNAME) == 0;
}

static bool test_dangling(const void *object, const char *value) {
        const Listed *image = object;
        bool wanted = false;

        return parse_bool(value, &wanted) >= 0 && wanted == !(image->references && image->references[0]);
}

static int check_filters(void) {
        _cleanup_free_ char *error = NULL;
        bool b;
        int r = filter_check(arg_filters, filter_keys, &error);

        for (char **f = arg_filters; r >= 0 && f && *f; f++)
                if (startswith(*f, "dangling=") && parse_bool(strchr(*f, '=') + 1, &b) < 0)
                        r = asprintf(&error, "invalid filter '%s'", *f) < 0 ? -ENOMEM : -EINVAL;
        if (r == -EINVAL)
                cli_error("%s", error);
        return r;
}

static bool image_is(const Listed *image, const char *wanted) {
        const char *digits = startswith(wanted, "sha256:"), *id = image->id ? startswith(image->id, "sha256:") : NULL;
        _cleanup_free_ char *full = NULL;

        if (!digits)
                digits = wanted;
        if (!id)
                id = image->id;
        if (id && strlen(digits) >= 4 && startswith(id, digits))
                return true;
        return oci_reference_normalize(wanted, &full) >= 0 && strv_contains(image->references, full);
}

/* When the image that `before` or `since` names was made; 0 if that is not asked for. */
static int find_created(const Listed *all, size_t n, const char *key, uint64_t *ret) {
        size_t length = strlen(key);

        *ret = 0;
        for (char **f = arg_filters; f && *f; f++) {
                if (strncmp(*f, key, length) != 0 || (*f)[length] != '=')
                        continue;
                const Listed *found = NULL;
                for (size_t i = 0; i < n && !found; i++)
                        if (image_is(&all[i], *f + length + 1))
                                found = &all[i];
                if (!found) {
                        cli_error("No such image: %s", *f + length + 1);
                        return -ENOENT;
                }
                *ret = found->created;
        }
        return 0;
}

/* --- What is shown of them --- */

/* "docker.io/library/web:latest" is shown as "web" and "latest", what has no tag as "<none>". */
static int split_reference(const char *reference, char **ret_repository, char **ret_tag) {
        _cleanup_(oci_reference_freep) OciReference *parsed = NULL;
        _cleanup_free_ char *familiar = NULL, *tag = NULL;

        if (!reference || oci_reference_parse(reference, &parsed) < 0) {
                *ret_repository = strdup(reference ? reference : "<none>");
                *ret_tag = strdup("<none>");
                return *ret_repository && *ret_tag ? 0 : -ENOMEM;
        }
        tag = strdup(parsed->tag ? parsed->tag : "<none>");
        if (!tag || oci_reference_familiar(parsed, &familiar) < 0)
                return -ENOMEM;
        familiar[strcspn(familiar, "@")] = '\0';
        char *colon = strrchr(familiar, ':');
        if (parsed->tag && colon && streq(colon + 1, parsed->tag))
                *colon = '\0';
        *ret_repository = TAKE(familiar);
        *ret_tag = TAKE(tag);
        return 0;
}

static int add_row(Table *t, const Listed *image, const char *reference) {
        Cell *cells;
        int r = table_add_row(t, image->labels, &cells);

        if (r >= 0)
                r = split_reference(reference, &cells[COLUMN_OF_REPOSITORY].text, &cells[COLUMN_OF_TAG].text);
        if (r < 0)
                return r;
        const char *id = image->id ? image->id : "";
        if (asprintf(&cells[COLUMN_OF_ID].text, "%s%s", strchr(id, ':') ? "" : "sha256:", id) < 0)
                cells[COLUMN_OF_ID].text = NULL;
        cells[COLUMN_OF_DIGEST].text = strdup(image->digest && *image->digest ? image->digest : "<none>");
        if (asprintf(&cells[COLUMN_OF_CONTAINERS].text, "%u", image->containers) < 0)
                cells[COLUMN_OF_CONTAINERS].text = NULL;
        cells[COLUMN_OF_CREATED].number = cells[COLUMN_OF_CREATED_AT].number = image->created;
        cells[COLUMN_OF_SIZE].number = image->size;
        for (size_t i = COLUMN_OF_DIGEST; i <= COLUMN_OF_ID; i++)
                if (!cells[i].text)
                        return -ENOMEM;
        return cells[COLUMN_OF_CONTAINERS].text ? 0 : -ENOMEM;
}

/* An image without a name has a row of its own, unless names are asked for. */
static int add_image(Table *t, const Listed *image, const char *pattern) {
        bool by_name = pattern || filter_has(arg_filters, "reference");
        int r = 0;

        if (!image->references || !image->references[0])
                return by_name ? 0 : add_row(t, image, NULL);
        for (char **ref = image->references; r >= 0 && *ref; ref++)
                if ((!pattern || test_reference(*ref, pattern)) &&
                    filter_any(arg_filters, "reference", test_reference, *ref)) {
                        r = add_row(t, image, *ref);
                        if (arg_quiet && (!arg_format || !*arg_format)) /* an id is shown once */
                                break;
                }
        return r;
}

static int compare_created(const void *a, const void *b) {
        const Listed *x = a, *y = b;

        if (x->created != y->created)
                return x->created < y->created ? 1 : -1;
        return strcmp(x->id ? x->id : "", y->id ? y->id : "");
}

static int show(Listed *all, size_t n, const char *pattern) {
        _cleanup_(table_freep) Table *t = NULL;
        _cleanup_free_ char *error = NULL;
        uint64_t before, since;
        TablePrint how = {
                .format = arg_format, .quiet = arg_quiet, .no_trunc = arg_no_trunc, .now_usec = time_now_usec(),
        };
        int r;

        columns[COLUMN_OF_DIGEST].by_default = arg_digests;
        r = table_new(columns, N_COLUMNS, COLUMN_OF_ID, &t);
        if (r < 0)
                return r;
        if (find_created(all, n, "before", &before) < 0 || find_created(all, n, "since", &since) < 0)
                return EXIT_FAILED;
        if (n > 0)
                qsort(all, n, sizeof(Listed), compare_created);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if ((before == 0 || all[i].created < before) && (since == 0 || all[i].created > since) &&
                    filter_any(arg_filters, "dangling", test_dangling, &all[i]) &&
                    filter_labels(arg_filters, all[i].labels))
                        r = add_image(t, &all[i], pattern);
        if (r >= 0)
                r = table_print(t, &how, stdout, &error);
        if (r == -EINVAL && error) {
                cli_error("%s", error);
                return EXIT_FAILED;
        }
        return r < 0 ? r : EXIT_OK;
}

int cmd_images(int argc, char **argv) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        void *all = NULL;
        size_t n = 0;
        int r;

        r = check_filters();
        if (r < 0)
                return r == -EINVAL ? EXIT_FAILED : r;
        r = objects_get(BUS_IMAGE, listed_properties, sizeof(Listed), &all, &n, &error);
        if (r < 0)
                return bus_print_error(&error, r);
        r = show(all, n, argc > 0 ? argv[0] : NULL);
        objects_free(all, n, sizeof(Listed), listed_properties);
        return r;
}

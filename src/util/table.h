/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of typed values, and the one printer that knows about widths, --quiet, --no-trunc, --format and JSON, as
 * Docker's lists have them. A verb says which columns there are and fills rows; what the values look like is decided
 * here. */
#pragma once

#include <stdio.h>

#include "util/macro.h"

typedef enum ColumnType {
        COLUMN_TEXT,      /* text */
        COLUMN_ID,        /* text: 64 digits, maybe behind "sha256:"; 12 of them unless --no-trunc */
        COLUMN_DIGEST,    /* text, never cut */
        COLUMN_COMMAND,   /* text: in quotes, 20 characters unless --no-trunc */
        COLUMN_SIZE,      /* number of bytes */
        COLUMN_TIME,      /* usec: a date */
        COLUMN_AGO,       /* usec: "2 hours ago" */
} ColumnType;

typedef struct Column {
        const char *name;   /* in templates and JSON: "RunningFor" */
        const char *header; /* "CREATED" */
        ColumnType type;
        bool by_default;    /* in the table that no --format gives */
} Column;

/* One value. NULL text is "", a time of 0 is "N/A". */
typedef struct Cell {
        char *text;
        uint64_t number;
} Cell;

typedef struct Table Table;

/* Columns are borrowed; `id` is the place of the one that --quiet prints. Templates may ask `{{.Label "key"}}`. */
int table_new(const Column *columns, size_t n_columns, size_t id, Table **ret);
Table *table_free(Table *t);
DEFINE_FREEP(Table, table_free)

/* A new row: its cells, to be filled. Copies the labels (KEY=VALUE; may be NULL). */
int table_add_row(Table *t, char *const *labels, Cell **ret);

typedef struct TablePrint {
        const char *format;  /* NULL or "": the default table */
        bool quiet, no_trunc;
        uint64_t now_usec;
} TablePrint;

/* -EINVAL: *ret_error is one line about the format; nothing was written then. */
int table_print(const Table *t, const TablePrint *how, FILE *f, char **ret_error);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists for people and for scripts: see table.h. */
#include <string.h>

#include "util/format.h"
#include "util/json.h"
#include "util/strv.h"
#include "util/table.h"
#include "util/template.h"
#include "util/timestamp.h"

#define CELL_WIDTH_MIN 10 /* with its padding; both as Docker has them */
#define CELL_PADDING 3
#define COMMAND_WIDTH 20
#define ID_DIGITS 12

typedef struct Row {
        Cell *cells;
        char **labels;
} Row;

struct Table {
        const Column *columns;
        size_t n_columns, id;
        Row *rows;
        size_t n_rows, room;
};

int table_new(const Column *columns, size_t n_columns, size_t id, Table **ret) {
        Table *t = calloc(1, sizeof(Table));

        if (!t)
                return -ENOMEM;
        *t = (Table) { .columns = columns, .n_columns = n_columns, .id = id };
        *ret = t;
        return 0;
}

Table *table_free(Table *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_rows; i++) {
                for (size_t c = 0; c < t->n_columns; c++)
                        free(t->rows[i].cells[c].text);
                free(t->rows[i].cells);
                strv_free(t->rows[i].labels);
        }
        free(t->rows);
        free(t);
        return NULL;
}

int table_add_row(Table *t, char *const *labels, Cell **ret) {
        _cleanup_free_ Cell *cells = calloc(t->n_columns, sizeof(Cell));
        _cleanup_strv_ char **copy = NULL;

        if (!cells || strv_copy(labels, &copy) < 0)
                return -ENOMEM;
        if (t->n_rows == t->room) {
                size_t room = t->room * 2 + 16;
                Row *bigger = reallocarray(t->rows, room, sizeof(Row));
                if (!bigger)
                        return -ENOMEM;
                t->rows = bigger;
                t->room = room;
        }
        *ret = cells;
        t->rows[t->n_rows++] = (Row) { .cells = TAKE(cells), .labels = TAKE(copy) };
        return 0;
}

/* --- Values --- */

/* How many bytes the first n characters take. */
static size_t characters_size(const char *s, size_t n) {
        size_t i = 0;

        for (; s[i]; i++)
                if ((s[i] & 0xc0) != 0x80 && n-- == 0)
                        break;
        return i;
}

static size_t characters_count(const char *s, size_t size) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                n += (s[i] & 0xc0) != 0x80;
        return n;
}

/* In quotes; what a terminal would obey is shown as an escape. */
static char *render_command(const char *s, bool no_trunc) {
        size_t size = strlen(s), shown = characters_size(s, COMMAND_WIDTH);
        bool cut = !no_trunc && s[shown];
        char *out = malloc(size * 4 + 16), *p = out;

        if (!out)
                return NULL;
        if (cut)
                shown = characters_size(s, COMMAND_WIDTH - 1);
        else
                shown = size;
        *p++ = '"';
        for (size_t i = 0; i < shown; i++) {
                static const char named[] = "\n\t\r", letters[] = "ntr";
                const char *known = strchr(named, s[i]);
                if (known)
                        p += sprintf(p, "\\%c", letters[known - named]);
                else if (s[i] == '"' || s[i] == '\\')
                        p += sprintf(p, "\\%c", s[i]);
                else if ((unsigned char) s[i] < 0x20 || s[i] == 0x7f)
                        p += sprintf(p, "\\x%02x", (unsigned) (unsigned char) s[i]);
                else
                        *p++ = s[i];
        }
        strcpy(p, cut ? "\u2026\"" : "\"");
        return out;
}

/* Text of an image's author must not steer the terminal or break the table. */
static char *render_text(const char *s) {
        char *copy = strdup(s);

        for (char *p = copy; p && *p; p++)
                if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        *p = '?';
                else if ((unsigned char) p[0] == 0xc2 && (unsigned char) p[1] >= 0x80 && (unsigned char) p[1] < 0xa0)
                        p[0] = p[1] = '?'; /* C1: CSI in one character */
        return copy;
}

static char *render_id(const char *s, bool no_trunc) {
        const char *digits = startswith(s, "sha256:");

        return no_trunc ? strdup(s) : strndup(digits ? digits : s, ID_DIGITS);
}

static char *render(const Column *column, const Cell *cell, const TablePrint *how) {
        const char *s = cell->text ? cell->text : "";
        char date[TIME_LOCAL_MAX];

        switch (column->type) {
        case COLUMN_TEXT:
        case COLUMN_DIGEST:
                return render_text(s);
        case COLUMN_ID:
                return render_id(s, how->no_trunc);
        case COLUMN_COMMAND:
                return render_command(s, how->no_trunc);
        case COLUMN_SIZE:
                return format_size(cell->number);
        case COLUMN_TIME:
                return strdup(cell->number > 0 ? time_format_local(cell->number, date) : "N/A");
        case COLUMN_AGO:
                return cell->number > 0 ? format_ago(cell->number, how->now_usec) : strdup("N/A");
        }
        return NULL;
}

static int compare_columns(const void *a, const void *b) {
        return strcmp((*(const Column *const *) a)->name, (*(const Column *const *) b)->name);
}

/* The row (NULL: the headers) as an object with sorted keys, which is what templates and JSON are made from. */
static int row_to_json(const Table *t, const Row *row, const TablePrint *how, json_object **ret) {
        _cleanup_json_ json_object *object = json_object_new_object();
        _cleanup_free_ const Column **order = calloc(t->n_columns, sizeof(Column *));
        int r;

        if (!object || !order)
                return -ENOMEM;
        for (size_t i = 0; i < t->n_columns; i++)
                order[i] = &t->columns[i];
        qsort(order, t->n_columns, sizeof(Column *), compare_columns);
        for (size_t i = 0; i < t->n_columns; i++) {
                _cleanup_free_ char *text =
                        row ? render(order[i], &row->cells[order[i] - t->columns], how) : strdup(order[i]->header);
                if (!text)
                        return -ENOMEM;
                r = json_add_string(object, order[i]->name, text);
                if (r < 0)
                        return r;
        }
        *ret = TAKE(object);
        return 0;
}

/* --- Layout --- */

/* How wide a column is in one run of lines that all have it. */
static size_t run_width(const char *const *cells, size_t n) {
        size_t width = 0;

        for (size_t i = 0; i < n; i++)
                width = MAX_OF(width, characters_count(cells[i], strcspn(cells[i], "\t\n")));
        return MAX_OF(width + CELL_PADDING, (size_t) CELL_WIDTH_MIN);
}

static const char *line_cell(const char *line, size_t column) {
        for (; column > 0; column--)
                line += strcspn(line, "\t\n") + 1;
        return line;
}

static size_t line_tabs(const char *line) {
        size_t n = 0;

        for (; *line && *line != '\n'; line++)
                n += *line == '\t';
        return n;
}

/* Prints lines whose cells end in tabs. A cell is as wide as the widest of its column in the lines around it that have
 * such a cell too; what follows the last tab is not padded. */
static int print_aligned(const char *text, FILE *f) {
        size_t n = 0, columns = 0;

        for (const char *p = text; *p; p++)
                n += *p == '\n';
        _cleanup_free_ const char **lines = calloc(n + 1, sizeof(char *)), **cells = calloc(n + 1, sizeof(char *));
        if (!lines || !cells)
                return -ENOMEM;
        n = 0;
        for (const char *p = text; *p; p += strcspn(p, "\n") + 1) {
                lines[n++] = p;
                columns = MAX_OF(columns, line_tabs(p));
        }
        _cleanup_free_ size_t *widths = calloc(n * columns + 1, sizeof(size_t));
        if (!widths)
                return -ENOMEM;
        for (size_t c = 0; c < columns; c++)
                for (size_t i = 0; i < n;) {
                        size_t end = i;
                        while (end < n && line_tabs(lines[end]) > c) {
                                cells[end] = line_cell(lines[end], c);
                                end++;
                        }
                        size_t width = run_width(cells + i, end - i);
                        while (i < end)
                                widths[i++ * columns + c] = width;
                        if (i < n)
                                i++; /* this one has no such cell */
                }
        for (size_t i = 0; i < n; i++) {
                const char *p = lines[i];
                for (size_t c = 0;; c++) {
                        size_t size = strcspn(p, "\t\n");
                        fwrite(p, 1, size, f);
                        if (p[size] != '\t')
                                break;
                        fprintf(f, "%*s", (int) (widths[i * columns + c] - characters_count(p, size)), "");
                        p += size + 1;
                }
                fputc('\n', f);
        }
        return 0;
}

/* --- Formats --- */

/* What the person means: the template, and whether a table is to be laid out. NULL: out of memory. */
static char *effective_format(const Table *t, const char *format, bool *ret_table) {
        const char *rest = startswith(format, "table");
        char *text = NULL;
        size_t size;

        if (streq(format, "json")) {
                *ret_table = false;
                return strdup("{{json .}}");
        }
        *ret_table = !*format || rest;
        FILE *f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        if (!*format || (rest && !*rest)) {
                const char *gap = "";
                for (size_t i = 0; i < t->n_columns; i++)
                        if (t->columns[i].by_default) {
                                fprintf(f, "%s{{.%s}}", gap, t->columns[i].name);
                                gap = "\t";
                        }
        } else { /* the shell leaves \t and \n as they are */
                const char *s = rest ? rest : format;
                size_t end = strlen(s);
                while (end > 0 && s[end - 1] == ' ')
                        end--;
                for (size_t i = strspn(s, " "); i < end; i++)
                        if (s[i] == '\\' && i + 1 < end && (s[i + 1] == 't' || s[i + 1] == 'n'))
                                fputc(s[++i] == 't' ? '\t' : '\n', f);
                        else
                                fputc(s[i], f);
        }
        if (fclose(f) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

static int label_method(void *userdata, const char *name, const char *argument, json_object **ret) {
        const Row *row = userdata;
        const char *value = row ? strv_env_get(row->labels, argument) : argument;

        if (!streq(name, "Label"))
                return -ENOENT;
        _cleanup_free_ char *text = render_text(value ? value : "");
        *ret = text ? json_object_new_string(text) : NULL;
        return *ret ? 0 : -ENOMEM;
}

static int print_row(const Table *t, const Template *template, Row *row, const TablePrint *how, FILE *f,
                     char **ret_error) {
        _cleanup_json_ json_object *object = NULL;
        _cleanup_free_ char *text = NULL, *error = NULL;
        TemplateOptions options = {
                .missing_is_error = true, .type_name = "row", .header = !row, .method = label_method, .userdata = row,
        };
        size_t size;
        int r;

        r = row_to_json(t, row, how, &object);
        if (r < 0)
                return r;
        r = template_execute(template, object, &options, &text, &size, &error);
        if (r == -EINVAL && error && strstr(error, "can't evaluate field")) {
                FILE *e = open_memstream(ret_error, &size);
                if (!e)
                        return -ENOMEM;
                fprintf(e, "template parsing error: %s; there are", error);
                json_object_object_foreach(object, key, item) {
                        (void) item;
                        fprintf(e, " .%s", key);
                }
                return fclose(e) == 0 ? r : -ENOMEM;
        }
        if (r < 0) {
                if (error && asprintf(ret_error, "template parsing error: %s", error) < 0)
                        *ret_error = NULL;
                return r;
        }
        fwrite(text, 1, size, f);
        fputc('\n', f);
        return 0;
}

static int print_ids(const Table *t, const TablePrint *how, FILE *f) {
        for (size_t i = 0; i < t->n_rows; i++) {
                _cleanup_free_ char *id = render(&t->columns[t->id], &t->rows[i].cells[t->id], how);
                if (!id)
                        return -ENOMEM;
                fprintf(f, "%s\n", id);
        }
        return 0;
}

int table_print(const Table *t, const TablePrint *how, FILE *f, char **ret_error) {
        _cleanup_(template_freep) Template *template = NULL;
        _cleanup_free_ char *text = NULL, *out = NULL, *error = NULL;
        const char *format = how->format ? how->format : "";
        bool table;
        size_t size;
        int r;

        *ret_error = NULL;
        text = effective_format(t, format, &table);
        if (!text)
                return -ENOMEM;
        if (table && how->quiet)
                return print_ids(t, how, f);
        r = template_parse(text, &template, &error);
        if (r < 0) {
                if (error && asprintf(ret_error, "template parsing error: %s", error) < 0)
                        *ret_error = NULL;
                return r;
        }
        FILE *memory = open_memstream(&out, &size);
        if (!memory)
                return -ENOMEM;
        if (table)
                r = print_row(t, template, NULL, how, memory, ret_error);
        for (size_t i = 0; r >= 0 && i < t->n_rows; i++)
                r = print_row(t, template, &t->rows[i], how, memory, ret_error);
        if (fclose(memory) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        if (table)
                return print_aligned(out, f);
        fwrite(out, 1, size, f);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* printf of the templates: see template-printf.h. */
#include <stdio.h>
#include <string.h>

#include "util/template-printf.h"

typedef struct Spec {
        bool minus, plus, sharp, space, zero, has_precision;
        size_t width, precision;
        char verb;
} Spec;

/* A piece with its padding. `number`: zeros go between sign and digits. */
static void put_padded(Text *out, const Spec *spec, const char *s, size_t size, bool number) {
        size_t characters = 0;

        for (size_t i = 0; i < size; i++)
                characters += (s[i] & 0xc0) != 0x80;
        size_t fill = spec->width > characters ? spec->width - characters : 0;
        if (spec->minus) {
                text_append(out, s, size);
                text_repeat(out, ' ', fill);
        } else if (spec->zero && number) {
                size_t sign = size > 0 && (*s == '-' || *s == '+' || *s == ' ');
                text_append(out, s, sign);
                text_repeat(out, '0', fill);
                text_append(out, s + sign, size - sign);
        } else {
                text_repeat(out, spec->zero ? '0' : ' ', fill);
                text_append(out, s, size);
        }
}

static void put_bad(Text *out, char verb, Value v) {
        text_printf(out, "%%!%c(", verb);
        if (v.json)
                text_printf(out, "%s=", value_type_name(v));
        value_print(out, v, true);
        text_string(out, ")");
}

static void put_integer(Text *out, const Spec *spec, Value v) {
        int64_t n = json_object_get_int64(v.json);
        uint64_t u = n < 0 ? -(uint64_t) n : (uint64_t) n;
        char digits[72], *p = digits + sizeof(digits);
        const char *alphabet = spec->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
        unsigned base = spec->verb == 'b' ? 2 : spec->verb == 'o' ? 8 : strchr("xX", spec->verb) ? 16 : 10;

        do
                *--p = alphabet[u % base];
        while ((u /= base) > 0);
        if (spec->sharp && base == 16) {
                *--p = spec->verb;
                *--p = '0';
        } else if (spec->sharp && base == 8)
                *--p = '0';
        if (n < 0)
                *--p = '-';
        else if (spec->plus || spec->space)
                *--p = spec->plus ? '+' : ' ';
        put_padded(out, spec, p, (size_t) (digits + sizeof(digits) - p), true);
}

static void put_float(Text *out, const Spec *spec, Value v) {
        double d = json_object_get_double(v.json);
        _cleanup_text_ Text t = {};

        if (spec->plus && d >= 0)
                text_string(&t, "+");
        int precision = (int) (spec->has_precision ? MIN_OF(spec->precision, (size_t) 400) : 6);
        if (spec->verb == 'e')
                text_printf(&t, "%.*e", precision, d);
        else if (spec->verb == 'f' || spec->verb == 'F')
                text_printf(&t, "%.*f", precision, d);
        else if (spec->has_precision)
                text_printf(&t, "%.*g", precision, d);
        else
                text_double(&t, d);
        if (t.error < 0)
                out->error = t.error;
        else
                put_padded(out, spec, t.s, t.size, true);
}

/* "…" with Go's escapes; JSON text is valid UTF-8, so only what does not print is left to escape. */
static void put_quoted(Text *out, const Spec *spec, const char *s, size_t size) {
        static const char named[] = "\a\b\f\n\r\t\v", letters[] = "abfnrtv";
        _cleanup_text_ Text t = {};

        text_string(&t, "\"");
        for (size_t i = 0; i < size; i++) {
                const char *known = s[i] ? strchr(named, s[i]) : NULL;
                if (known)
                        text_printf(&t, "\\%c", letters[known - named]);
                else if (s[i] == '"' || s[i] == '\\')
                        text_printf(&t, "\\%c", s[i]);
                else if ((unsigned char) s[i] < 0x20 || s[i] == 0x7f)
                        text_printf(&t, "\\x%02x", (unsigned) (unsigned char) s[i]);
                else
                        text_append(&t, s + i, 1);
        }
        text_string(&t, "\"");
        if (t.error < 0)
                out->error = t.error;
        else
                put_padded(out, spec, t.s, t.size, false);
}

static void put_hex(Text *out, const Spec *spec, const char *s, size_t size) {
        _cleanup_text_ Text t = {};

        for (size_t i = 0; i < size; i++) {
                if (i > 0 && spec->space)
                        text_string(&t, " ");
                text_printf(&t, spec->verb == 'X' ? "%02X" : "%02x", (unsigned) (unsigned char) s[i]);
        }
        if (t.error < 0)
                out->error = t.error;
        else
                put_padded(out, spec, t.s ? t.s : "", t.size, false);
}

static void put_text(Text *out, const Spec *spec, Value v) {
        _cleanup_text_ Text t = {};
        size_t size = 0, left = spec->precision;

        value_print(&t, v, true);
        if (t.error < 0) {
                out->error = t.error;
                return;
        }
        size = t.size;
        if (spec->has_precision && value_type(v) == json_type_string) /* counts characters */
                for (size = 0; size < t.size; size++)
                        if ((t.s[size] & 0xc0) != 0x80 && left-- == 0)
                                break;
        put_padded(out, spec, t.s ? t.s : "", size,
                   value_type(v) == json_type_int || value_type(v) == json_type_double);
}

/* A list or a map prints item by item with the verb. */
static void put_value(Text *out, const Spec *spec, Value v) {
        json_type type = value_type(v);
        size_t size = 0;
        const char *s = type == json_type_string ? value_string(v, &size) : NULL;

        if (type == json_type_array && !strchr("vT", spec->verb)) {
                text_string(out, "[");
                for (size_t i = 0; i < json_object_array_length(v.json); i++) {
                        if (i > 0)
                                text_string(out, " ");
                        put_value(out, spec, (Value) { .json = json_object_array_get_idx(v.json, i) });
                }
                text_string(out, "]");
                return;
        }
        if (spec->verb == 'T')
                put_padded(out, spec, value_type_name(v), strlen(value_type_name(v)), false);
        else if (spec->verb == 'q' && s)
                put_quoted(out, spec, s, size);
        else if ((spec->verb == 'x' || spec->verb == 'X') && s)
                put_hex(out, spec, s, size);
        else if (type == json_type_int && strchr("dxXob", spec->verb))
                put_integer(out, spec, v);
        else if (type == json_type_int && spec->verb == 'v' && (spec->plus || spec->space))
                put_integer(out, spec, v);
        else if (type == json_type_int && spec->verb == 'c' && json_object_get_int64(v.json) > 0 &&
                 json_object_get_int64(v.json) < 0x80) {
                char c = (char) json_object_get_int64(v.json);
                put_padded(out, spec, &c, 1, false);
        } else if (type == json_type_double && strchr("efFg", spec->verb))
                put_float(out, spec, v);
        else if (spec->verb == 'v' || (spec->verb == 't' && type == json_type_boolean) ||
                 (spec->verb == 's' && (s || type == json_type_object)))
                put_text(out, spec, v);
        else
                put_bad(out, spec->verb, v);
}

/* A number in the format, or `*` and the next argument. False: the argument is not a usable number. */
static bool read_size(const char *s, size_t size, size_t *i, const Value *args, size_t n, size_t *next, size_t *ret,
                      bool *minus) {
        if (*i < size && s[*i] == '*') {
                (*i)++;
                if (*next >= n || value_type(args[*next]) != json_type_int)
                        return (*next)++, false;
                int64_t value = json_object_get_int64(args[(*next)++].json);
                if (value < 0 && minus)
                        *minus = true;
                if (value < -TEMPLATE_WIDTH_MAX || value > TEMPLATE_WIDTH_MAX || (value < 0 && !minus))
                        return false;
                *ret = (size_t) (value < 0 ? -value : value);
                return true;
        }
        for (*ret = 0; *i < size && s[*i] >= '0' && s[*i] <= '9'; (*i)++)
                if (*ret <= TEMPLATE_WIDTH_MAX)
                        *ret = *ret * 10 + (size_t) (s[*i] - '0');
        if (*ret <= TEMPLATE_WIDTH_MAX)
                return true;
        *ret = 0;
        return false;
}

/* Everything between '%' and the verb. */
static void read_spec(Text *out, const char *s, size_t size, size_t *i, const Value *args, size_t n, size_t *next,
                      Spec *spec) {
        for (; *i < size; (*i)++) {
                bool *flag = s[*i] == '-' ? &spec->minus : s[*i] == '+' ? &spec->plus : s[*i] == '#' ? &spec->sharp
                             : s[*i] == ' ' ? &spec->space : s[*i] == '0' ? &spec->zero : NULL;
                if (!flag)
                        break;
                *flag = true;
        }
        if (!read_size(s, size, i, args, n, next, &spec->width, &spec->minus))
                text_string(out, "%!(BADWIDTH)");
        if (*i < size && s[*i] == '.') {
                (*i)++;
                spec->has_precision = read_size(s, size, i, args, n, next, &spec->precision, NULL);
                if (!spec->has_precision)
                        text_string(out, "%!(BADPREC)");
        }
}

void template_printf(Text *out, Value format, const Value *args, size_t n) {
        size_t size, next = 0;
        const char *s = value_string(format, &size);

        for (size_t i = 0; i < size && out->error == 0;) {
                const char *percent = memchr(s + i, '%', size - i);
                size_t plain = percent ? (size_t) (percent - s) - i : size - i;
                Spec spec = {};

                text_append(out, s + i, plain);
                i += plain + 1;
                if (!percent)
                        break;
                read_spec(out, s, size, &i, args, n, &next, &spec);
                if (i >= size) {
                        text_string(out, "%!(NOVERB)");
                        break;
                }
                spec.verb = s[i++];
                if (spec.verb == '%')
                        text_string(out, "%");
                else if (next >= n)
                        text_printf(out, "%%!%c(MISSING)", spec.verb);
                else
                        put_value(out, &spec, args[next++]);
        }
        if (next >= n)
                return;
        text_string(out, "%!(EXTRA ");
        for (size_t i = next; i < n; i++) {
                if (i > next)
                        text_string(out, ", ");
                if (args[i].json)
                        text_printf(out, "%s=", value_type_name(args[i]));
                value_print(out, args[i], true);
        }
        text_string(out, ")");
}

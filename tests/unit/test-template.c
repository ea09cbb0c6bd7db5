/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Go templates: what they print and how they complain. The rows were compared with Docker's own client where it has the
 * same data (`docker context inspect -f`); those that differ on purpose say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/json.h"
#include "util/strv.h"
#include "util/template.h"

static const char data_text[] =
        "{\"Id\":\"0123456789abcdef\",\"Name\":\"default\",\"Count\":3,\"Big\":9223372036854775807,\"Ratio\":0.5,"
        "\"On\":true,\"Off\":false,"
        "\"Nothing\":null,\"Cmd\":null,\"Env\":[\"A=1\",\"B=2\"],\"Empty\":[],\"None\":{},"
        "\"Config\":{\"Labels\":{\"b\":\"2\",\"a\":\"1\",\"com.x/y\":\"z\"},\"Volumes\":null},"
        "\"Ports\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]},\"State\":{\"Status\":\"running\",\"Pid\":7},"
        "\"Html\":\"<a href=\\\"/x\\\">&\",\"Umlaut\":\"gr\u00f6\u00dfe\",\"Nul\":\"a\\u0000b\"}";

static const TemplateHint hints[] = {
        { "Labels", TEMPLATE_SHAPE_MAP }, { "Volumes", TEMPLATE_SHAPE_MAP }, { "Cmd", TEMPLATE_SHAPE_LIST }, { NULL },
};

static int method(void *userdata, const char *name, const char *argument, json_object **ret) {
        if (!streq(name, "Label"))
                return -ENOENT;
        *ret = json_object_new_string(argument);
        return *ret ? 0 : -ENOMEM;
}

/* The text, or the error behind "E: "; to be freed. */
static char *run(const char *text, const TemplateOptions *options) {
        _cleanup_(template_freep) Template *t = NULL;
        _cleanup_json_ json_object *data = NULL;
        _cleanup_free_ char *error = NULL;
        char *out = NULL;
        int r;

        assert_int_equal(json_parse(data_text, strlen(data_text), &data), 0);
        r = template_parse(text, &t, &error);
        if (r >= 0)
                r = template_execute(t, data, options, &out, NULL, &error);
        if (r >= 0) {
                assert_null(error);
                return out;
        }
        assert_int_equal(r, -EINVAL);
        assert_non_null(error);
        assert_null(strchr(error, '\n'));
        assert_true(asprintf(&out, "E: %s", error) > 0);
        return out;
}

typedef struct Case {
        const char *text, *result;
} Case;

static void check(const Case *cases, size_t n, const TemplateOptions *options) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *out = run(cases[i].text, options);
                if (!streq(out, cases[i].result))
                        fail_msg("%s\n  gives   %s\n  but not %s", cases[i].text, out, cases[i].result);
        }
}

static const TemplateOptions strict = { .missing_is_error = true, .hints = hints, .method = method };

static void test_values(void **state) {
        static const Case cases[] = {
                { "", "" },
                { "plain", "plain" },
                { "{{.Name}}", "default" },
                { "{{.Count}} {{.Big}} {{.Ratio}} {{.On}} {{.Off}}", "3 9223372036854775807 0.5 true false" },
                { "{{.State.Status}}", "running" },
                { "{{.State}}", "map[Pid:7 Status:running]" },
                { "{{.Env}} {{.Empty}} {{.None}}", "[A=1 B=2] [] map[]" },
                { "{{.Nothing}}", "<no value>" },
                { "{{.Cmd}} {{.Config.Volumes}}", "[] map[]" }, /* null, but Docker's type is a list, a map */
                { "{{.Config.Labels}}", "map[a:1 b:2 com.x/y:z]" },
                { "{{.Config.Labels.a}} {{.Config.Labels.nope}}", "1 <no value>" },
                { "{{index .Config.Labels \"com.x/y\"}}{{index .Config.Labels \"nope\"}}", "z" },
                { "{{(index (index .Ports \"80/tcp\") 0).HostPort}}", "8080" },
                { "{{index .Ports \"80/tcp\" 0 \"HostPort\"}}", "8080" },
                { "{{index .Env 1}}", "B=2" },
                { "{{.ID}}", "0123456789abcdef" }, /* Go's spelling of Id */
                { "{{$.Name}}", "default" },
                { "{{.Label \"x\"}} {{\"y\" | .Label}}", "x y" },
                { "{{json .Name}} {{json .Env}} {{json .State}} {{json .Nothing}}",
                  "\"default\" [\"A=1\",\"B=2\"] {\"Status\":\"running\",\"Pid\":7} null" },
                { "{{json .Html}}", "\"<a href=\\\"/x\\\">&\"" }, /* no \u003c */
                { "{{1.0}} {{1e30}} {{0.1}} {{1e20}} {{0.00001}} {{123456789.5}} {{100000.0}} {{1000000.0}}",
                  "1 1e+30 0.1 1e+20 1e-05 1.234567895e+08 100000 1e+06" },
                { "{{-3}} {{+3}} {{0x10}} {{'a'}}", "-3 3 16 97" },
                { "{{`raw\\n`}}{{\"\\t\\x41\\u00e9\\101\"}}", "raw\\n\tA\u00e9A" },
        };
        check(cases, N_ELEMENTS(cases), &strict);
}

static void test_control(void **state) {
        static const Case cases[] = {
                { "{{if .On}}a{{end}}{{if .Off}}b{{else}}c{{end}}", "ac" },
                { "{{if .Off}}1{{else if eq .Name \"default\"}}2{{else}}3{{end}}", "2" },
                { "{{if .Off}}1{{else if .Off}}2{{else if .Off}}3{{else}}4{{end}}", "4" },
                { "{{if .Empty}}1{{end}}{{if .None}}2{{end}}{{if .Nothing}}3{{end}}{{if .Ratio}}4{{end}}"
                  "{{if .Count}}5{{end}}",
                  "45" },
                { "{{with .State}}{{.Pid}}{{$.Name}}{{end}}{{with .Off}}x{{else}}y{{end}}", "7defaulty" },
                { "{{with $x := .Name}}{{$x}}{{end}}", "default" },
                { "{{with .Off}}a{{else with .Name}}{{.}}{{end}}", "default" },
                { "{{range .Env}}[{{.}}]{{end}}", "[A=1][B=2]" },
                { "{{range $i, $e := .Env}}{{if $i}},{{end}}{{$i}}:{{$e}}{{end}}", "0:A=1,1:B=2" },
                { "{{range $e := .Env}}{{$e}};{{end}}", "A=1;B=2;" },
                { "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "a=1 b=2 com.x/y=z " }, /* sorted */
                { "{{range .Empty}}x{{else}}none{{end}}{{range .Nothing}}x{{else}}none{{end}}", "nonenone" },
                { "{{range 3}}{{.}}{{end}}{{range 0}}x{{else}}-{{end}}", "012-" },
                { "{{range .Env}}{{if eq . \"A=1\"}}{{continue}}{{end}}{{.}}{{end}}", "B=2" },
                { "{{range .Env}}{{.}}{{break}}{{end}}", "A=1" },
                { "{{range .Env}}{{range $.Env}}{{break}}{{end}}x{{end}}", "xx" },
                { "{{$x := 1}}{{$x = 2}}{{$x}}", "2" },
                { "{{$x := 1}}{{if .On}}{{$x = 2}}{{end}}{{$x}}", "2" },
                { "{{$x := 1}}{{if .On}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21" },
                { "{{$n := 0}}{{range $i, $_ := .Env}}{{$n = $i}}{{end}}{{$n}}", "1" },
                { "a {{- \" b \" -}} c", "a b c" },
                { "a\n {{- /* gone */ -}} \n b", "ab" },
                { "x{{/* a */}}y", "xy" },
                { "{{.Name\n}}", "default" },
                { "{{.Name}}}}", "default}}" },
                { "}}{{.Name}}", "}}default" },
        };
        check(cases, N_ELEMENTS(cases), &strict);
}

static void test_functions(void **state) {
        static const Case cases[] = {
                { "{{and 1 0}} {{or 0 \"x\"}} {{not 1}} {{and true .Name}}", "0 x false default" },
                { "{{or .On .Nope}} {{and .Off .Nope}}", "true false" }, /* the rest is not evaluated */
                { "{{eq 1 1}} {{eq 1 2 1}} {{ne \"a\" \"b\"}} {{lt 1 2}} {{le 2 2}} {{gt \"b\" \"a\"}} {{ge 1 2}} "
                  "{{eq .On true}}",
                  "true true true true true true false true" },
                { "{{eq .Nothing nil}} {{eq .Name nil}}", "true false" },
                { "{{len \"abc\"}} {{len .Env}} {{len .Config.Labels}} {{len .Cmd}}", "3 2 3 0" },
                { "{{print 1 2 \"a\" 3}}|{{println \"a\" 1}}", "1 2a3|a 1\n" },
                { "{{join .Env \", \"}}|{{join .Cmd \",\"}}|{{split \"a,b\" \",\"}}|"
                  "{{join (split \"a,b\" \",\") \"-\"}}",
                  "A=1, B=2||[a b]|a-b" },
                { "{{split \"abc\" \"\"}} {{len (split \"\" \",\")}}", "[a b c] 1" },
                { "{{lower \"ABC\"}} {{upper .Name}} {{title \"ab c-d it's a_b\"}}", "abc DEFAULT Ab C-D It'S A_b" },
                { "{{truncate .Name 3}}|{{truncate \"abc\" 5}}|{{truncate .Umlaut 3}}|", /* no half characters */
                  "def|abc|gr|" },
                { "{{pad .Name 1 2}}|{{pad \"\" 2 2}}|", " default  ||" },
                { "{{slice \"abcdef\" 1 3}} {{slice \"abc\" 1}} {{slice .Env 1}}", "bc bc [B=2]" },
                { "{{index \"abc\" 1}}", "98" },
                { "{{.Name | upper | lower | printf \"%s-%s\" \"x\"}}", "x-default" },
                { "{{json .Name | len}}", "9" },
                { "{{len (index .Env 0)}}", "3" },
                { "{{printf \"%5d|%-5d|%05d|%+d|%x|%X|%#x|%b|%o|%c\" 42 42 42 42 255 255 255 5 8 65}}",
                  "   42|42   |00042|+42|ff|FF|0xff|101|10|A" },
                { "{{printf \"%t %v %q %s %5.1f|%g|%e\" true nil \"a\\\"b\\n\" \"z\" 3.14159 1.5 2.5}}",
                  "true <nil> \"a\\\"b\\n\" z   3.1|1.5|2.500000e+00" },
                { "{{printf \"%d\"}} {{printf \"x\" 1 \"a\"}} {{printf \"%d\" \"a\"}} {{printf \"%z\" 1}} "
                  "{{printf \"%\"}} {{printf \"%s\" nil}}",
                  "%!d(MISSING) x%!(EXTRA int=1, string=a) %!d(string=a) %!z(int=1) %!(NOVERB) %!s(<nil>)" },
                { "{{printf \"%*d|%.2s|%x|% x\" 5 1 \"abc\" \"hi\" \"abc\"}}", "    1|ab|6869|61 62 63" },
                { "{{printf \"%q\" .Env}} {{printf \"%T %T\" .Name .Count}} {{printf \"%d%%\" 50}}",
                  "[\"A=1\" \"B=2\"] string int 50%" },
                { "{{printf \"%6.2f|%-8.3f|%08.3f\" 3.14159 2.5 2.5}}", "  3.14|2.500   |0002.500" },
                { "{{printf \"%.2s|%5s|%-5s|\" .Umlaut \"\u00fc\" \"\u00fc\"}}", "gr|    \u00fc|\u00fc    |" },
        };
        check(cases, N_ELEMENTS(cases), &strict);
}

#define PARSE "E: template: :1: "
#define EXEC(column, node) "E: template: :1:" column ": executing \"\" at <" node ">: "

static void test_errors(void **state) {
        static const Case cases[] = {
                { "{{foo}}", PARSE "function \"foo\" not defined" },
                { "{{.Name", PARSE "unclosed action" },
                { "{{", PARSE "unclosed action" },
                { "{{}}", PARSE "missing value for command" },
                { "{{if}}x{{end}}", PARSE "missing value for if" },
                { "{{if 1}}", PARSE "unexpected EOF" },
                { "{{end}}", PARSE "unexpected {{end}}" },
                { "{{else}}", PARSE "unexpected {{else}}" },
                { "{{if true}}a{{else}}b{{else}}c{{end}}", PARSE "expected end; found {{else}}" },
                { "{{$x}}", PARSE "undefined variable \"$x\"" },
                { "{{if .On}}{{$x := 1}}{{end}}{{$x}}", PARSE "undefined variable \"$x\"" },
                { "{{\"abc}}", PARSE "unterminated quoted string" },
                { "{{`abc}}", PARSE "unterminated raw quoted string" },
                { "{{.Name #}}", PARSE "unexpected \"#\" in operand" },
                { "{{(.Name}}", PARSE "unclosed left paren" },
                { "{{.Name)}}", PARSE "unexpected right paren" },
                { "{{\"a\" | \"b\"}}", PARSE "non executable command in pipeline stage 2" },
                { "{{break}}", PARSE "{{break}} outside {{range}}" },
                { "{{/* x }}", PARSE "unclosed comment" },
                { "{{/* x */ y}}", PARSE "comment ends before closing delimiter" },
                { "{{range $a, $b, $c := .X}}{{end}}", PARSE "too many declarations in range" },
                { "{{1_000}}", PARSE "bad number syntax: \"1_000\"" },
                { "{{true.x}}", PARSE "unexpected . after term \"true\"" },
                { "a\n\n{{foo}}", "E: template: :3: function \"foo\" not defined" },
                /* on purpose not as Docker: refused by name, refused at all */
                { "{{define \"x\"}}{{end}}", PARSE "{{define}} is not supported" },
                { "{{template \"x\"}}", PARSE "{{template}} is not supported" },
                { "{{block \"x\" .}}{{end}}", PARSE "{{block}} is not supported" },
                { "{{html \"<\"}}", PARSE "function \"html\" is not supported" },
                { "{{call .Name}}", PARSE "function \"call\" is not supported" },
                { "{{.Name |}}", PARSE "missing value for command" },

                { "{{.Foo}}", EXEC("2", ".Foo") "map has no entry for key \"Foo\"" },
                { "x{{.State.Foo}}", EXEC("9", ".State.Foo") "map has no entry for key \"Foo\"" },
                { "{{.State.Health.Status}}", EXEC("8", ".State.Health.Status") "map has no entry for key \"Health\"" },
                { "{{.name}}", EXEC("2", ".name") "map has no entry for key \"name\"" },
                { "{{.Name.Foo}}", EXEC("7", ".Name.Foo") "can't evaluate field Foo in type string" },
                { "{{.Nothing.Foo}}", EXEC("10", ".Nothing.Foo") "nil pointer evaluating interface {}.Foo" },
                { "{{index .Env 5}}", EXEC("2", "index .Env 5") "error calling index: index out of range: 5" },
                { "{{index .Config.Labels 1}}",
                  EXEC("2", "index .Config.Labels 1") "error calling index: value has type int; should be string" },
                { "{{index nil 1}}", EXEC("2", "index nil 1") "error calling index: index of untyped nil" },
                { "{{slice \"abc\" 1 9}}",
                  EXEC("2", "slice \"abc\" 1 9") "error calling slice: index out of range: 9" },
                { "{{slice \"abc\" 2 1}}",
                  EXEC("2", "slice \"abc\" 2 1") "error calling slice: invalid slice index: 2 > 1" },
                { "{{len 3}}", EXEC("2", "len 3") "error calling len: len of type int" },
                { "{{len}}", EXEC("2", "len") "wrong number of args for len: want 1 got 0" },
                { "{{eq 1 \"a\"}}", EXEC("2", "eq 1 \"a\"") "error calling eq: incompatible types for comparison" },
                { "{{lt 1 2.0}}", EXEC("2", "lt 1 2.0") "error calling lt: incompatible types for comparison" },
                { "{{eq .State .State}}", EXEC("2", "eq .State .State") "error calling eq: non-comparable type" },
                { "{{join .Name \"x\"}}", EXEC("7", ".Name") "wrong type for value; expected []string; got string" },
                { "{{1 2}}", EXEC("2", "1") "can't give argument to non-function 1" },
                { "{{nil}}", EXEC("2", "nil") "nil is not a command" },
                { "{{.Name \"x\"}}", EXEC("2", ".Name") "Name is not a method but has arguments" },
                { "{{range true}}x{{end}}", EXEC("8", "true") "range can't iterate over true" },
                { "a\n{{.Foo}}", "E: template: :2:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\"" },
        };
        check(cases, N_ELEMENTS(cases), &strict);
}

static void test_lenient(void **state) {
        static const Case cases[] = {
                { "{{.Foo}}|{{.Foo.Bar}}|{{if .Foo}}a{{else}}b{{end}}", "<no value>|<no value>|b" },
        };
        check(cases, N_ELEMENTS(cases), NULL);
}

static void test_header(void **state) {
        static const TemplateOptions header = { .missing_is_error = true, .header = true };
        static const Case cases[] = {
                { "{{json .Name}}|{{upper .Name}}|{{truncate .Name 2}}", "default|default|default" },
        };
        check(cases, N_ELEMENTS(cases), &header);
}

/* What takes too much must end in an error, and soon. */
static void test_hostile(void **state) {
        static const Case cases[] = {
                { "{{range 1000000000000}}{{end}}", "too much" },
                { "{{range 100000}}{{range 100000}}{{end}}{{end}}", "too much" },
                { "{{range 100000}}{{range $.Env}}{{len .}}{{len .}}{{len .}}{{len .}}{{end}}{{end}}",
                  "too many steps" },
                { "{{range 100000}}{{printf \"%90000d\" 1}}{{end}}", "too much output" },
                { "{{$s := \"xxxxxxxxxx\"}}{{range 100}}{{$s = print $s $s}}{{end}}", "too much output" },
                { "{{$s := printf \"%100000d\" 1}}{{range 1000}}{{$x := split $s \"\"}}{{end}}", "too much output" },
                { "{{pad \"x\" 1000000000 0}}", "out of range" },
                { "{{truncate \"x\" -1}}", "out of range" },
                { "{{index .Env -1}}", "out of range" },
                { "{{index .Env 9223372036854775807}}", "out of range" },
                { "{{99999999999999999999999999x}}", "bad number" },
                { "{{\"\\q\"}}", "invalid syntax" },
                { "{{\"\\ud800\"}}", "invalid syntax" },
                { "{{\"\\U00110000\"}}", "invalid syntax" },
                { "{{\"\\xg0\"}}", "invalid syntax" },
                { "{{\"\\", "unterminated" },
                { "{{'", "unterminated" },
                { "{{''}}", "malformed" },
                { "{{$", "unclosed action" },
                { "{{.\xff\xfe}}", "no entry" },
                { "{{print \"\xff\"", "unclosed" },
                { "{{range}}", "missing value" },
                { "{{range $x := }}{{end}}", "missing value" },
                { "{{((((", "unclosed action" },
                { "{{-", "unexpected" },
                { "{{- ", "unclosed" },
                { "{{/*", "unclosed comment" },
                { "{{| .Name}}", "unexpected" },
                { "{{,}}", "unexpected" },
                { "{{:=}}", "unexpected" },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *out = run(cases[i].text, &strict);
                if (!startswith(out, "E: ") || !strstr(out, cases[i].result))
                        fail_msg("%s\n  gives %.200s\n  which lacks %s", cases[i].text, out, cases[i].result);
        }
}

static char *repeat(const char *s, size_t n, const char *end) {
        char *all = malloc(strlen(s) * n + strlen(end) + 1), *p = all;

        assert_non_null(all);
        while (n-- > 0)
                p = stpcpy(p, s);
        strcpy(p, end);
        return all;
}

static void test_nesting(void **state) {
        static const struct { const char *piece; size_t n; const char *end, *result; } cases[] = {
                { "{{if 1}}", 100000, "", "E: template: :1: nested too deeply" },
                { "{{if 0}}{{else if 1}}", 50000, "", "E: template: :1: nested too deeply" },
                { "{{range 1}}{{with 1}}", 40, "x", "E: template: :1: unexpected EOF" },
                { "x", 300000, "", "E: template: the template is too long" },
                { "x", 200000, "", NULL },
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *text = repeat(cases[i].piece, cases[i].n, cases[i].end), *out = run(text, &strict);
                if (cases[i].n * strlen(cases[i].piece) > 256 * 1024)
                        assert_string_equal(out, "E: template: the template is too long");
                else
                        assert_string_equal(out, cases[i].result ? cases[i].result : text);
        }
        _cleanup_free_ char *parens = repeat("(", 5000, ""), *text = NULL;
        assert_true(asprintf(&text, "{{%s", parens) > 0);
        _cleanup_free_ char *out = run(text, &strict);
        assert_string_equal(out, "E: template: :1: nested too deeply");

        _cleanup_free_ char *args = repeat(" 1", 1000, "}}"), *many = NULL;
        assert_true(asprintf(&many, "{{print%s", args) > 0);
        _cleanup_free_ char *refused = run(many, &strict);
        assert_string_equal(refused, "E: template: :1: too many arguments");
}

/* NULs in the data come out as they are. */
static void test_binary(void **state) {
        _cleanup_(template_freep) Template *t = NULL;
        _cleanup_json_ json_object *data = NULL;
        _cleanup_free_ char *error = NULL, *out = NULL;
        size_t size;

        assert_int_equal(json_parse(data_text, strlen(data_text), &data), 0);
        assert_int_equal(template_parse("{{.Nul}}{{\"\\x00\"}}", &t, &error), 0);
        assert_int_equal(template_execute(t, data, &strict, &out, &size, &error), 0);
        assert_int_equal(size, 4);
        assert_memory_equal(out, "a\0b\0", 5);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),  cmocka_unit_test(test_control), cmocka_unit_test(test_functions),
                cmocka_unit_test(test_errors),  cmocka_unit_test(test_lenient), cmocka_unit_test(test_header),
                cmocka_unit_test(test_hostile), cmocka_unit_test(test_nesting), cmocka_unit_test(test_binary),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

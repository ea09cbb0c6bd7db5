/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* References: see reference.h. The grammar is that of github.com/distribution/reference. */
#include <stdio.h>

#include "oci/reference.h"
#include "util/strv.h"

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define NAME_MAX_LENGTH 255 /* registry and repository together */
#define TAG_MAX_LENGTH  128

static const char *const why_text[] = {
        "it is no name of an image",
        "it is empty",
        "a repository's name is in lower case",
        "64 hex digits are an id and cannot be a name",
        "a tag is 1 to 128 letters, digits, '_', '.' or '-', and begins with neither '.' nor '-'",
        "its registry is no host name",
        "the name is longer than 255 characters",
        "a digest is sha256: and 64 lower-case hex digits",
};
enum { WHY_GRAMMAR, WHY_EMPTY, WHY_CASE, WHY_HEX, WHY_TAG, WHY_REGISTRY, WHY_LONG, WHY_DIGEST };

/* [a-z0-9]+ with single '.', single or double '_' or any number of '-' between. */
static bool component_is_valid(const char *s, size_t n) {
        for (size_t i = 0; i < n;) {
                size_t word = strspn(s + i, LOWER DIGITS);
                if (word == 0)
                        return false;
                i += MIN_OF(word, n - i);
                if (i == n)
                        return true;
                if (s[i] == '.')
                        i++;
                else if (s[i] == '_')
                        i += s[i + 1] == '_' ? 2 : 1;
                else if (s[i] == '-')
                        i += strspn(s + i, "-");
                else
                        return false;
        }
        return false; /* empty, or ends in a separator */
}

static bool repository_is_valid(const char *s) {
        for (;;) {
                size_t n = strcspn(s, "/");
                if (!component_is_valid(s, n))
                        return false;
                if (!s[n])
                        return true;
                s += n + 1;
        }
}

static bool tag_is_valid(const char *s) {
        size_t n = strspn(s, LOWER UPPER DIGITS "_.-");
        return n > 0 && !s[n] && n <= TAG_MAX_LENGTH && !strchr(".-", s[0]);
}

/* Labels of a host name, or an IPv6 address in brackets; then perhaps a port. */
static bool registry_is_valid(const char *s) {
        if (*s == '[') {
                size_t n = strspn(s + 1, DIGITS "abcdefABCDEF:");
                if (n == 0 || s[1 + n] != ']')
                        return false;
                s += n + 2;
        } else
                for (;;) {
                        size_t n = strspn(s, LOWER UPPER DIGITS "-");
                        if (n == 0 || s[0] == '-' || s[n - 1] == '-')
                                return false;
                        s += n;
                        if (*s != '.')
                                break;
                        s++;
                }
        if (!*s)
                return true;
        return *s == ':' && s[1] && strspn(s + 1, DIGITS) == strlen(s + 1);
}

/* The first component is a registry if it could not be part of a repository on Docker's own. */
static bool looks_like_registry(const char *s, size_t n) {
        if (n == 9 && strncmp(s, "localhost", 9) == 0)
                return true;
        for (size_t i = 0; i < n; i++)
                if (strchr(".:[" UPPER, s[i]))
                        return true;
        return false;
}

/* Cuts "@DIGEST" and ":TAG" off the end of `rest`. */
static int cut_tail(char *rest, OciReference *r, int *why) {
        char *at = strchr(rest, '@');

        if (at) {
                OciDigest digest;
                *why = WHY_DIGEST;
                *at = '\0';
                int e = oci_digest_parse(at + 1, &digest);
                if (e < 0)
                        return e;
                r->digest = strdup(digest.text);
                if (!r->digest)
                        return -ENOMEM;
        }
        char *colon = strrchr(rest, ':');
        if (colon && !strchr(colon, '/')) { /* before a slash it is a port */
                *why = WHY_TAG;
                *colon = '\0';
                if (!tag_is_valid(colon + 1))
                        return -EINVAL;
                r->tag = strdup(colon + 1);
                if (!r->tag)
                        return -ENOMEM;
        }
        return 0;
}

/* Splits registry from repository and fills in Docker's defaults. */
static int set_name(OciReference *r, const char *name, int *why) {
        const char *slash = strchr(name, '/');
        const char *repository = name;

        if (slash && looks_like_registry(name, (size_t) (slash - name))) {
                r->registry = strndup(name, (size_t) (slash - name));
                repository = slash + 1;
        } else
                r->registry = strdup("docker.io");
        if (!r->registry)
                return -ENOMEM;
        *why = WHY_REGISTRY;
        if (!registry_is_valid(r->registry))
                return -EINVAL;
        *why = strpbrk(repository, UPPER) ? WHY_CASE : WHY_GRAMMAR;
        if (!repository_is_valid(repository))
                return -EINVAL;
        if (streq(r->registry, "index.docker.io") && string_replace(&r->registry, "docker.io") < 0)
                return -ENOMEM;
        bool official = streq(r->registry, "docker.io") && !strchr(repository, '/');
        if (asprintf(&r->repository, "%s%s", official ? "library/" : "", repository) < 0) {
                r->repository = NULL;
                return -ENOMEM;
        }
        *why = WHY_LONG;
        return strlen(r->registry) + 1 + strlen(r->repository) > NAME_MAX_LENGTH ? -ENAMETOOLONG : 0;
}

static int reference_parse(const char *text, OciReference **ret, int *why) {
        _cleanup_(oci_reference_freep) OciReference *r = calloc(1, sizeof(OciReference));
        _cleanup_free_ char *rest = NULL;
        int e;

        *why = text[0] ? WHY_LONG : WHY_EMPTY;
        if (!text[0])
                return -EINVAL;
        if (strlen(text) > NAME_MAX_LENGTH + 1 + TAG_MAX_LENGTH + 1 + OCI_DIGEST_LENGTH)
                return -ENAMETOOLONG;
        rest = strdup(text);
        if (!r || !rest)
                return -ENOMEM;
        *why = WHY_HEX;
        if (oci_hex_is_valid(rest))
                return -EINVAL;
        e = cut_tail(rest, r, why);
        if (e < 0)
                return e;
        e = set_name(r, rest, why);
        if (e < 0)
                return e;
        if (!r->tag && !r->digest) {
                r->tag = strdup("latest");
                if (!r->tag)
                        return -ENOMEM;
        }
        *ret = TAKE(r);
        return 0;
}

int oci_reference_parse(const char *text, OciReference **ret) {
        int why;
        return reference_parse(text, ret, &why);
}

const char *oci_reference_why(const char *text) {
        _cleanup_(oci_reference_freep) OciReference *r = NULL;
        int why = WHY_GRAMMAR;

        (void) reference_parse(text, &r, &why);
        return why_text[why];
}

OciReference *oci_reference_free(OciReference *r) {
        if (!r)
                return NULL;
        free(r->registry);
        free(r->repository);
        free(r->tag);
        free(r->digest);
        free(r);
        return NULL;
}

static int format(const char *registry, const char *repository, const OciReference *r, char **ret) {
        char *text;
        int n = asprintf(&text, "%s%s%s%s%s%s%s", registry, registry[0] ? "/" : "", repository, r->tag ? ":" : "",
                         r->tag ? r->tag : "", r->digest ? "@" : "", r->digest ? r->digest : "");
        if (n < 0)
                return -ENOMEM;
        *ret = text;
        return 0;
}

int oci_reference_format(const OciReference *r, char **ret) {
        return format(r->registry, r->repository, r, ret);
}

int oci_reference_familiar(const OciReference *r, char **ret) {
        const char *repository = r->repository;

        if (!streq(r->registry, "docker.io"))
                return oci_reference_format(r, ret);
        const char *short_name = startswith(repository, "library/");
        if (short_name && !strchr(short_name, '/'))
                repository = short_name;
        return format("", repository, r, ret);
}

int oci_reference_normalize(const char *text, char **ret) {
        _cleanup_(oci_reference_freep) OciReference *r = NULL;
        int e = oci_reference_parse(text, &r);
        return e < 0 ? e : oci_reference_format(r, ret);
}

int oci_reference_shorten(const char *text, char **ret) {
        _cleanup_(oci_reference_freep) OciReference *r = NULL;
        int e = oci_reference_parse(text, &r);
        return e < 0 ? e : oci_reference_familiar(r, ret);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The name of an image as people write it: [REGISTRY/]REPOSITORY[:TAG][@DIGEST], with Docker's grammar and defaults. */
#pragma once

#include "oci/digest.h"

typedef struct OciReference {
        char *registry;   /* "docker.io", "localhost:5000" */
        char *repository; /* "library/web" */
        char *tag;        /* "latest" where neither tag nor digest was given; NULL with a digest alone */
        char *digest;     /* "sha256:…" or NULL */
} OciReference;

/* -EINVAL: no reference; -EOPNOTSUPP: its digest is of an unknown kind; -ENAMETOOLONG. */
int oci_reference_parse(const char *text, OciReference **ret);
OciReference *oci_reference_free(OciReference *r);
DEFINE_FREEP(OciReference, oci_reference_free)

/* Why oci_reference_parse() refused, for the one who wrote it: a phrase like "a repository's name is in lower case". */
const char *oci_reference_why(const char *text);

/* "docker.io/library/web:latest" */
int oci_reference_format(const OciReference *r, char **ret);
/* As short as it can be and still mean the same, with its tag: "web:latest". */
int oci_reference_familiar(const OciReference *r, char **ret);
/* From and to text: the same as parse and format, or parse and familiar. */
int oci_reference_normalize(const char *text, char **ret);
int oci_reference_shorten(const char *text, char **ret);

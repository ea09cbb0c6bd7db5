/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the values of the option table may be: the parsers of command line values, and the checks of what came from
 * anywhere. The functions have the shapes that ContainerOption asks for; their errors are one line for a person. */
#pragma once

#include "util/macro.h"

/* Makes the line and returns -EINVAL. */
int option_error(char **ret_error, const char *format, ...) _printf_(2, 3);

int parse_attach(const char *value, void *member, char **ret_error); /* the name of a stream, in any case */
int parse_optional(const char *value, void *member, char **ret_error); /* a string; "" is as if it were not given */
int parse_single(const char *value, void *member, char **ret_error);   /* a vector of this string alone */
int parse_env(const char *value, void *member, char **ret_error);      /* KEY: as the caller has it, or not at all */
int parse_label(const char *value, void *member, char **ret_error);
int parse_timeout(const char *value, void *member, char **ret_error);

int validate_attach(const void *member, char **ret_error);
int validate_console_size(const void *member, char **ret_error);
int validate_env(const void *member, char **ret_error);
int validate_hostname(const void *member, char **ret_error);
int validate_image(const void *member, char **ret_error);
int validate_labels(const void *member, char **ret_error);
int validate_name(const void *member, char **ret_error);
int validate_network(const void *member, char **ret_error);
int validate_path(const void *member, char **ret_error);
int validate_pull(const void *member, char **ret_error);
int validate_restart(const void *member, char **ret_error);
int validate_security_opt(const void *member, char **ret_error);
int validate_signal(const void *member, char **ret_error);
int validate_strings(const void *member, char **ret_error);
int validate_timeout(const void *member, char **ret_error);
int validate_user(const void *member, char **ret_error);

/* ROWSxCOLUMNS. -EINVAL. */
int console_size_parse(const char *text, uint16_t *ret_rows, uint16_t *ret_columns);

/* The files' entries, later files over earlier ones, and over them what `env` had. Docker's format: one KEY=VALUE a
 * line, blank lines and those that begin with # left out, no quotes; KEY alone is the caller's variable of that name
 * (env) or an empty label (labels). */
int env_read_files(char *const *files, char ***env, char **ret_error);
int labels_read_files(char *const *files, char ***labels, char **ret_error);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `--filter KEY=VALUE`, given any number of times: values of one key are alternatives (labels must all be there), keys
 * must all fit. */
#pragma once

#include "util/macro.h"

/* For Arg.parse into a char ***: the form is checked and the key brought to lower case. */
int filter_parse(const char *value, void *target, char **ret_error);

/* The first filter whose key is not in the NULL-terminated list, as an error line to free. -EINVAL then. */
int filter_check(char *const *filters, const char *const *keys, char **ret_error);

typedef bool (*FilterTest)(const void *object, const char *value);

bool filter_has(char *const *filters, const char *key);
/* True if the key is not asked for, or one of its values passes. */
bool filter_any(char *const *filters, const char *key, FilterTest test, const void *object);
/* KEY or KEY=VALUE among labels, for all "label" filters. */
bool filter_labels(char *const *filters, char *const *labels);

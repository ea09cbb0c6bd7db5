/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words as Dockerfile instructions have them: quotes, backslashes, and variables that are replaced. */
#pragma once

#include "util/strv.h"

/* Splits at blanks outside of quotes; quotes and backslashes stay. -EINVAL: a quote is not closed. */
int words_split(const char *text, char ***ret);
/* Takes quotes and backslashes away and replaces $NAME, ${NAME}, ${NAME:-word}, ${NAME:+word} by what `env` says.
 * -EINVAL: malformed. */
int words_expand(const char *word, char *const *env, char **ret);
/* Both: each word expanded. */
int words_read(const char *text, char *const *env, char ***ret);

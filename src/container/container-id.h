/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids: 64 hexadecimal digits, as Docker's. */
#pragma once

#include "util/macro.h"

#define CONTAINER_ID_LENGTH 64
#define CONTAINER_SHORT_ID_LENGTH 12

/* Random; its first 12 digits are not all decimal, so that it can never be taken for a number (Docker does the
 * same). */
int container_id_new(char ret[static CONTAINER_ID_LENGTH + 1]);
bool container_id_is_valid(const char *s);
/* Could this be the beginning of an id? */
bool container_id_is_prefix(const char *s);
/* 32 hexadecimal digits: one per run. */
int run_id_new(char ret[static 33]);

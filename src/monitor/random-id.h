/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random names of 32 hex digits. */
#pragma once

#define RANDOM_ID_SIZE 33

void random_id(char ret[RANDOM_ID_SIZE]);

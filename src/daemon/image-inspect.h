/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `inspect` of an image: its record in Docker's JSON shape. */
#pragma once

#include "image/image-store.h"

int image_inspect(const Image *image, json_object **ret);

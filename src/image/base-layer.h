/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base layer: STATEDIR/base lies beneath the layers of every image and holds what a container's mounts are put on (dev, proc,
 * sys, etc/hosts …), for images that lack them. Without it each start would make those in the container's own layer, where
 * they cost time and show up as changes of the container. It is no part of any image. */
#pragma once

/* Makes what is missing of it; idempotent, and right after a crash at any point. 0 or negative errno. */
int base_layer_make(int state_fd);

#define BASE_LAYER_NAME "base"

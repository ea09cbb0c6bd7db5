/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dockerfile instructions that change an image's configuration, as `import --change` takes them: CMD, ENTRYPOINT, ENV,
 * EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR. */
#pragma once

#include "oci/image-config.h"

/* Applies them in order. -EINVAL, -E2BIG: *ret_error is a line to free. */
int changes_apply(char *const *changes, OciRunConfig *c, char **ret_error);

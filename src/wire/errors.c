/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of errors: see errors.h. */
#include <errno.h>

#include "util/strv.h"
#include "wire/errors.h"

const BerthError berth_errors[] = {
        /* name, errno, exit code of run, of the others */
        { BERTH_ERROR_NO_SUCH_CONTAINER, ENOENT,       125, 1 },
        { BERTH_ERROR_NO_SUCH_IMAGE,     ENOENT,       125, 1 },
        { BERTH_ERROR_AMBIGUOUS,         ENOTUNIQ,     125, 1 },
        { BERTH_ERROR_NAME_IN_USE,       EEXIST,       125, 1 },
        { BERTH_ERROR_BAD_OPTION,        EINVAL,       125, 1 },
        { BERTH_ERROR_BAD_ARCHIVE,       EBADMSG,      125, 1 },
        { BERTH_ERROR_BAD_REFERENCE,     EINVAL,       125, 1 },
        { BERTH_ERROR_NOT_RUNNING,       ESRCH,        125, 1 },
        { BERTH_ERROR_RUNNING,           EALREADY,     125, 1 },
        { BERTH_ERROR_BUSY,              EBUSY,        125, 1 },
        { BERTH_ERROR_IMAGE_IN_USE,      EBUSY,        125, 1 },
        { BERTH_ERROR_NO_SPACE,          ENOSPC,       125, 1 },
        { BERTH_ERROR_UNAVAILABLE,       EHOSTDOWN,    125, 1 },
        { BERTH_ERROR_DENIED,            EACCES,       125, 1 },
        { NULL,                          EIO,          125, 1 }, /* the bus's own names */
};
const size_t n_berth_errors = N_ELEMENTS(berth_errors);

const BerthError *berth_error_find(const char *name) {
        const BerthError *e = berth_errors;

        while (e->name && !streq_null(e->name, name))
                e++;
        return e;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-unpack as a function, so that tests can run it in a process of theirs. */
#pragma once

/* argv: a name, a command (archive, layer, import), a staging directory. Reads stdin, writes the report to stdout: what
 * the command says, or { error, errno }. The exit status: 0 if there is a report, of either kind. */
int unpack_run(int argc, char **argv);

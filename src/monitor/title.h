/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ps shows of a process that forks without executing: its comm, and the memory of its command line. */
#pragma once

/* Once, from main(), before the title is set. Copies the environment away, whose memory the title may need. */
int title_init(int argc, char **argv);
/* Shows as `name` in comm and `name detail` as the command line, cut to the room there is. */
void title_set(const char *name, const char *detail);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent that asks a person at a terminal for a password when polkit wants one: pkttyagent, as systemctl has it. One for the
 * whole process, which ends with it. */
#pragma once

#include "util/macro.h"

/* May a person be asked? Not by --no-ask-password, and not where standard input is no terminal. */
void polkit_agent_forbid(void);
bool polkit_agent_may_ask(void);

/* Starts it, if it may ask, if we are not root, and if it is installed; waits until polkit knows it. Again: nothing. */
void polkit_agent_open(void);
void polkit_agent_close(void);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent at the terminal: see polkit-agent.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/polkit-agent.h"
#include "util/io.h"

#define AGENT "/usr/bin/pkttyagent"
#define READY_MS 10000 /* then the call is made without it */

static bool forbidden;
static bool opened;
static pid_t agent;

void polkit_agent_forbid(void) {
        forbidden = true;
}

bool polkit_agent_may_ask(void) {
        return !forbidden && isatty(STDIN_FILENO);
}

/* In the child. It asks on the terminal also where our own output goes elsewhere, and leaves that alone. */
_Noreturn static void execute(int notify_fd, pid_t parent) {
        char fd[16], process[16];

        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
                _exit(EXIT_FAILURE);
        for (int to = STDOUT_FILENO; to <= STDERR_FILENO; to++) {
                if (isatty(to))
                        continue;
                int tty = open("/dev/tty", O_WRONLY | O_NOCTTY);
                if (tty < 0 || dup2(tty, to) < 0)
                        _exit(EXIT_FAILURE);
        }
        if (fd_set_cloexec(notify_fd, false) < 0)
                _exit(EXIT_FAILURE);
        snprintf(fd, sizeof(fd), "%i", notify_fd);
        snprintf(process, sizeof(process), "%i", (int) parent);
        execl(AGENT, AGENT, "--notify-fd", fd, "--fallback", "--process", process, NULL);
        _exit(EXIT_FAILURE);
}

void polkit_agent_open(void) {
        pid_t self = getpid();
        int ends[2];

        if (opened || geteuid() == 0 || !polkit_agent_may_ask() || access(AGENT, X_OK) < 0)
                return;
        opened = true;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        agent = fork();
        if (agent == 0)
                execute(ends[1], self);
        fd_close(ends[1]);
        if (agent > 0) /* it closes its end when polkit knows it, or by dying of that polkit is not there */
                (void) fd_wait(ends[0], POLLIN, READY_MS);
        fd_close(ends[0]);
}

void polkit_agent_close(void) {
        if (agent <= 0)
                return;
        (void) kill(agent, SIGTERM); /* ours until it is reaped */
        (void) kill(agent, SIGCONT);
        while (waitpid(agent, NULL, 0) < 0 && errno == EINTR)
                ;
        agent = 0;
}

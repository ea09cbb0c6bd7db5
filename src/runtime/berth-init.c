/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-init: PID 1 of a container run with --init. Starts the program, forwards every signal to it, reaps whatever
 * becomes an orphan, and ends as the program ends: its exit status, or 128 and the signal's number. Static, since it
 * runs inside of images that have no libc. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The program gets a process group of its own, in the foreground of the terminal if there is one, so that Ctrl-C
 * reaches it directly. */
static void run_program(char **args, const sigset_t *mask) {
        (void) setpgid(0, 0);
        (void) tcsetpgrp(STDIN_FILENO, getpgrp());
        (void) signal(SIGTTIN, SIG_DFL);
        (void) signal(SIGTTOU, SIG_DFL);
        (void) sigprocmask(SIG_SETMASK, mask, NULL);
        execvp(args[0], args);
        int error = errno;
        fprintf(stderr, "exec: \"%s\": %s\n", args[0], strerror(error));
        _exit(error == ENOENT ? 127 : 126);
}

/* True when the program itself has ended. */
static bool reap(pid_t program, int *status) {
        bool ended = false;

        for (;;) {
                int s;
                pid_t pid = waitpid(-1, &s, WNOHANG);
                if (pid <= 0)
                        return ended;
                if (pid == program) {
                        *status = s;
                        ended = true;
                }
        }
}

int main(int argc, char **argv) {
        char **args = argv + 1;
        sigset_t all, before;
        int status = 0;

        if (argc > 1 && strcmp(*args, "--") == 0)
                args++;
        if (argc < 2 || !*args) {
                fprintf(stderr, "Usage: %s [--] PROGRAM [ARGUMENT...]\n", argc > 0 ? argv[0] : "berth-init");
                return 125;
        }
        (void) sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, &before);
        (void) signal(SIGTTIN, SIG_IGN); /* it is not in the foreground itself */
        (void) signal(SIGTTOU, SIG_IGN);

        pid_t program = fork();
        if (program < 0) {
                fprintf(stderr, "cannot start \"%s\": %s\n", args[0], strerror(errno));
                return 125;
        }
        if (program == 0)
                run_program(args, &before);
        for (;;) {
                siginfo_t info;
                int s = sigwaitinfo(&all, &info);
                if (s < 0)
                        continue; /* EINTR: stopped and continued */
                if (s != SIGCHLD)
                        (void) kill(program, s);
                else if (reap(program, &status))
                        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
}

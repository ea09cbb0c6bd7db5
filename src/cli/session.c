/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The foreground of run, start, attach and exec: see session.h. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bus.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "util/io.h"
#include "wire/control.h"
#include "wire/wire.h"

#define CHANNEL_SIZE (64 * 1024)
#define TYPED_SIZE (4 * 1024)
#define READER_MSEC 1000 /* how often to look whether somebody reads at last */

/* One direction: what was read and not written yet is in the buffer. */
typedef struct Channel {
        int from, to;   /* -EBADF: that side has ended */
        SessionRest *rest; /* what comes when `from` has ended */
        uint64_t written;
        bool is_read;   /* which the monitor knows */
        size_t portion; /* as much can be written without blocking when poll says that something can */
        size_t begin, end;
        char buffer[CHANNEL_SIZE];
} Channel;

enum { STATUS_NONE = -1 };

static const char *const stream_names[] = { "stdin", "stdout", "stderr" };

int session_open(Session *s, const SessionSettings *settings) {
        DetachKeys keys;

        *s = (Session) SESSION_NULL;
        s->settings = *settings;
        s->settings.sig_proxy = settings->sig_proxy && !settings->tty;
        s->settings.streams[STDERR_FILENO] = settings->streams[STDERR_FILENO] && !settings->tty;
        if (detach_keys_parse(settings->detach_keys, &keys) < 0) {
                cli_error("Invalid detach keys (%s) provided", settings->detach_keys);
                return -EINVAL;
        }
        if (settings->tty && settings->streams[STDIN_FILENO]) {
                if (!isatty(STDIN_FILENO)) {
                        cli_error("the input device is not a TTY");
                        return -ENOTTY;
                }
                s->keys = keys;
        }
        for (int i = 0; i < 3; i++) {
                int ends[2];

                if (!s->settings.streams[i])
                        continue;
                if (pipe2(ends, O_CLOEXEC) < 0)
                        return -errno;
                s->near[i] = ends[i == STDIN_FILENO ? 1 : 0];
                s->far[i] = ends[i == STDIN_FILENO ? 0 : 1];
        }
        /* The description of this end is ours alone. */
        return s->near[STDIN_FILENO] >= 0 ? fd_set_nonblock(s->near[STDIN_FILENO], true) : 0;
}

static void leave_raw_mode(Session *s) {
        if (s->raw)
                (void) tcsetattr(STDIN_FILENO, TCSANOW, &s->saved);
        s->raw = false;
}

void session_done(Session *s) {
        leave_raw_mode(s);
        wire_close_fds(s->near, 3);
        wire_close_fds(s->far, 3);
        for (size_t i = 0; i < N_ELEMENTS(s->rest); i++)
                s->rest[i].fd = fd_close(s->rest[i].fd);
        s->signals = fd_close(s->signals);
        s->control = fd_close(s->control);
}

int session_append(Session *s, sd_bus_message *m) {
        int r = sd_bus_message_open_container(m, 'a', "{sh}");

        for (int i = 0; r >= 0 && s && i < 3; i++)
                if (s->far[i] >= 0) {
                        r = sd_bus_message_append(m, "{sh}", stream_names[i], s->far[i]);
                        s->far[i] = fd_close(s->far[i]); /* the message has a duplicate */
                }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void enter_raw_mode(Session *s) {
        struct termios raw;

        if (!s->settings.tty || !s->settings.streams[STDIN_FILENO] || tcgetattr(STDIN_FILENO, &s->saved) < 0)
                return;
        raw = s->saved;
        cfmakeraw(&raw);
        s->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) >= 0;
}

/* Sends without waiting: a monitor that reads nothing must not stop the pump. */
static void send_control(Session *s, ControlMessage message) {
        message.magic = CONTROL_MAGIC;
        (void) wire_send(s->control, &message, sizeof(message), NULL, 0);
}

static bool get_size(struct winsize *ret) {
        return ioctl(STDOUT_FILENO, TIOCGWINSZ, ret) >= 0 || ioctl(STDIN_FILENO, TIOCGWINSZ, ret) >= 0;
}

char *session_console_size(void) {
        struct winsize size;
        char *text;

        return get_size(&size) && asprintf(&text, "%ux%u", size.ws_row, size.ws_col) >= 0 ? text : NULL;
}

static void send_size(Session *s) {
        struct winsize size;

        if (!s->settings.tty || !get_size(&size))
                return;
        if (s->settings.redraw) /* a size that is as it was is no news to anybody */
                send_control(s, (ControlMessage) { .type = CONTROL_RESIZE, .rows = (uint16_t) (size.ws_row + 1),
                                                   .columns = (uint16_t) (size.ws_col + 1) });
        s->settings.redraw = false;
        send_control(s, (ControlMessage) { .type = CONTROL_RESIZE, .rows = size.ws_row, .columns = size.ws_col });
}

/* Asks to be let go, once. */
static void leave(Session *s, ControlDetach when) {
        if (!s->leaving)
                send_control(s, (ControlMessage) { .type = CONTROL_DETACH, .value = when });
        s->leaving = true;
}

/* With a terminal only what would leave it raw, and its size; else, where asked for, whatever the payload may want to
 * see, as docker does: ^Z, too. */
static int watch_signals(Session *s) {
        static const int terminal[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT };
        static const int ours[] = { SIGCHLD, SIGPIPE, SIGURG, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS,
                                    SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT, SIGXCPU, SIGXFSZ };
        sigset_t set;

        if (s->settings.tty) {
                sigemptyset(&set);
                for (size_t i = 0; i < N_ELEMENTS(terminal); i++)
                        sigaddset(&set, terminal[i]);
        } else if (s->settings.sig_proxy) {
                sigfillset(&set);
                for (size_t i = 0; i < N_ELEMENTS(ours); i++)
                        sigdelset(&set, ours[i]);
        } else {
                return 0;
        }
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return s->signals < 0 ? -errno : 0;
}

/* The terminal is put right, then the signal does what it would have done. */
static void die_of(Session *s, int signo) {
        sigset_t set;

        leave_raw_mode(s);
        sigemptyset(&set);
        sigaddset(&set, signo);
        (void) signal(signo, SIG_DFL);
        (void) raise(signo);
        (void) sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Signals by which somebody wants to be rid of us. */
static bool asks_for_end(int signo) {
        return signo == SIGTERM || signo == SIGINT || signo == SIGHUP || signo == SIGQUIT;
}

static void take_signal(Session *s, bool started, bool ended) {
        struct signalfd_siginfo info;

        if (read(s->signals, &info, sizeof(info)) != (ssize_t) sizeof(info))
                return;
        int signo = (int) info.ssi_signo;
        if (s->settings.tty && signo == SIGWINCH)
                send_size(s);
        /* ended: we only hang on a reader of our output that does not read. Not started: nobody is there who could take
         * the signal, and perhaps nobody will be. */
        else if (s->settings.tty || ended || (!started && asks_for_end(signo)))
                die_of(s, signo);
        /* A window that changes is no message to a payload without a terminal; one that somebody sent is. */
        else if (signo != SIGWINCH || info.ssi_code != SI_KERNEL)
                send_control(s, (ControlMessage) { .type = CONTROL_SIGNAL, .value = signo });
}

static void print_text(Session *s, const ControlMessage *message) {
        cli_error("%s", message->text);
        if (s->raw)
                (void) fd_write_all(STDERR_FILENO, "\r", 1);
}

/* Takes the descriptor in any case. */
static void take_rest(Session *s, const ControlMessage *message, int fd) {
        bool good = (message->value == STDOUT_FILENO || message->value == STDERR_FILENO) && fd >= 0 &&
                    message->rest.at < message->rest.end && s->rest[message->value].fd < 0;

        if (good)
                s->rest[message->value] = (SessionRest) { .fd = fd, .left = message->rest };
        else
                fd_close(fd);
}

/* One message of the monitor. The exit code when it is the last, else STATUS_NONE. */
static int take_control(Session *s, bool *started) {
        ControlMessage message;
        int fd = -EBADF;
        size_t n_fds = 1;
        int r = wire_recv(s->control, &message, sizeof(message), &fd, &n_fds);

        if (r == -EAGAIN)
                return STATUS_NONE;
        if (r <= 0 || message.magic != CONTROL_MAGIC) {
                leave_raw_mode(s);
                cli_error("%s: its monitor died%s", s->what,
                          *started ? ", and what it ran was killed with it" : ", or berthd, before it could be started");
                return *started ? EXIT_KILLED : EXIT_OURS;
        }
        message.text[sizeof(message.text) - 1] = '\0';
        if (message.type != CONTROL_REST)
                fd = fd_close(fd);
        switch (message.type) {
        case CONTROL_STARTED:
                *started = true;
                send_size(s);
                return STATUS_NONE;
        case CONTROL_FAILED:
                leave_raw_mode(s);
                print_text(s, &message);
                return message.value >= EXIT_OURS && message.value <= EXIT_NOT_FOUND ? message.value : EXIT_OURS;
        case CONTROL_EXITED:
                return message.value & 0xff;
        case CONTROL_DETACHED:
                leave_raw_mode(s);
                if (!*message.text) {
                        s->left = s->leaving;
                        return s->left && s->settings.escape_fails ? EXIT_FAILED : EXIT_OK;
                }
                print_text(s, &message);
                return EXIT_FAILED;
        case CONTROL_NOTICE:
                print_text(s, &message);
                return STATUS_NONE;
        case CONTROL_REST:
                take_rest(s, &message, fd);
                return STATUS_NONE;
        default:
                return STATUS_NONE;
        }
}

int session_wait_start(int control, const char *what) {
        Session s = SESSION_NULL;
        bool started = false;
        int status = STATUS_NONE;

        s.what = what;
        s.control = control;
        while (!started && status == STATUS_NONE) {
                int r = fd_wait(control, POLLIN, -1);
                status = r < 0 ? r : take_control(&s, &started);
        }
        session_done(&s);
        return started ? EXIT_OK : status;
}

/* Reads what is there. The end of the input ends the channel once its buffer is empty. True: it was read. */
static bool channel_read(Channel *c, char *to, size_t size, size_t *ret) {
        ssize_t n = read(c->from, to, size);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return false;
        if (n <= 0) { /* EIO too: a terminal that is gone, or not ours to read */
                c->from = -EBADF;
                return false;
        }
        *ret = (size_t) n;
        return true;
}

/* The next of what the monitor has left us. */
static int channel_fill_from_rest(Channel *c) {
        ControlRest *left = &c->rest->left;
        size_t size = (size_t) MIN_OF(MIN_OF(left->size, left->end - left->at), (uint64_t) sizeof(c->buffer));
        ssize_t n = pread(c->rest->fd, c->buffer, size, (off_t) left->at);

        if (n < 0 && errno == EINTR)
                return 0;
        if (n <= 0)
                return n < 0 ? -errno : -EIO;
        left->at = (left->at + (uint64_t) n) % left->end;
        left->size -= (uint64_t) n;
        c->begin = 0;
        c->end = (size_t) n;
        return 0;
}

static void channel_fill(Channel *c) {
        size_t n;

        if (!channel_read(c, c->buffer, sizeof(c->buffer), &n))
                return;
        c->begin = 0;
        c->end = n;
}

/* Keys of a person. True: who wants to go. */
static bool channel_type(Session *s, Channel *c) {
        char typed[TYPED_SIZE];
        size_t n;

        if (!channel_read(c, typed, sizeof(typed), &n))
                return false;
        c->begin = 0;
        if (!detach_keys_filter(&s->keys, typed, n, c->buffer, &c->end))
                return false;
        c->from = -EBADF;
        return true;
}

static int channel_write(Channel *c) {
        ssize_t n = write(c->to, c->buffer + c->begin, MIN_OF(c->end - c->begin, c->portion));

        if (n < 0)
                return errno == EINTR || errno == EAGAIN ? 0 : -errno;
        c->begin += (size_t) n;
        c->written += (uint64_t) n;
        return 0;
}

static bool channel_has_ended(const Channel *c) {
        return c->to < 0 || (c->from < 0 && c->begin == c->end && c->rest->left.size == 0);
}

/* Says so once somebody has read what we wrote: who never reads is let go, who reads now and then is waited for. */
static void tell_reading(Session *s, Channel *c) {
        struct stat st;
        int unread = 0;

        if (c->is_read || c->written == 0 || fstat(c->to, &st) < 0 || (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)) ||
            ioctl(c->to, S_ISFIFO(st.st_mode) ? FIONREAD : TIOCOUTQ, &unread) < 0 || (uint64_t) unread >= c->written)
                return;
        send_control(s, (ControlMessage) { .type = CONTROL_READING, .value = c->to });
        c->is_read = true;
}

/* What comes to us is passed on, and how patient the monitor may be depends on who reads it. In front of a terminal there
 * is a person. */
static void introduce_channels(Session *s, Channel *channels) {
        send_control(s, (ControlMessage) { .type = CONTROL_TAKES_REST });
        for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++)
                if (channels[i].to >= 0 && isatty(i)) {
                        send_control(s, (ControlMessage) { .type = CONTROL_READING, .value = i });
                        channels[i].is_read = true;
                }
}

/* A pipe or terminal that poll calls writable takes PIPE_BUF bytes at once; more might block us. A file takes
 * anything. */
static size_t portion_of(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && S_ISREG(st.st_mode) ? CHANNEL_SIZE : PIPE_BUF;
}

static int poll_all(Session *s, Channel *channels, bool control, struct pollfd *fds) {
        int r, timeout = -1;

        for (int i = 0; i < 3; i++) {
                const Channel *c = &channels[i];
                bool pending = c->begin < c->end;
                if (control && i != STDIN_FILENO && pending && !c->is_read)
                        timeout = READER_MSEC; /* a little that is read makes no room */
                /* poll passes over negative descriptors */
                fds[i] = (struct pollfd) { .fd = channel_has_ended(c) ? -1 : pending ? c->to : c->from >= 0 ? c->from : c->rest->fd,
                                           .events = pending ? POLLOUT : POLLIN };
        }
        fds[3] = (struct pollfd) { .fd = control ? s->control : -1, .events = POLLIN };
        fds[4] = (struct pollfd) { .fd = s->signals, .events = POLLIN };
        while ((r = poll(fds, 5, timeout)) < 0)
                if (errno != EINTR)
                        return -errno;
        for (int i = STDOUT_FILENO; r == 0 && i <= STDERR_FILENO; i++)
                tell_reading(s, &channels[i]);
        return 0;
}

static int serve_input(Session *s, Channel *c) {
        bool escaped = false;
        int r = 0;

        if (c->begin == c->end && s->keys.n > 0)
                escaped = channel_type(s, c);
        else if (c->begin == c->end)
                channel_fill(c);
        if (c->begin < c->end)
                r = channel_write(c); /* does not block */
        if (r < 0)
                c->to = -EBADF; /* nobody reads it any more: not an error of ours */
        if (escaped) {
                leave_raw_mode(s);
                leave(s, CONTROL_DETACH_NOW);
        }
        if (channel_has_ended(c)) {
                c->to = s->near[STDIN_FILENO] = fd_close(s->near[STDIN_FILENO]);
                if (!s->settings.streams[STDOUT_FILENO] && !s->settings.streams[STDERR_FILENO])
                        leave(s, CONTROL_DETACH_AFTER_INPUT);
        }
        return 0;
}

/* Moves one portion of one channel. */
static int serve_channel(Session *s, Channel *channels, int i) {
        Channel *c = &channels[i];
        int r = 0;

        if (i == STDIN_FILENO)
                return serve_input(s, c);
        if (c->begin < c->end) {
                r = channel_write(c);
                tell_reading(s, c);
        } else if (c->from >= 0)
                channel_fill(c);
        else if (channel_fill_from_rest(c) < 0) {
                leave_raw_mode(s);
                cli_error("cannot read the rest of the output of %s", s->what);
                return -EIO;
        }
        if (r < 0) {
                leave_raw_mode(s);
                cli_error("cannot write to standard %s: %s; %s goes on without this client",
                            i == STDOUT_FILENO ? "output" : "error", strerror(-r), s->what);
        }
        return r;
}

static int pump(Session *s, Channel *channels) {
        int status = STATUS_NONE;
        bool started = false;

        for (;;) {
                struct pollfd fds[5];

                if (status != STATUS_NONE && channel_has_ended(&channels[1]) && channel_has_ended(&channels[2]))
                        return status;
                int r = poll_all(s, channels, status == STATUS_NONE, fds);
                if (r < 0)
                        return r;
                for (int i = 0; i < 3; i++)
                        if (fds[i].revents && serve_channel(s, channels, i) < 0)
                                return EXIT_FAILED;
                bool ended = status != STATUS_NONE;
                if (fds[3].revents)
                        status = take_control(s, &started);
                if (fds[4].revents)
                        take_signal(s, started, ended);
                if (status != STATUS_NONE)
                        /* nothing more is read from our stdin: it is the next command's */
                        channels[STDIN_FILENO].to = -EBADF;
        }
}

int session_run(Session *s, int control) {
        _cleanup_free_ Channel *channels = calloc(3, sizeof(Channel));
        int r;

        s->control = control;
        if (!channels)
                return -ENOMEM;
        for (int i = 0; i < 3; i++) {
                bool input = i == STDIN_FILENO;
                channels[i].from = s->near[i] < 0 ? -EBADF : input ? STDIN_FILENO : s->near[i];
                channels[i].to = s->near[i] < 0 ? -EBADF : input ? s->near[i] : i;
                channels[i].rest = &s->rest[i];
                channels[i].portion = input ? CHANNEL_SIZE : portion_of(i);
        }
        (void) signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write() */
        r = fd_set_nonblock(s->control, true);
        if (r < 0)
                return r;
        r = watch_signals(s);
        if (r < 0)
                return r;
        enter_raw_mode(s);
        send_size(s);
        introduce_channels(s, channels);
        r = pump(s, channels);
        leave_raw_mode(s);
        if (s->left && s->settings.escape_fails)
                cli_error("read escape sequence");
        return r;
}

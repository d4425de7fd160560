#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/cli/cli_passphrase.h"
#include "sync/trust/trust_sealed.h"

enum { ROOM = TRUST_PASSPHRASE_MAX + 2 }; /* its newline, or a byte too many; NUL */

void cli_passphrase_free(char *passphrase)
{
    sodium_free(passphrase);
}

/* One line, whole, of at least a byte; the newline goes. */
static const char *check(char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\n')
        len--;
    text[len] = '\0';
    if (len > TRUST_PASSPHRASE_MAX)
        return "is too long";
    if (strlen(text) != len || strchr(text, '\n'))
        return "is not one line of text";
    return len == 0 ? "is empty" : NULL;
}

static enum cli_exit from_file(const struct cli *c, const char *path, char *text)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    const char *why;
    ssize_t n = fd < 0 ? -1 : 1;

    while (n > 0 && len < ROOM - 1) {
        n = read(fd, text + len, ROOM - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    if (n < 0)
        (void)cli_usage(c, "--passphrase-file %s: %s", path, strerrordesc_np(errno));
    if (fd > STDIN_FILENO)
        (void)close(fd);
    if (n < 0)
        return CLI_USAGE;
    why = check(text, len);
    return why ? cli_usage(c, "the passphrase in %s %s", path, why) : CLI_DONE;
}

static volatile sig_atomic_t caught;

static void note_signal(int number)
{
    caught = number;
}

static const int stops[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { STOPS = sizeof(stops) / sizeof(stops[0]) };

/* Signals wait but for the wait for a line, so that none slips in before it. */
static ssize_t read_line(int tty, char *text, size_t room)
{
    struct pollfd fd = {.fd = tty, .events = POLLIN};
    sigset_t blocked, before;
    ssize_t n = -1;

    (void)sigemptyset(&blocked);
    for (size_t i = 0; i < STOPS; i++)
        (void)sigaddset(&blocked, stops[i]);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, &before);
    if (!caught && ppoll(&fd, 1, NULL, &before) == 1)
        n = read(tty, text, room);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return n;
}

/* A line from the terminal, which has its echo back whatever ends this.  What was typed
   before the question is dropped. */
static ssize_t read_hidden(int tty, const char *question, char *text, size_t room)
{
    const struct sigaction act = {.sa_handler = note_signal};
    struct sigaction before[STOPS];
    struct termios shown, hidden;
    ssize_t n = -1;

    if (tcgetattr(tty, &shown) != 0)
        return -1;
    for (size_t i = 0; i < STOPS; i++)
        (void)sigaction(stops[i], &act, &before[i]);
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(tty, TCSAFLUSH, &hidden) == 0) {
        (void)dprintf(tty, "%s", question);
        n = read_line(tty, text, room);
        (void)dprintf(tty, "\n");
    }
    (void)tcsetattr(tty, TCSAFLUSH, &shown);
    for (size_t i = 0; i < STOPS; i++)
        (void)sigaction(stops[i], &before[i], NULL);
    if (caught)
        (void)raise(caught);
    return n;
}

static enum cli_exit ask(int tty, const char *what, const char *keyfile, char *text)
{
    AUTOFREE char *question = xasprintf("%s for %s: ", what, keyfile);
    ssize_t n = read_hidden(tty, question, text, ROOM - 1);
    const char *why = "could not be read";

    if (n >= 0)
        why = check(text, (size_t)n);
    if (!why)
        return CLI_DONE;
    (void)fprintf(stderr, "cairn: the passphrase %s\n", why);
    return CLI_FAILED;
}

static enum cli_exit ask_again(int tty, const char *keyfile, const char *first)
{
    CLEANUP(cli_passphrase_free) char *again = sodium_malloc(ROOM);
    enum cli_exit rc;

    if (!again)
        abort(); /* memory */
    rc = ask(tty, "The same again,", keyfile, again);
    if (rc != CLI_DONE || strcmp(first, again) == 0)
        return rc;
    (void)fputs("cairn: these were two passphrases\n", stderr);
    return CLI_FAILED;
}

static enum cli_exit from_terminal(const struct cli *c, const char *keyfile,
                                   bool is_new, char *text)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    enum cli_exit rc;

    if (tty < 0)
        return cli_usage(c, "there is no terminal to ask for a passphrase: give "
                            "--passphrase-file");
    rc = ask(tty, is_new ? "New passphrase" : "Passphrase", keyfile, text);
    if (rc == CLI_DONE && is_new)
        rc = ask_again(tty, keyfile, text);
    (void)close(tty);
    return rc;
}

enum cli_exit cli_passphrase_get(const struct cli *c, const char *keyfile, bool is_new,
                                 char **out)
{
    CLEANUP(cli_passphrase_free) char *text = sodium_malloc(ROOM);
    const char *path = c->values[CLI_OPT_PASSPHRASE_FILE];
    enum cli_exit rc;

    if (!text)
        abort(); /* memory */
    rc = path ? from_file(c, path, text) : from_terminal(c, keyfile, is_new, text);
    if (rc == CLI_DONE)
        *out = TAKE(text);
    return rc;
}

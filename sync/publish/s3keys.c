#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sync/publish/s3keys.h"

enum { FILE_MAX = 16 * 1024 };

/* Neither a core file nor, for a handler behind a pipe, a dump with private memory. */
static void keep_out_of_dumps(void)
{
    const struct rlimit none = {0};
    int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

    (void)setrlimit(RLIMIT_CORE, &none);
    if (fd < 0)
        return;
    if (write(fd, "0x0\n", 4) < 0)
        errno = 0; /* a kernel without it: the limit has to do */
    (void)close(fd);
}

static struct s3keys *create(void)
{
    struct s3keys *k;

    keep_out_of_dumps();
    k = sodium_malloc(sizeof(*k));
    if (!k)
        abort(); /* memory, or the limit on what may be locked */
    sodium_memzero(k, sizeof(*k));
    return k;
}

void s3keys_free(struct s3keys *k)
{
    sodium_free(k);
}

/* Where the value of a name goes; NULL: no name of ours. */
static char *place_of(struct s3keys *k, const char *name, size_t len, size_t *room)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN"};
    char *const places[] = {k->id, k->secret, k->token};
    const size_t rooms[] = {sizeof(k->id), sizeof(k->secret), sizeof(k->token)};

    for (size_t i = 0; i < 3; i++)
        if (strlen(names[i]) == len && strncasecmp(names[i], name, len) == 0) {
            *room = rooms[i];
            return places[i];
        }
    return NULL;
}

/* Once, printable, not longer than there is room for. */
static bool put(char *place, size_t room, const char *value, size_t len)
{
    if (place[0] != '\0' || len == 0 || len >= room)
        return false;
    for (size_t i = 0; i < len; i++)
        if (value[i] <= ' ' || value[i] > '~')
            return false;
    memcpy(place, value, len);
    return true;
}

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && isspace((unsigned char)**text))
        (*text)++, (*len)--;
    while (*len > 0 && isspace((unsigned char)(*text)[*len - 1]))
        (*len)--;
}

static bool take_line(struct s3keys *k, const char *line, size_t len)
{
    const char *equals, *value;
    size_t name_len, value_len, room = 0;
    char *place;

    trim(&line, &len);
    if (len == 0 || line[0] == '#' || (len == 9 && memcmp(line, "[default]", 9) == 0))
        return true;
    equals = memchr(line, '=', len);
    if (!equals)
        return false;
    name_len = (size_t)(equals - line);
    value = equals + 1;
    value_len = len - name_len - 1;
    trim(&line, &name_len);
    trim(&value, &value_len);
    place = place_of(k, line, name_len, &room);
    return place && put(place, room, value, value_len);
}

static enum errc take_text(struct s3keys *k, const char *text, const char *path,
                           struct err *err)
{
    for (unsigned line = 1; *text != '\0'; line++) {
        size_t len = strcspn(text, "\n");

        if (!take_line(k, text, len))
            return err_set(err, ERR_INVALID,
                           "line %u of %.150s is no credential, or one too many", line,
                           path);
        text += len + (text[len] == '\n');
    }
    if (k->id[0] == '\0' || k->secret[0] == '\0')
        return err_set(err, ERR_INVALID,
                       "%.150s wants AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                       path);
    return ERR_OK;
}

static enum errc read_private(int fd, const char *path, char text[FILE_MAX],
                              struct err *err)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0)
        return err_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        return err_set(err, ERR_INVALID,
                       "%.150s holds credentials and others may read it; chmod 600 it",
                       path);
    n = read(fd, text, FILE_MAX);
    if (n < 0)
        return err_errno(err, "%s", path);
    if (n == FILE_MAX || memchr(text, '\0', (size_t)n))
        return err_set(err, ERR_INVALID, "%.150s is no file of credentials", path);
    text[n] = '\0';
    return ERR_OK;
}

enum errc s3keys_read(const char *path, struct s3keys **out, struct err *err)
{
    CLEANUP(s3keys_free) struct s3keys *k = create();
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text;
    enum errc rc;

    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOTFOUND, "%.150s is not there", path);
    if (fd < 0)
        return err_errno(err, "%.150s", path);
    text = sodium_malloc(FILE_MAX);
    if (!text)
        abort(); /* memory */
    rc = read_private(fd, path, text, err);
    (void)close(fd);
    if (!rc)
        rc = take_text(k, text, path, err);
    sodium_free(text);
    if (!rc)
        *out = TAKE(k);
    return rc;
}

enum errc s3keys_from_environment(const char *const *environment, struct s3keys **out,
                                  struct err *err)
{
    CLEANUP(s3keys_free) struct s3keys *k = create();

    for (; *environment; environment++) {
        const char *equals = strchr(*environment, '=');
        size_t room = 0;
        char *place =
            equals ? place_of(k, *environment, (size_t)(equals - *environment), &room)
                   : NULL;

        if (place && equals[1] != '\0' &&
            !put(place, room, equals + 1, strlen(equals + 1)))
            return err_set(err, ERR_INVALID, "%.*s of the environment is no credential",
                           (int)(equals - *environment), *environment);
    }
    if (k->id[0] == '\0' && k->secret[0] == '\0')
        return err_set(err, ERR_NOTFOUND,
                       "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
    if (k->id[0] == '\0' || k->secret[0] == '\0')
        return err_set(
            err, ERR_INVALID,
            "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set");
    *out = TAKE(k);
    return ERR_OK;
}

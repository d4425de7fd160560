#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hex.h"
#include "base/keyfile.h"

enum { TEXT = 2 * KEYFILE_SECRET + 1 };

enum errc keyfile_refuse(const char *path, struct err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "%s holds no key; restore it, or move it away for a new one", path);
}

enum errc keyfile_read(const char *path, uint8_t out[KEYFILE_SECRET], struct err *err)
{
    char text[TEXT + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    bool ok;

    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOTFOUND, "%s is not there", path);
    if (fd < 0)
        return err_errno(err, "%s", path);
    n = read(fd, text, sizeof(text));
    (void)close(fd);
    ok = n == TEXT && text[TEXT - 1] == '\n' &&
         hex_decode(text, KEYFILE_SECRET, true, out);
    explicit_bzero(text, sizeof(text));
    return ok ? ERR_OK : keyfile_refuse(path, err);
}

enum errc keyfile_write(const char *path, const uint8_t secret[KEYFILE_SECRET],
                        struct err *err)
{
    char text[TEXT + 1];
    enum errc rc;

    hex_encode(secret, KEYFILE_SECRET, text);
    text[TEXT - 1] = '\n';
    rc = durable_replace(path, text, TEXT, err);
    explicit_bzero(text, sizeof(text));
    return rc;
}

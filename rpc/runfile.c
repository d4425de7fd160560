#include <string.h>

#include "base/cleanup.h"
#include "base/durable.h"
#include "base/mem.h"
#include "rpc/runfile.h"

enum errc runfile_write(const char *path, const char *line, struct err *err)
{
    AUTOFREE char *text = xasprintf("%s\n", line);

    return durable_replace(path, text, strlen(text), err);
}

#ifndef RPC_PUBLIC_FILE_H
#define RPC_PUBLIC_FILE_H

#include "rpc/public_call.h"

/* A file that does not change, or the one range of it that was asked for; say->etag is
   its tag already.  Takes fd.  Any thread. */
void public_file_say(const struct public_ask *ask, int fd, uint64_t size,
                     struct public_say *say);

#endif

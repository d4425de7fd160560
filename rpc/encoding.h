#ifndef RPC_ENCODING_H
#define RPC_ENCODING_H

/* How an answer may be packed (RFC 9110, 12.5.3).  Pure; any thread. */
enum encoding { ENCODING_NONE, ENCODING_GZIP, ENCODING_ZSTD };

/* The best of those that an Accept-Encoding header (NULL: there is none) allows. */
enum encoding encoding_choose(const char *header);
/* As Content-Encoding has it; NULL for ENCODING_NONE. */
const char *encoding_name(enum encoding e);

#endif

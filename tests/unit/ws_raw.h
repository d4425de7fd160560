#ifndef TESTS_UNIT_WS_RAW_H
#define TESTS_UNIT_WS_RAW_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/p2p/envelope.h"
#include "sync/p2p/message.h"
#include "tests/unit/test.h"

/* The other end of a WebSocket, by hand: what a well-behaved library would not send. */
enum { RAW_WAIT_S = 30, RAW_CONT = 0, RAW_TEXT = 1, RAW_BINARY = 2, RAW_CLOSE = 8 };
enum { RAW_PING = 9, RAW_PONG = 10 };

static inline int raw_socket(void)
{
    struct timeval wait = {.tv_sec = RAW_WAIT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)), 0);
    return fd;
}

/* To "127.0.0.1:port", from an address of 127.0.0.0/8; -1 when it is refused. */
static inline int raw_connect(const char *to, const char *from)
{
    struct sockaddr_in at = {.sin_family = AF_INET}, us = {.sin_family = AF_INET};
    int fd = raw_socket();
    char host[64];

    (void)snprintf(host, sizeof(host), "%.*s", (int)strcspn(to, ":"), to);
    at.sin_port = htons((uint16_t)strtoul(strchr(to, ':') + 1, NULL, 10));
    ck_assert_int_eq(inet_pton(AF_INET, host, &at.sin_addr), 1);
    ck_assert_int_eq(inet_pton(AF_INET, from, &us.sin_addr), 1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&us, sizeof(us)), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

/* False once the other end has closed. */
static inline bool raw_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static inline bool raw_read(int fd, void *bytes, size_t len)
{
    char *at = bytes;

    while (len > 0) {
        ssize_t n = recv(fd, at, len, 0);

        ck_assert_msg(n >= 0 || errno == ECONNRESET, "nothing came in time");
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* Up to the blank line; false when it closed before. */
static inline bool raw_read_head(int fd, char head[4096])
{
    size_t len = 0;

    while (len < 4095 && raw_read(fd, head + len, 1)) {
        head[++len] = '\0';
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

#define RAW_REQUEST                                                              \
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

static inline void raw_upgrade(int fd)
{
    char head[4096];

    ck_assert(raw_send(fd, RAW_REQUEST, strlen(RAW_REQUEST)));
    ck_assert(raw_read_head(fd, head));
    ck_assert_int_eq(strncmp(head, "HTTP/1.1 101 ", 13), 0);
    /* RFC 6455, 1.3 */
    ck_assert_ptr_nonnull(strstr(head, "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}

/* A frame's head, masked with zeros (a client's) or not at all. */
static inline size_t raw_frame_head(uint8_t head[14], unsigned opcode, bool fin,
                                    bool mask, uint64_t len)
{
    size_t n = 2;

    head[0] = (uint8_t)((fin ? 0x80 : 0) | opcode);
    head[1] = mask ? 0x80 : 0;
    if (len < 126) {
        head[1] = (uint8_t)(head[1] | len);
    } else if (len < 65536) {
        head[1] |= 126;
        head[n++] = (uint8_t)(len >> 8);
        head[n++] = (uint8_t)len;
    } else {
        head[1] |= 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            head[n++] = (uint8_t)(len >> shift);
    }
    if (mask) {
        memset(head + n, 0, 4);
        n += 4;
    }
    return n;
}

static inline bool raw_frame(int fd, unsigned opcode, bool fin, const void *bytes,
                             size_t len)
{
    uint8_t head[14];
    size_t n = raw_frame_head(head, opcode, fin, true, len);

    return raw_send(fd, head, n) && raw_send(fd, bytes, len);
}

/* The next frame of a server; its opcode, or -1 when it closed. */
static inline int raw_read_frame(int fd, char **bytes, size_t *len)
{
    uint8_t head[2], more[8] = {0};
    uint64_t n;

    *bytes = NULL;
    if (!raw_read(fd, head, 2))
        return -1;
    ck_assert_msg((head[1] & 0x80) == 0, "a server does not mask");
    n = head[1];
    if (n >= 126) {
        size_t width = n == 126 ? 2 : 8;

        if (!raw_read(fd, more, width))
            return -1;
        n = 0;
        for (size_t i = 0; i < width; i++)
            n = n << 8 | more[i];
    }
    ck_assert_uint_le(n, ENVELOPE_MAX);
    *bytes = xcalloc(1, n + 1);
    *len = n;
    if (n > 0 && !raw_read(fd, *bytes, n)) {
        free(*bytes);
        *bytes = NULL;
        return -1;
    }
    return head[0] & 0x0f;
}

/* Frames up to one of that opcode whose text has mark; false when it closed before. */
static inline bool raw_await(int fd, unsigned opcode, const char *mark)
{
    for (;;) {
        char *bytes;
        size_t len;
        int got = raw_read_frame(fd, &bytes, &len);
        bool found = got == (int)opcode && (!mark || strstr(bytes, mark));

        free(bytes);
        if (got < 0 || found)
            return found;
    }
}

/* The code of the close frame; 0 when it closed without one. */
static inline unsigned raw_close_code(int fd)
{
    for (;;) {
        char *bytes;
        size_t len = 0;
        int got = raw_read_frame(fd, &bytes, &len);
        unsigned code = got == RAW_CLOSE && len >= 2
                            ? (unsigned)((uint8_t)bytes[0] << 8 | (uint8_t)bytes[1])
                            : 0;

        free(bytes);
        if (got < 0 || got == RAW_CLOSE)
            return code;
    }
}

/* Sealed: a payload's canonical text. */
static inline struct buf raw_sealed(const struct p2p_key *k, const char *payload)
{
    struct buf out = BUF(ENVELOPE_MAX);

    envelope_seal(k, payload, strlen(payload), clock_now_ms(), &out);
    ck_assert(!out.full);
    return out;
}

static inline bool raw_say(int fd, const struct p2p_key *k, const char *payload)
{
    CLEANUP_BUF struct buf sealed = raw_sealed(k, payload);

    return raw_frame(fd, RAW_TEXT, true, sealed.data, sealed.len);
}

#define RAW_HANDSHAKE                                                         \
    "{\"payload\":{\"api_endpoint\":null,\"features\":[\"ws\"],\"height\":1," \
    "\"node_id\":\"b15afb9d9c8c1c94\",\"version\":\"1\"},\"type\":\"handshake\"}"
#define RAW_SAY_PING "{\"type\":\"ping\"}"

/* Connected, upgraded, handshakes through. */
static inline int raw_open(const char *to, const char *from, const struct p2p_key *k)
{
    int fd = raw_connect(to, from);

    raw_upgrade(fd);
    ck_assert(raw_await(fd, RAW_TEXT, "\"handshake\""));
    ck_assert(raw_say(fd, k, RAW_HANDSHAKE));
    return fd;
}

#endif

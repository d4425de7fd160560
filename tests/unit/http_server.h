#ifndef TESTS_UNIT_HTTP_SERVER_H
#define TESTS_UNIT_HTTP_SERVER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/test.h"

/*
 * An HTTP server that answers what the test says, byte for byte.  On every address of
 * 127.0.0.0/8, on a port of its own; a thread a connection.
 */
enum route_end {
    ROUTE_CLOSE,
    ROUTE_KEEP, /* keep-alive: the answer must carry its length */
    ROUTE_HOLD, /* keeps silent then, connected */
    ROUTE_DRIP, /* a byte each 20 ms then, without end */
};

struct route {
    const char *path;
    const char *answer;
    enum route_end end;
};

enum { SERVER_CONNECTIONS = 64, SERVER_HEAD = 4096 };

struct http_server {
    const struct route *routes; /* ends with a NULL path */
    int listener, stop;
    unsigned port;
    pthread_t acceptor;
    pthread_t threads[SERVER_CONNECTIONS];
    size_t connections;
    atomic_uint requests, open_now, open_most;
    pthread_mutex_t lock;        /* of last_head */
    char last_head[SERVER_HEAD]; /* read it when no request is under way */
};

struct http_client {
    struct http_server *server;
    int fd;
};

/* False once the server stops, or fd is no longer ready in time. */
static bool server_wait(struct http_server *s, int fd, short events, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events},
                            {.fd = s->stop, .events = POLLIN}};

    return poll(fds, 2, timeout_ms) > 0 && fds[1].revents == 0 && fds[0].revents != 0;
}

static bool server_read_head(struct http_server *s, int fd, char head[SERVER_HEAD])
{
    size_t len = 0;

    while (len + 1 < SERVER_HEAD && server_wait(s, fd, POLLIN, -1)) {
        ssize_t n = recv(fd, head + len, 1, 0);

        if (n <= 0)
            return false;
        head[++len] = '\0';
        if (len >= 4 && strcmp(head + len - 4, "\r\n\r\n") == 0)
            return true;
    }
    return false;
}

static const struct route *server_route(struct http_server *s, const char *head)
{
    for (const struct route *r = s->routes; r->path; r++) {
        size_t len = strlen(r->path);

        if (strncmp(head, "GET ", 4) == 0 && strncmp(head + 4, r->path, len) == 0 &&
            head[4 + len] == ' ')
            return r;
    }
    return NULL;
}

static bool server_answer(struct http_server *s, int fd, const struct route *r)
{
    size_t len = strlen(r->answer);

    if (send(fd, r->answer, len, MSG_NOSIGNAL) != (ssize_t)len)
        return false;
    while (r->end == ROUTE_DRIP && !server_wait(s, s->stop, POLLIN, 20))
        if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
            return false;
    if (r->end == ROUTE_HOLD)
        (void)server_wait(s, s->stop, POLLIN, -1);
    return r->end == ROUTE_KEEP;
}

static void *server_connection(void *arg)
{
    struct http_client c = *(struct http_client *)arg;
    unsigned open_now = atomic_fetch_add(&c.server->open_now, 1) + 1;
    const struct route *route;
    char head[SERVER_HEAD];

    free(arg);
    if (open_now > atomic_load(&c.server->open_most))
        atomic_store(&c.server->open_most, open_now);
    while (server_read_head(c.server, c.fd, head)) {
        pthread_mutex_lock(&c.server->lock);
        memcpy(c.server->last_head, head, strlen(head) + 1);
        pthread_mutex_unlock(&c.server->lock);
        atomic_fetch_add(&c.server->requests, 1);
        route = server_route(c.server, head);
        if (!route || !server_answer(c.server, c.fd, route))
            break;
    }
    (void)close(c.fd);
    atomic_fetch_sub(&c.server->open_now, 1);
    return NULL;
}

static void *server_accept(void *arg)
{
    struct http_server *s = arg;

    while (server_wait(s, s->listener, POLLIN, -1) &&
           s->connections < SERVER_CONNECTIONS) {
        struct http_client *c = malloc(sizeof(*c));

        ck_assert_ptr_nonnull(c);
        *c = (struct http_client){s, accept(s->listener, NULL, NULL)};
        ck_assert_int_ge(c->fd, 0);
        ck_assert_int_eq(
            pthread_create(&s->threads[s->connections++], NULL, server_connection, c),
            0);
    }
    return NULL;
}

static void server_start(struct http_server *s, const struct route *routes)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);

    memset(s, 0, sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
    s->routes = routes;
    s->stop = eventfd(0, 0);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(listen(s->listener, 64), 0);
    ck_assert_int_eq(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
    ck_assert_int_eq(pthread_create(&s->acceptor, NULL, server_accept, s), 0);
}

static void server_stop(struct http_server *s)
{
    ck_assert_int_eq(eventfd_write(s->stop, 1), 0);
    (void)pthread_join(s->acceptor, NULL);
    for (size_t i = 0; i < s->connections; i++)
        (void)pthread_join(s->threads[i], NULL);
    (void)close(s->listener);
    (void)close(s->stop);
}

#endif

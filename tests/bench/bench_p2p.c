#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "sync/p2p/envelope.h"
#include "sync/p2p/message.h"
#include "sync/p2p/p2p.h"
#include "sync/p2p/tls.h"
#include "sync/p2p/upgrade.h"
#include "tests/bench/measure.h"

/* What idle P2P connections cost the node that they come to.  The clients are
   another process: blocking sockets, each with a key of its own. */
enum { DEFAULT_CLIENTS = 1000, PER = 1000, LIMIT_MIB = 64, WAIT_S = 120 };

static struct err err;
static const char *dir;

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, strerrordesc_np(errno));
    exit(EXIT_FAILURE);
}

/* --- the clients --- */

struct client {
    int fd;
    struct tls_link *tls;
};

static void put(const struct client *c, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        size_t n = 0;

        if (c->tls)
            must(tls_write(c->tls, at, len, &n) == TLS_OK, "TLS");
        else
            n = (size_t)send(c->fd, at, len, MSG_NOSIGNAL);
        must(n > 0 && n <= len, "send");
        at += n;
        len -= n;
    }
}

static void skip_head(const struct client *c)
{
    static const char end[] = "\r\n\r\n";
    size_t met = 0;

    while (met < 4) {
        size_t n = 1;
        char byte;

        if (c->tls)
            must(tls_read(c->tls, &byte, 1, &n) == TLS_OK && n == 1, "TLS");
        else
            must(recv(c->fd, &byte, 1, 0) == 1, "recv");
        met = byte == end[met] ? met + 1 : byte == '\r';
    }
}

/* The number-th key there is. */
static struct p2p_key *key_of(unsigned number, const char *path)
{
    struct p2p_key *key = NULL;
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

    must(fd >= 0 && dprintf(fd, "%064x\n", number) == 65 && close(fd) == 0, path);
    measure_must(p2p_key_open(path, &key, &err), &err);
    return key;
}

static void shake_hands(const struct client *c, unsigned number, const char *path)
{
    CLEANUP(p2p_key_close) struct p2p_key *key = key_of(number, path);
    CLEANUP_BUF struct buf payload = BUF(ENVELOPE_MAX), sealed = BUF(ENVELOPE_MAX);
    struct message_self self = {.node_id = "0123456789abcdef", .height = 1};
    uint8_t head[8] = {0x81, 0xfe}; /* a text frame, masked with zeros */
    CLEANUP_BUF struct buf frame = BUF(ENVELOPE_MAX + sizeof(head));

    message_put_handshake(&self, &payload);
    envelope_seal(key, payload.data, payload.len, clock_now_ms(), &sealed);
    head[2] = (uint8_t)(sealed.len >> 8);
    head[3] = (uint8_t)sealed.len;
    buf_put(&frame, head, sizeof(head));
    buf_put(&frame, sealed.data, sealed.len);
    put(c, frame.data, frame.len);
}

static void come(struct client *c, const char *address, const struct tls *tls,
                 unsigned number)
{
    CLEANUP_BUF struct buf request = BUF(UPGRADE_HEAD_MAX);
    struct sockaddr_in at = {.sin_family = AF_INET};
    char path[256], key[UPGRADE_KEY];

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)strtoul(strchr(address, ':') + 1, NULL, 10));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(c->fd >= 0 && connect(c->fd, (struct sockaddr *)&at, sizeof(at)) == 0,
         "connect");
    if (tls) {
        c->tls = tls_link_create(tls, c->fd, "127.0.0.1");
        must(tls_handshake(c->tls) == TLS_OK, "TLS");
    }
    upgrade_key(key);
    upgrade_put_request("127.0.0.1", "/", key, &request);
    put(c, request.data, request.len);
    skip_head(c);
    (void)snprintf(path, sizeof(path), "%s/client.key", dir);
    shake_hands(c, number, path);
}

/* Connects, and stays until the other end of the pipe is closed. */
static void run_clients(const char *address, bool secure, unsigned count, int until)
{
    struct client *clients = calloc(count, sizeof(*clients));
    struct tls *tls = NULL;
    char byte;

    must(clients != NULL, "memory");
    if (secure)
        measure_must(tls_open(dir, &tls, &err), &err);
    for (unsigned i = 0; i < count; i++)
        come(&clients[i], address, tls, i + 2);
    if (read(until, &byte, 1) < 0)
        abort();
    _exit(EXIT_SUCCESS);
}

/* --- the node --- */

static struct p2p *node;
static atomic_uint opened;

static uint64_t no_blocks(void *arg)
{
    (void)arg;
    return 0;
}

static void on_done(void *arg, struct p2p_request *r)
{
    (void)arg;
    p2p_request_free(r);
}

static void on_event(void *arg, struct p2p_event *ev)
{
    (void)arg;
    if (ev->kind == P2P_OPENED)
        atomic_fetch_add(&opened, 1);
    p2p_event_free(node, ev);
}

static double resident_mib(void)
{
    unsigned long all = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    must(f && fscanf(f, "%lu %lu", &all, &resident) == 2, "/proc/self/statm");
    (void)fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void start_node(bool secure, unsigned count)
{
    static const struct p2p_answers answers = {.count = no_blocks};
    struct p2p_config cfg = {
        .listen = "127.0.0.1:0",
        .data_dir = dir,
        .testnet = !secure,
        .max_inbound = count,
        .max_inbound_per_ip = count,
        .max_inbound_per_group = count,
        .times = P2P_TIMES,
        .answers = &answers,
        .done = on_done,
        .event = on_event,
    };

    measure_must(p2p_start(&cfg, &node, &err), &err);
}

static void run(const char *name, bool secure, unsigned count)
{
    double before, until = measure_now() + WAIT_S;
    int ends[2];
    pid_t clients;

    atomic_store(&opened, 0);
    start_node(secure, count);
    must(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    clients = fork();
    if (clients == 0) {
        (void)close(ends[1]);
        run_clients(p2p_address(node), secure, count, ends[0]);
    }
    must(clients > 0, "fork");
    before = resident_mib();
    while (atomic_load(&opened) < count && measure_now() < until)
        (void)usleep(10000);
    must(atomic_load(&opened) == count, "not all came in");
    measure_at_most(name, (resident_mib() - before) * PER / count, "MiB", LIMIT_MIB);
    (void)close(ends[1]);
    (void)waitpid(clients, NULL, 0);
    (void)close(ends[0]);
    p2p_stop(node);
}

int main(int argc, char **argv)
{
    struct measure_args args =
        measure_args(argc, argv, DEFAULT_CLIENTS, DEFAULT_CLIENTS);
    struct rlimit files;

    dir = measure_directory();
    must(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
    files.rlim_cur = files.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");
    run("p2p_idle", false, (unsigned)args.count);
    run("p2p_idle_tls", true, (unsigned)args.count);
    return measure_result();
}

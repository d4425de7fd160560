#include <string.h>

#include "sync/p2p/node.h"

/*
 * Who may come in.  Slots are kept for diverse groups (IPv4 /16, IPv6 /32): when all
 * are taken, the most crowded group gives one up to a smaller group, so that a flood of
 * one network cannot push the others out.
 */
enum { GROUP_BITS_IPV4 = 96 + 16, GROUP_BITS_IPV6 = 32 };

static struct cidr group_of(const struct cidr *address)
{
    return cidr_around(address,
                       cidr_is_ipv4(address) ? GROUP_BITS_IPV4 : GROUP_BITS_IPV6);
}

static bool is_inside(const struct conn *c)
{
    return c && c->inbound && c->state != CONN_CLOSING;
}

static unsigned count_in(const struct p2p *p, const struct cidr *net)
{
    unsigned n = 0;

    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++)
        if (is_inside(p->conns[i]) && cidr_contains(net, &p->conns[i]->address))
            n++;
    return n;
}

static bool is_banned(const struct p2p *p, const struct cidr *address)
{
    for (size_t i = 0; i < BANS_MAX; i++)
        if (p->bans[i].until_ms > p->now_ms &&
            memcmp(p->bans[i].address.bytes, address->bytes, 16) == 0)
            return true;
    return false;
}

void p2p_admit_ban(struct p2p *p, const struct cidr *address, int64_t ban_ms)
{
    p->bans[p->ban_next] =
        (struct ban){.address = *address, .until_ms = p->now_ms + ban_ms};
    p->ban_next = (p->ban_next + 1) % BANS_MAX;
}

/* Of one group the one to go: who has not shaken hands, who had more faults, who came
   last. */
static bool is_worse(const struct conn *a, const struct conn *b)
{
    if (a->opened != b->opened)
        return !a->opened;
    if (a->faults.spent > b->faults.spent || a->faults.spent < b->faults.spent)
        return a->faults.spent > b->faults.spent;
    return a->id / CONN_SLOTS > b->id / CONN_SLOTS;
}

static struct conn *worst_of(const struct p2p *p, const struct cidr *net)
{
    struct conn *worst = NULL;

    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++) {
        struct conn *c = p->conns[i];

        if (is_inside(c) && cidr_contains(net, &c->address) &&
            (!worst || is_worse(c, worst)))
            worst = c;
    }
    return worst;
}

/* The group with most connections, and how many. */
static unsigned most_crowded(const struct p2p *p, struct cidr *out)
{
    struct cidr groups[P2P_CONNECTIONS_MAX];
    unsigned counts[P2P_CONNECTIONS_MAX], most = 0;
    size_t n = 0;

    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++) {
        size_t g = 0;

        if (!is_inside(p->conns[i]))
            continue;
        while (g < n && !cidr_contains(&groups[g], &p->conns[i]->address))
            g++;
        if (g == n) {
            groups[n] = group_of(&p->conns[i]->address);
            counts[n++] = 0;
        }
        if (++counts[g] > most) {
            most = counts[g];
            *out = groups[g];
        }
    }
    return most;
}

static unsigned inside(const struct p2p *p)
{
    unsigned n = 0;

    for (size_t i = 0; i < P2P_CONNECTIONS_MAX; i++)
        if (is_inside(p->conns[i]))
            n++;
    return n;
}

bool p2p_admit_address(struct p2p *p, const struct cidr *address)
{
    struct cidr group = group_of(address), crowded;
    unsigned in_group = count_in(p, &group);

    if (is_banned(p, address) || in_group >= p->cfg.max_inbound_per_group ||
        count_in(p, address) >= p->cfg.max_inbound_per_ip || p->cfg.max_inbound == 0)
        return false;
    if (inside(p) < p->cfg.max_inbound)
        return true;
    if (most_crowded(p, &crowded) <= in_group + 1)
        return false;
    conn_close(p, worst_of(p, &crowded), REASON_BUSY,
               "its network has most slots, and another had fewer");
    return true;
}

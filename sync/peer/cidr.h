#ifndef SYNC_PEER_CIDR_H
#define SYNC_PEER_CIDR_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Numeric addresses and networks.  Both live in the 128 bits of IPv6; an IPv4 address
 * is its mapped form, so "::ffff:10.0.0.1" and "10.0.0.1" are one.  Pure; any thread.
 */
struct cidr {
    uint8_t bytes[16];
    unsigned bits; /* 128 of an address; of IPv4 networks 96 + what they say */
};

/* "10.0.0.0/8", "fd00::/8", or an address alone.  False if it is neither, also when
   bits beyond the prefix are set. */
bool cidr_parse(const char *text, struct cidr *out);

/* An address without a prefix length. */
bool cidr_parse_address(const char *text, struct cidr *out);

bool cidr_is_ipv4(const struct cidr *c);

/* The network of that many bits (of 128) around an address. */
struct cidr cidr_around(const struct cidr *address, unsigned bits);

bool cidr_contains(const struct cidr *net, const struct cidr *address);

#endif

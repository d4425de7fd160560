#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include <stdint.h>
#include <sys/socket.h>

/*
 * Which client an address is, as a number for tables of fixed size: an IPv4 address
 * (also one in IPv6's clothes), or an IPv6 /64, which is what one customer has.  Keyed,
 * so that nobody chooses who shares a slot.  Pure; any thread.
 */
enum { CLIENT_KEY = 16 };

void client_key(uint8_t key[CLIENT_KEY]); /* random */
uint64_t client_number(const uint8_t key[CLIENT_KEY], const struct sockaddr *from);

#endif

#ifndef BASE_U128_H
#define BASE_U128_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Amounts are summed in atto, 10^-18 of an XAI (the chain's smallest unit), in 128
   bits: 121 million XAI are 1.21e26 of 3.4e38.  Pure; any thread. */
__extension__ typedef unsigned __int128 u128;

/*
 * What "%.18f" of value says, in atto, exactly: correctly rounded, ties to even.
 * False if value is not finite, negative, or over 1e9 (no amount of this chain is).
 */
bool u128_from_amount(double value, u128 *out);

enum { U128_TEXT = 40 };
void u128_text(u128 value, char out[U128_TEXT]); /* decimal */
/* Of that text and no other spelling: digits alone, no leading zero but "0". */
bool u128_parse(const char *decimal, u128 *out);
/* Atto as a decimal number of XAI, no trailing zeros: "61502176.109849066". */
void u128_amount_text(u128 atto, char out[U128_TEXT + 2]);
void u128_store(u128 value, uint8_t out[16]); /* big-endian */
u128 u128_load(const uint8_t in[16]);

#endif

"""Chains whose blocks make thousands of coins, so that a snapshot of them has many chunks."""

import hashlib

import xai

OUTPUTS, COINBASES, PER_TX = 11_000, 22, 500  # of a block: just under its 2,000,000 bytes


def address(number):
    """Free text, as a coinbase may name; it does not pack well."""
    first = hashlib.sha256(b"crowd %d" % number).hexdigest()
    return first + hashlib.sha256(first.encode()).hexdigest()


def coinbases(number, timestamp):
    """Transactions of a block that mints them all; the sum is exact in doubles."""
    for i in range(COINBASES):
        base = number * OUTPUTS + i * PER_TX
        outputs = [(address(base + k), 2.0**-10) for k in range(PER_TX)]
        tx = xai.transaction("COINBASE", outputs, timestamp=timestamp, kind="coinbase")
        tx["amount"] = PER_TX * 2.0**-10
        tx["txid"] = xai.txid(tx)
        yield tx


def crowded(chain, blocks, gap=1200.0):
    """So many more blocks full of coins; at that gap their difficulty is 1."""
    for number in range(blocks):
        block = chain.next_block(gap=gap)
        block["transactions"] = list(coinbases(number, block["timestamp"] - 0.001))
        block["merkle_root"] = xai.merkle_root([t["txid"] for t in block["transactions"]])
        chain.append(xai.seal(block))
    return chain

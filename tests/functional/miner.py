"""Chains longer than the tests' plain miner makes in time."""

import xai


def light_blocks(chain, count, gap=1200.0, miner="light"):
    """count more blocks of a coinbase each; gaps of 1200 s keep the difficulty at 1."""
    address = xai.Key(miner).address
    for _ in range(count):
        timestamp = chain.tip["timestamp"] + gap
        first = xai.coinbase(address, 12.0, timestamp - 0.001)
        block = {
            "difficulty": 1,
            "index": len(chain),
            "merkle_root": first["txid"],
            "miner": address,
            "nonce": 0,
            "previous_hash": chain.tip["hash"],
            "timestamp": timestamp,
            "transactions": [first],
            "version": 1,
        }
        chain.append(xai.seal(block))
    return chain

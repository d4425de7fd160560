"""Scenario 58: thousands of empty blocks; one block at the size limit, and one above it."""

import copy
import os
import time

import expect
import pytest
import xai
from miner import light_blocks
from node import wait_until

EMPTY = 10000 if os.environ.get("CAIRN_TEST_FULL") else 3000
LIMIT = 2000000
CHECKPOINT = 200


def ahead(chain):
    """A clock at which the chain's tip is not of the future."""
    seconds = max(0, int(chain.tip["timestamp"] - time.time()) + 60)
    return {"CAIRN_TEST_CLOCK_OFFSET": str(seconds)}


@pytest.mark.parametrize("when", ["catching up", "following"])
def test_58_thousands_of_empty_blocks(node, peers, chain, payload, when):
    long = light_blocks(chain.fork(240), EMPTY)
    three = peers(3, long if when == "catching up" else chain)
    n = node(three, environment=ahead(long))
    job_id = n.rpc("sync.start", url=three[0].serve("/cp.json", payload))["job_id"]
    assert n.wait_job(job_id, 300)["state"] == "succeeded"
    if when == "following":
        expect.at_tip_of(n, chain)
        for peer in three:
            peer.chain = long
    wait_until(lambda: n.status()["tip"]["height"] == long.tip["index"], "the tip", 300)
    assert n.rpc("chain.tip")["block_hash"] == long.tip["hash"]
    supply = n.rpc("chain.supply")
    assert supply["coins"] == len(chain.coins()) + EMPTY
    for peer in three:
        assert expect.peer_of(n, peer)["banned_until"] is None
    n.restart()
    n.wait_tip(long.tip["index"], long.tip["hash"])
    expect.audit_is_whole(n)


# --- one large block ---


def size_of(block):
    """What stock holds against the limit."""
    rest = {k: v for k, v in block.items() if k not in ("transactions", "miner")}
    txs = block["transactions"]
    return (len(xai.canon(rest)) + sum(len(xai.canon(tx)) for tx in txs)
            + len(block["miner"]) + 8 + 4 * len(txs))


def wide(key, at, amount, when, outputs):
    """One coin into so many."""
    each = round((amount - 0.02) / outputs - 1e-8, 8)
    to = xai.Key("many").address
    return xai.transfer(key, [at], [(to, each)] * outputs, timestamp=when, fee=0.01,
                        nonce=1000)


def large_block(chain, size):
    """The chain to the checkpoint and a block on it of exactly this size: transfers with
    a thousand outputs, and metadata, which no hash covers, for the rest."""
    keys = {k.address: k for k in xai.fixture_keys().values()}
    coins = [(keys[o], at, a) for at, (o, a) in chain.coins(CHECKPOINT).items()
             if o in keys and a > 1]
    out = chain.fork(CHECKPOINT)
    when = out.tip["timestamp"] + 5
    transfers, total = [], 2000
    for key, at, amount in coins:
        tx = wide(key, at, amount, when, 950)
        if total + len(xai.canon(tx)) > size - 1000:
            break
        total += len(xai.canon(tx)) + 4
        transfers.append(tx)
    rest = size - total
    if rest > 5000:
        transfers.append(wide(*coins[len(transfers)], when, (rest - 3000) // 90))
    block = out.mine(transfers)
    for tx in block["transactions"][1:]:
        need = size - size_of(block)
        if need > len('"pad":""'):
            tx["metadata"] = {"pad": "x" * min(need - len('"pad":""'), 4000)}
    assert size_of(block) == size
    return out.mine_many(10)


def padded(chain, height, more):
    """A copy of that block with so many bytes more of metadata."""
    block = copy.deepcopy(chain[height])
    for tx in block["transactions"][1:]:
        if not tx["metadata"]:
            continue
        room = min(more, 4000 - len(tx["metadata"]["pad"]))
        tx["metadata"]["pad"] += "x" * room
        more -= room
    assert more == 0
    return block


def test_58_a_block_at_the_size_limit(node, peers, chain, payload):
    big = large_block(chain, LIMIT)
    three = peers(3, big)
    n = node(three)
    expect.bootstrapped(n, big, url=three[0].serve("/cp.json", payload))
    header = n.rpc("chain.header", height=201)
    assert header["block_hash"] == big[201]["hash"]
    n.restart()
    expect.at_tip_of(n, big)
    for peer in three:
        assert expect.peer_of(n, peer)["banned_until"] is None


def test_58_a_copy_above_the_size_limit(node, peers, chain, payload):
    """Most relays padded it: the copy of the one that did not is taken."""
    big = large_block(chain, LIMIT)
    liars, (honest,) = peers(3, big), peers(1, big)
    for liar in liars:
        liar.altered = {201: padded(big, 201, 1)}
        assert size_of(liar.altered[201]) == LIMIT + 1
    n = node([*liars, honest], {"checkpoint": {"min_peers": 1}})
    expect.bootstrapped(n, big, url=honest.serve("/cp.json", payload))
    assert expect.peer_of(n, honest)["banned_until"] is None


def test_58_a_block_that_is_above_the_limit_everywhere(node, peers, chain, payload):
    """All but two peers build on it; the chain of those without it is the node's."""
    big = large_block(chain, LIMIT)
    big[201] = padded(big, 201, 1)
    big.mine_many(40)
    assert big.work() > chain.work()
    liars, honest = peers(3, big), peers(2)
    n = node([*liars, *honest])
    expect.bootstrapped(n, chain, url=honest[0].serve("/cp.json", payload))
    for peer in honest:
        assert expect.peer_of(n, peer)["banned_until"] is None

"""5: absurd heights, 0, negative, 2^63, 10^30, and absurd sizes: in handshakes, in
checkpoint claims, in chain ranges."""

import expect
import p2praw
import pytest
import stockws
import xai
from node import wait_until

MOST = 2 ** 53 - 1


def claim(**changes):
    return stockws.replaced(lambda _: {"height": 200, "block_hash": "ab" * 32,
                                       "timestamp": 1.5, "source": "local", **changes})


def page(**changes):
    return stockws.replaced(lambda true: {
        **true, "pagination": {**true["pagination"], **changes}})


def tip_at(height):
    """A chain that is said to be so high, and a block up there."""

    def change(true):
        at = true["pagination"]["offset"]
        block = {**true["chain"][-1], "index": height} if true["chain"] else {
            "index": height}
        return {**true, "chain": [xai.seal(block)] if at == height and len(block) > 1 else
                [{"index": at}] if at == height else true["chain"],
                "pagination": {**true["pagination"], "total_blocks": height + 1}}

    return stockws.replaced(change)


def height(value):
    return stockws.replaced(lambda true: {**true, "height": value})


BAD_HEIGHT, BAD_CLAIM = "handshake: height is no count", "checkpoint: height is no height"
BAD_PAGE = "pagination lacks offset or total_blocks"

# What is absurd in messages of a type, and what is said of it; None: it is no fault.
ABSURD = [
    ("handshake", height(0), None),
    ("handshake", height(MOST), None),
    ("handshake", height(-1), BAD_HEIGHT),
    ("handshake", height(2 ** 53), BAD_HEIGHT),
    ("handshake", height(2 ** 63), BAD_HEIGHT),
    ("handshake", height(10 ** 30), BAD_HEIGHT),
    ("handshake", height(240.5), BAD_HEIGHT),
    ("handshake", height("241"), BAD_HEIGHT),
    ("checkpoint", claim(height=0), None),
    ("checkpoint", claim(height=MOST), None),
    ("checkpoint", claim(height=10 ** 30, source="peer"), None),  # another's word
    ("checkpoint", claim(height=-1), BAD_CLAIM),
    ("checkpoint", claim(height=2 ** 63), BAD_CLAIM),
    ("checkpoint", claim(height=10 ** 30), BAD_CLAIM),
    ("checkpoint", claim(height=None), BAD_CLAIM),
    ("checkpoint", claim(block_hash="ab" * 31), "checkpoint: block_hash is no hash"),
    ("checkpoint", claim(url="http://127.0.0.1/" + "x" * 5000), "checkpoint: url is no text"),
    ("chain_range", page(total_blocks=-1), BAD_PAGE),
    ("chain_range", page(total_blocks=10 ** 30), BAD_PAGE),
    ("chain_range", page(offset=2 ** 63), BAD_PAGE),
    ("chain_range", page(offset=7), "chain_range: a block is not at its place"),
    ("chain_range", stockws.replaced(lambda true: {**true, "chain": true["chain"] * 200}),
     "chain_range: "),
    ("chain_range", tip_at(2 ** 52), ""),
    ("chain_range", tip_at(MOST - 1), ""),
]


@pytest.fixture
def publisher(node, peers, chain, payload):
    made = node(peers(), p2praw.server(request_rate_seconds=1))
    expect.bootstrapped(made, chain, payload=payload)
    return made


def test_05_absurd_numbers_are_refused_or_asked_about(node, publisher, peers, chain):
    others = []
    for i, (kind, fault, why) in enumerate(ABSURD):
        peer = stockws.StockWs(chain, f"127.{20 + i}.0.1")
        peer.fail(kind, fault)
        others.append((peer, why))
    try:
        made = node([*peers(), p2praw.At("ws://" + publisher.p2p), *(p for p, _ in others)],
                    p2praw.server(bootstrap_at_start=True, request_rate_seconds=1))
        with p2praw.Bounded(made, 64 << 20):
            expect.at_tip_of(made, chain)
            assert expect.accepted(made) == [200]
            for peer, why in others:
                def as_it_should():
                    made.rpc("checkpoint.candidates")  # has them asked again
                    shown = expect.peer_of(made, peer)
                    return (why in (shown["last_error"] or "") if why is not None else
                            shown["connected"] and shown["height"] == 240)
                wait_until(as_it_should, f"{peer.url}: {why}")
    finally:
        for peer, _ in others:
            peer.stop()
    expect.at_tip_of(made, chain)

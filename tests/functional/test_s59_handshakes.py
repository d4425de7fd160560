"""59: no handshake; handshake late; wrong version; unknown feature.  From the peers a node
dials, and from those who dial it."""

import expect
import p2praw
import pytest
import stockws
import xai
import xaip2p
from node import wait_until


def changed(**members):
    return stockws.replaced(lambda true: {**true, **members})


def ping_instead():
    return lambda draft: [draft.sealed(payload={"type": "ping"})]


# What a peer does instead of its handshake, and what is said of it; None: it is welcome.
HANDSHAKES = [
    (stockws.silence(), "no handshake in time"),
    (stockws.delayed(40), "no handshake in time"),
    (stockws.delayed(2), None),
    (ping_instead(), "its first message is no handshake"),
    (changed(version=7), "handshake: version is no text"),
    (changed(version="99"), None),
    (changed(features=["teleport", 7, None]), None),
    (changed(features={"of": "none"}), None),
    (changed(node_id=None), "handshake: node_id is no text"),
    (changed(height=None), "handshake: height is no count"),
    (changed(api_endpoint=["x"]), "handshake: api_endpoint is no text"),
    (stockws.replaced(None), "handshake: version is no text"),
    (stockws.replaced([1]), "handshake: version is no text"),
    (stockws.closed(1008), "it left"),
]


@pytest.fixture
def others(chain):
    """A peer for each of HANDSHAKES, and one where only HTTP is spoken."""
    made = []
    for i, (fault, why) in enumerate(HANDSHAKES):
        peer = stockws.StockWs(chain, f"127.{20 + i}.0.1")
        peer.fail("handshake", fault)
        made.append((peer, why))
    yield made
    for peer, _ in made:
        peer.stop()


def test_59_peers_that_do_not_shake_hands_are_left(node, peers, others, chain, payload):
    honest = peers()
    web = p2praw.At(honest[0].url.replace("http:", "ws:"))
    made = node([*honest, *(p for p, _ in others), web], {"p2p": {"enabled": True}})
    expect.bootstrapped(made, chain, payload=payload)
    for peer, why in [*others, (web, "no status 101")]:
        def as_it_should():
            shown = expect.peer_of(made, peer)
            if why is None:
                return shown["connected"] and shown["height"] == 240
            return why in (shown["last_error"] or "") and not shown["connected"]
        wait_until(as_it_should, f"{peer.url}: {why}")
        assert expect.peer_of(made, peer)["banned_until"] is None
    expect.at_tip_of(made, chain)


def test_59_callers_that_do_not_shake_hands_are_left(node):
    made = node([], p2praw.server())

    def caller(*said):
        peer = p2praw.RawPeer(made.p2p)
        for what in said:
            peer.send(what)
        return peer

    up = lambda peer: peer.upgrade() and peer
    slow = [caller(), caller(b"GET / HTTP/1.1\r\n"), up(caller())]
    assert caller(b"\x16\x03\x01\x02\x00\x01\x00").ends() is None  # TLS where none is
    assert caller(b"POST / HTTP/1.1\r\n\r\n").ends() is None
    plain = caller(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert plain.ends() is None and plain.got.startswith(b"HTTP/1.1 4")
    none = "its first message is no handshake"
    for payload, reason, why in (
            ({"type": "ping"}, "peer_no_handshake", none),
            ({"type": "get_peers"}, "peer_no_handshake", none),
            ({"type": "nothing"}, "peer_no_handshake", none),
            ({"type": "handshake"}, "peer_bad_message", "handshake: version is no text"),
            ({}, "peer_bad_message", "type is no text")):
        peer = up(caller())
        peer.say(payload)
        assert peer.ends() == 1008
        p2praw.wait_fault(made, reason, why)
    late = up(caller())
    p2praw.is_served(made)
    late.say(p2praw.handshake(late.key, version="99", features=["teleport"]))
    late.say({"type": "ping"})
    assert late.hears("pong")
    for peer in slow:
        peer.ends()
    p2praw.wait_fault(made, "peer_no_handshake", "no handshake in time")
    p2praw.is_served(made)


def test_59_who_signs_with_another_key_later_is_banned(node, peers, chain, payload):
    turncoat = stockws.StockWs(chain, "127.20.0.1")
    other = xai.Key("another")
    turncoat.fail("chain_range", lambda draft: [xaip2p.seal(other, draft.payload)])
    try:
        made = node([*peers(), turncoat], {"p2p": {"enabled": True}})
        expect.bootstrapped(made, chain, payload=payload)
        shown = wait_until(lambda: (p := expect.peer_of(made, turncoat))["banned_until"] and p,
                           "its ban")
        assert shown["ban_reason"] == "peer_bad_envelope"
        assert "another key" in shown["ban_evidence"] and not shown["connected"]
    finally:
        turncoat.stop()

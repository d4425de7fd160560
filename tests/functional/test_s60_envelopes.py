"""60: a bad envelope signature; a replayed nonce; a stale and a future timestamp."""

import expect
import p2praw
import pytest
import stockws
import xai
import xaip2p
from node import wait_until

# How a peer seals its messages of a type, and what is said of it; None: it is believed.
ENVELOPES = [
    ("handshake", stockws.sealed(good_signature=False), "the signature does not hold"),
    ("handshake", stockws.sealed(high_s=True), "the signature does not hold"),
    ("handshake", stockws.sealed(bits=18, good_pow=False), "the proof of work does not hold"),
    ("handshake", stockws.sealed(has_pow=False), "no proof of work"),
    ("handshake", stockws.dated(-360), "stale"),
    ("handshake", stockws.dated(7300), "ahead"),
    ("handshake", stockws.sealed(timestamp=10 ** 30), "timestamp is no time"),
    ("handshake", stockws.sealed(timestamp=-1), "timestamp is no time"),
    ("handshake", stockws.sealed(members={"session_id": "ab"}), "a session"),
    ("handshake", stockws.sealed(nonce="0" * 129), "nonce is no text"),
    ("handshake", stockws.resent(), "a nonce for the second time"),
    ("chain_range", stockws.sealed(good_signature=False), "the signature does not hold"),
    ("chain_range", stockws.sealed(nonce="again"), "a nonce for the second time"),
    ("chain_range", stockws.resent(), "a nonce for the second time"),
    ("chain_range", stockws.dated(-360), "stale"),
    ("chain_range", stockws.dated(-200), None),
    ("chain_range", stockws.dated(7000), None),
    ("chain_range", stockws.sealed(fallback=True, members={"sender_id": None}), None),
]


@pytest.fixture
def others(chain):
    made = []
    for i, (kind, fault, why) in enumerate(ENVELOPES):
        peer = stockws.StockWs(chain, f"127.{20 + i}.0.1")
        peer.fail(kind, fault)
        made.append((peer, why))
    yield made
    for peer, _ in made:
        peer.stop()


@pytest.mark.tsan
def test_60_peers_whose_envelopes_are_bad_are_left(node, peers, others, chain, payload):
    made = node([*peers(), *(p for p, _ in others)], {"p2p": {"enabled": True}})
    expect.bootstrapped(made, chain, payload=payload)
    for peer, why in others:
        def as_it_should():
            shown = expect.peer_of(made, peer)
            if why is None:
                return shown["connected"] and shown["height"] == 240
            return why in (shown["last_error"] or "") and shown["height"] is None
        # That of the same nonce twice is the second answer's: the first one counts.
        if why and peer.requests["get_chain_range"] > 0:
            as_it_should = lambda: why in (expect.peer_of(made, peer)["last_error"] or "")
        wait_until(as_it_should, f"{peer.url}: {why}")
    expect.at_tip_of(made, chain)


BAD = [
    ({"good_signature": False}, "peer_bad_envelope", "the signature does not hold"),
    ({"high_s": True}, "peer_bad_envelope", "the signature does not hold"),
    ({"good_pow": False, "bits": 18}, "peer_bad_envelope", "the proof of work does not hold"),
    ({"timestamp": 1}, "peer_bad_envelope", "stale"),
    ({"timestamp": 10 ** 10}, "peer_bad_envelope", "from "),
    ({"nonce": ""}, "peer_bad_envelope", "nonce is no text"),
    ({"nonce": "twice"}, "peer_replay", "a nonce for the second time"),
]


def test_60_callers_whose_envelopes_are_bad_are_left(node):
    made = node([], p2praw.server())
    for options, reason, why in BAD:
        with p2praw.RawPeer(made.p2p) as peer:
            peer.join()
            peer.say({"type": "ping"}, **options)
            if reason == "peer_replay":
                assert peer.hears("pong")
                peer.say({"type": "ping"}, **options)
            assert peer.ends() == 1008
        p2praw.wait_fault(made, reason, why)
    p2praw.is_served(made)


def test_60_a_message_is_not_replayed_on_another_connection(node):
    """What was overheard does not speak for who said it."""
    made = node([], p2praw.server())
    with p2praw.RawPeer(made.p2p) as first, p2praw.RawPeer(made.p2p) as second:
        heard = p2praw.frame(xaip2p.seal(first.key, p2praw.handshake(first.key)))
        for peer in (first, second):
            peer.upgrade()
            peer.send(heard)
            if peer is first:
                peer.say({"type": "ping"})
                assert peer.hears("pong")
        assert second.ends() == 1008
        p2praw.wait_fault(made, "peer_replay", "a nonce for the second time")
        first.got = b""
        first.say({"type": "ping"})
        assert first.hears("pong")


def test_60_another_s_key_in_the_middle_bans_no_one_else(node):
    made = node([], p2praw.server())
    with p2praw.RawPeer(made.p2p) as peer:
        peer.join()
        peer.send(p2praw.frame(xaip2p.seal(xai.Key("not it"), {"type": "ping"})))
        assert peer.ends() == 1008
    p2praw.wait_fault(made, "peer_bad_envelope", "signed with another key")
    p2praw.is_served(made)

"""61: messages split, concatenated, of 16 MiB, binary, not UTF-8; a ping flood."""

import expect
import p2praw
import pytest
import stockws
import xaip2p
from node import wait_until

BAD_FRAMES = "frames that break RFC 6455"



def begun(size):
    """A frame of that size, of which one byte comes."""
    return lambda draft: [stockws.Raw(b"\x81\x7f" + size.to_bytes(8, "big") + b"{")]


# What comes in place of a peer's answers, and what is said of it; None: it is believed.
FRAMES = [
    (stockws.split(), "JSON"),
    (stockws.concatenated(), "JSON"),
    (stockws.text("no JSON"), "JSON"),
    (stockws.text("[" * 10000), "JSON"),
    (stockws.text('{"message":1e999}'), "JSON"),
    (stockws.text("\ufeff{}"), "JSON"),
    (stockws.text("[]"), "not {message, signature}"),
    (stockws.text(b"\xff\xfe{}"), "JSON"),
    (stockws.invalid_utf8(), BAD_FRAMES),
    (stockws.oversize(), BAD_FRAMES),
    (begun(16 << 20), BAD_FRAMES),
    (begun(1 << 62), BAD_FRAMES),
    (lambda draft: [stockws.Raw(b"\xf1\x00")], BAD_FRAMES),  # reserved bits
    (lambda draft: [stockws.Raw(b"\x89\x7e\x01\x00")], BAD_FRAMES),  # a ping too long
    (lambda draft: [stockws.Raw(b"\x80\x00")], BAD_FRAMES),  # goes on with nothing
    (lambda draft: [stockws.Raw(b"\x89\x00" * 2000)], "more frames than its budget"),
    (lambda draft: [stockws.Raw(b"\x81\x01\n" * 200000)], "than its budget"),
    (stockws.closed(1009), "it left"),
    (stockws.binary(), None),
    (stockws.fragmented(), None),
    (stockws.fragmented(90), None),
    (lambda draft: ["\n\n" + draft.sealed(payload={"type": "ping"}) + "\n\n"
                    + draft.sealed()], None),
]


@pytest.fixture
def others(chain):
    made = []
    for i, (fault, why) in enumerate(FRAMES):
        peer = stockws.StockWs(chain, f"127.{20 + i}.0.1")
        peer.fail("chain_range", fault)
        peer.burst = 1 << 40
        made.append((peer, why))
    flood = stockws.StockWs(chain, "127.19.0.1")
    flood.unasked = [{"type": "ping"}] * 400
    made.append((flood, "more messages than its budget"))
    yield made
    for peer, _ in made:
        peer.stop()


def test_61_peers_whose_frames_are_bad_are_left(node, peers, others, chain, payload):
    made = node([*peers(), *(p for p, _ in others)], {"p2p": {"enabled": True}})
    with p2praw.Bounded(made, 64 << 20):
        expect.bootstrapped(made, chain, payload=payload)
        for peer, why in others:
            def as_it_should():
                shown = expect.peer_of(made, peer)
                if why is None:
                    return shown["connected"] and shown["height"] == 240
                return why in (shown["last_error"] or "") and shown["height"] is None
            wait_until(as_it_should, f"{peer.url}: {why}")
    expect.at_tip_of(made, chain)


def whole(peer, payload):
    return xaip2p.seal(peer.key, payload)


def halves(peer):
    text = whole(peer, {"type": "ping"})
    return p2praw.frame(text[:40]) + p2praw.frame(text[40:])


# What a caller sends, given itself, and the fault that ends it.
CALLS = [
    (halves, "peer_bad_envelope", ""),
    (lambda p: p2praw.frame(whole(p, {"type": "ping"}) * 2), "peer_bad_envelope", ""),
    (lambda p: p2praw.frame("x" * (1 << 20)), "peer_bad_envelope", ""),
    (lambda p: p2praw.frame(b"\xc3\x28"), "peer_bad_message", BAD_FRAMES),
    (lambda p: p2praw.frame("x", masked=False), "peer_bad_message", BAD_FRAMES),
    (lambda p: p2praw.frame("x", announced=16 << 20), "peer_bad_message", BAD_FRAMES),
    (lambda p: p2praw.frame("x", 9, announced=200), "peer_bad_message", BAD_FRAMES),
    (lambda p: p2praw.frame("", 3), "peer_bad_message", BAD_FRAMES),
    (lambda p: b"".join([p2praw.frame("x" * 60000, fin=False)]
                        + [p2praw.frame("x" * 60000, 0, fin=False)] * 20),
     "peer_bad_message", ""),
    (lambda p: p2praw.frame("", 9) * 500, "peer_flood", "more frames than its budget"),
    (lambda p: b"".join(p2praw.frame(whole(p, {"type": "ping"})) for _ in range(300)),
     "peer_flood", "more messages than its budget"),
    (lambda p: p2praw.frame("\n".join(whole(p, {"type": "ping"}) for _ in range(300))),
     "peer_flood", "more messages than its budget"),
]


@pytest.mark.tsan
def test_61_callers_whose_frames_are_bad_are_left(node):
    made = node([], p2praw.server())
    with p2praw.Bounded(made, 32 << 20):
        for sent, reason, why in CALLS:
            with p2praw.RawPeer(made.p2p) as peer:
                peer.join()
                assert peer.hears("handshake")
                peer.send(sent(peer))
                peer.ends()
            p2praw.wait_fault(made, reason, why)
            assert made.running
    p2praw.is_served(made)


def test_61_odd_frames_that_are_right_are_answered(node):
    made = node([], p2praw.server())

    def in_pieces(text):
        parts = [text[i : i + 50] for i in range(0, len(text), 50)]
        last = len(parts) - 1
        return b"".join(
            p2praw.frame(part, 0 if i else 1, fin=i == last) + p2praw.frame("x", 10)
            for i, part in enumerate(parts))

    for framed in (lambda t: p2praw.frame(t, 2), in_pieces,
                   lambda t: p2praw.frame("\n\n" + t + "\n\n")):
        with p2praw.RawPeer(made.p2p) as peer:
            peer.join()
            for byte in framed(whole(peer, {"type": "ping"})):
                peer.send(bytes([byte]))
            assert peer.hears("pong")


def test_61_half_messages_of_many_cost_little(node):
    """Each announces a megabyte, sends most of it, and waits."""
    made = node([], p2praw.server())
    half = p2praw.frame("x" * 1000000, announced=1 << 20)
    with p2praw.Bounded(made, 160 << 20):
        crowd = [p2praw.RawPeer(made.p2p, f"127.{64 + i // 8}.0.{1 + i % 8}")
                 for i in range(120)]
        for peer in crowd:
            peer.join()
            peer.send(half)
        p2praw.is_served(made, "127.9.0.1")
        left = [peer for peer in crowd if not peer.say({"type": "ping"})]
    for peer in crowd:
        peer.socket.close()
    assert made.running
    p2praw.is_served(made)

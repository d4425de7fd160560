"""62: payloads that nobody asked for; a checkpoint_request flood: served within the rate,
then refused."""

import copy

import expect
import p2praw
import pytest
import stockws
from node import wait_until


@pytest.fixture
def serving(node, peers, chain, payload):
    """A node that adopted a checkpoint and serves it; asked once an hour at most."""
    made = node(peers(), p2praw.server(request_rate_seconds=3600))
    expect.bootstrapped(made, chain, payload=payload)
    return made


def unasked_by(chain, payload):
    """What a peer pushes, and what is said of it; None: it is no fault."""
    forged = copy.deepcopy(payload)
    forged["signature"] = "00" * 64
    range_ = {"chain": chain[7:9], "difficulty": 1, "stats": {}, "pagination": {
        "offset": 7, "limit": 2, "count": 2, "total_blocks": 241, "has_more": True,
        "next_offset": 9}}
    return [
        ("checkpoint_payload", forged, "a payload that was not asked for"),
        ("checkpoint_payload", payload, "a payload that was not asked for"),
        ("chain_range", range_, "blocks that were not asked for"),
        ("block", chain[9], "a block that was not asked for"),
        ("block", {"index": 1}, "a block that is none"),
        ("chunk_response", {"snapshot_id": "x", "chunk_index": 0, "data": "00"}, None),
        ("peers", [f"ws://127.{i}.0.9:1" for i in range(100)], None),
        ("checkpoint", {"height": 9, "block_hash": "ab" * 32, "source": "local"}, None),
        ("pong", None, None),
        ("transaction", {"txid": "00"}, None),
        ("chain", {"chain": []}, None),
    ]


def test_62_what_a_peer_pushes_is_not_taken(node, peers, chain, payload):
    pushed = unasked_by(chain, payload)
    others = []
    for times in (1, 40):
        for i, (kind, value, why) in enumerate(pushed):
            peer = stockws.StockWs(chain, f"127.{20 + 20 * (times > 1) + i}.0.1")
            peer.burst = 1 << 40
            peer.unasked = [{"type": kind, "payload": value}] * times
            others.append((peer, why, times))
    try:
        made = node([*peers(), *(p for p, _, _ in others)], p2praw.server())
        with p2praw.Bounded(made, 64 << 20):
            expect.bootstrapped(made, chain, payload=payload)
            for peer, why, times in others:
                def as_it_should():
                    shown = expect.peer_of(made, peer)
                    said = shown["last_error"]
                    if why and times > 1:
                        return why in (said or "") or "more bytes than" in (said or "")
                    return shown["connected"] and (why in (said or "") if why else not said)
                wait_until(as_it_should, f"{peer.url}: {times} {why}")
                if why and times > 1:
                    peer.wait_for(lambda p: p.connections[0].close_code, "its end")
        known = {p["address"] for p in made.rpc("peers.list")["peers"]}
        assert not any(url.endswith(".0.9:1") for url in known)
        assert all(c["height"] == 200 for c in made.rpc("checkpoint.candidates")["candidates"])
    finally:
        for peer, _, _ in others:
            peer.stop()
    expect.at_tip_of(made, chain)


@pytest.mark.parametrize("question, answer", [
    ({"type": "checkpoint_request", "payload": {"want_payload": True}}, "checkpoint_payload"),
    ({"type": "get_checkpoint"}, "checkpoint"),
])
def test_62_a_flood_of_requests_is_answered_once(serving, question, answer, payload):
    with p2praw.RawPeer(serving.p2p) as flood, p2praw.Bounded(serving, 32 << 20):
        flood.join()
        flood.say(question)
        assert flood.hears(answer)
        for _ in range(40):
            flood.say(question)
        assert flood.ends() == 1008
        assert flood.got.count(f'"type":"{answer}"'.encode()) == 1
    p2praw.wait_fault(serving, "peer_flood", "it asks for checkpoints too often")
    with p2praw.RawPeer(serving.p2p, "127.9.0.1") as other:
        other.join()
        other.say(question)
        assert other.hears(answer)
        other.say({"type": "checkpoint_request", "payload": {"want_payload": False}})
        other.say({"type": "ping"})
        assert other.hears("pong")
    p2praw.is_served(serving)


def test_62_who_comes_back_is_not_answered_anew(serving):
    """Callers of one address are not told more than its eight connections at once could
    ask for: the metadata and the payload, each once."""
    question = {"type": "checkpoint_request", "payload": {"want_payload": True}}
    answered = 0
    for _ in range(20):
        with p2praw.RawPeer(serving.p2p, "127.8.0.1") as peer:
            peer.join()
            peer.say(question)
            peer.say({"type": "ping"})
            assert peer.hears("pong")
            answered += b'"checkpoint_payload"' in peer.got
    assert answered == 16
    with p2praw.RawPeer(serving.p2p, "127.9.0.1") as other:
        other.join()
        other.say(question)
        assert other.hears("checkpoint_payload")


def test_62_who_asks_and_does_not_read_is_left(serving, chain):
    asked = {"type": "get_chain_range",
             "payload": {"offset": 201, "limit": 100, "include_pending": False}}
    with p2praw.Bounded(serving, 64 << 20):
        crowd = [p2praw.RawPeer(serving.p2p, f"127.{64 + i}.0.1") for i in range(8)]
        for peer in crowd:
            peer.join()
            for _ in range(110):
                peer.say(asked)
        p2praw.wait_fault(serving, "peer_flood", "it asks for more than it reads")
        p2praw.is_served(serving, "127.9.0.1")
    for peer in crowd:
        peer.socket.close()
    expect.at_tip_of(serving, chain)


def test_62_odd_questions_are_met_with_silence(serving):
    with p2praw.RawPeer(serving.p2p) as peer:
        peer.join()
        for kind, value in (
                ("get_chain", None), ("get_headers", {"from": 0}), ("teleport", [1]),
                ("getdata", {"blocks": ["00" * 32]}), ("inv", {"blocks": ["11" * 32]}),
                ("chunk_request", {"snapshot_id": "../../x", "chunk_index": 0}),
                ("get_chain_range", {"offset": 2 ** 53 - 1, "limit": 2 ** 53 - 1}),
                ("checkpoint_request", {"want_payload": True, "height": 7})):
            peer.say({"type": kind, "payload": value})
        for kind, value in (  # these are faults
                ("get_chain_range", {"offset": -1}), ("get_chain_range", {"offset": 10 ** 30}),
                ("get_chain_range", []), ("getdata", {"blocks": ["zz"]}),
                ("checkpoint_request", {"want_payload": "yes"}),
                ("chunk_request", {"snapshot_id": 7})):
            peer.say({"type": kind, "payload": value})
        peer.say({"type": "ping"})
        assert peer.hears("pong")
    p2praw.wait_fault(serving, "peer_bad_message", "get_chain_range: offset is no height")

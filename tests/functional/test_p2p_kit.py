"""The tests' own P2P, held against what stock software sent and answered."""

import json

import pytest
import stockws
import xai
import xaip2p

P2P = xai.DATA / "p2p"
FRAMES = json.loads((P2P / "frames_index.json").read_text())
VECTORS = json.loads((P2P / "vectors.json").read_text())
KEY = xai.Key(int(VECTORS["private_key"], 16))


def captured(name):
    """The signed message of a captured frame."""
    return json.loads((P2P / name).read_bytes())["message"]


# --- envelopes ---


def test_captured_frames_open():
    for frame in FRAMES:
        (text,) = xaip2p.pieces((P2P / frame["file"]).read_bytes())
        public, message = xaip2p.unseal(text, frame["timestamp"], testnet=False)
        assert public == frame["pubkey"]
        assert message["payload"]["type"] == frame["type"]
        assert message["sender_id"] == xaip2p.sender_id(public)
        assert xaip2p.digest_of(message).hex() == frame["signed_digest_sha256d"]


def test_vectors_are_answered_as_stock_did():
    for vector in VECTORS["vectors"]:
        text = (P2P / vector["file"]).read_bytes()
        if vector["file"] != "vec_26.bin":  # that one met the node of the one before
            seen = xaip2p.Seen()
        try:
            public, message = xaip2p.unseal(text, vector["now"])
            seen.check(public, message, vector["now"])
            accepted = True
        except xaip2p.Refused:
            accepted = False
        assert accepted == vector["accepted"], vector


def test_key_is_that_of_the_vectors():
    assert KEY.compressed == VECTORS["public_key"]
    assert xaip2p.sender_id(KEY.compressed) == VECTORS["sender_id"]


@pytest.mark.parametrize("options, why", [
    ({}, None),
    ({"bits": 12}, None),
    ({"fallback": True}, None),
    ({"members": {"sender_id": "00"}}, None),
    ({"members": {"sender_id": None}}, None),
    ({"timestamp": 10 ** 10}, None),
    ({"timestamp": 1000}, "stale"),
    ({"good_signature": False}, "signature"),
    ({"high_s": True}, "high s"),
    ({"bits": 18, "good_pow": False}, "pow"),
    ({"has_pow": False}, "no pow"),
    ({"members": {"session_id": "abc"}}, "session"),
])
def test_what_is_sealed_opens_or_not(options, why):
    text = xaip2p.seal(KEY, {"type": "ping"}, **options)
    if why is None:
        public, message = xaip2p.unseal(text)
        assert public == KEY.compressed and message["payload"] == {"type": "ping"}
        return
    with pytest.raises(xaip2p.Refused, match=f"^{why}$"):
        xaip2p.unseal(text)


# --- the node ---


@pytest.fixture
def nodes(chain):
    """nodes(**options) starts a node of the fixture chain."""
    started = []

    def start(**options):
        made = stockws.StockWs(chain, f"127.1.0.{len(started) + 1}", **options)
        started.append(made)
        return made

    yield start
    for made in started:
        made.stop()


@pytest.fixture
def pair(nodes):
    """A node, one that dialled it, and their connection."""
    server, client = nodes(), nodes()
    connection = client.dial(server.url)
    client.wait_for(lambda _: connection.shaken, "the server's handshake")
    server.wait_for(lambda s: s.open_connections(), "the client's handshake")
    return server, client, connection


def unmetered(*buckets):
    for bucket in buckets:
        bucket.left = bucket.burst = 1 << 30


def shape(value):
    """Names and types; of a list those of its first item, of a transaction nothing."""
    if isinstance(value, dict) and "txid" in value:
        return "transaction"
    if isinstance(value, dict):
        return {name: shape(v) for name, v in sorted(value.items())}
    if isinstance(value, list):
        return [shape(v) for v in value[:1]]
    return type(value).__name__


def test_handshake_is_of_the_captured_shape(nodes):
    own = nodes(api_endpoint="http://127.0.0.1:1").handshake()
    assert shape(own) == shape(captured("000_recv.bin")["payload"])


def test_answers_are_of_the_captured_shape(pair):
    server, client, connection = pair
    server.checkpoint = server.checkpoint_of(200)
    for question, answer in (("006_send.bin", "007_recv.bin"),
                             ("010_send.bin", "013_recv.bin"),
                             ("016_send.bin", "017_recv.bin"),
                             ("029_send.bin", "030_recv.bin")):
        asked = captured(question)["payload"]
        theirs = captured(answer)["payload"]
        client.ask(connection, asked, theirs["type"])
        own = connection.received[-1]
        assert shape(own) == shape(theirs)


def test_ranges_are_the_chains(pair, chain):
    server, client, connection = pair
    for offset, limit, count in ((0, 3, 3), (239, 10, 2), (241, 5, 0), (20, 0, 0)):
        asked = {"offset": offset, "limit": limit, "include_pending": False}
        page = client.ask(connection, {"type": "get_chain_range", "payload": asked},
                          "chain_range")
        assert page["chain"] == chain[offset : offset + limit]
        assert page["pagination"]["count"] == count
        assert page["pagination"]["total_blocks"] == 241
        assert page["pagination"]["has_more"] == (offset + count < 241)
    assert server.refused == [] and client.refused == []


def test_blocks_by_hash_are_the_chains(pair, chain):
    server, client, connection = pair
    server.withheld = (8,)
    hashes = [chain[h]["hash"] for h in (7, 8)] + ["00" * 32]
    asked = {"blocks": hashes, "transactions": []}
    block = client.ask(connection, {"type": "getdata", "payload": asked}, "block")
    assert block == chain[7]
    client.ask(connection, {"type": "ping"}, "pong")
    assert [m["type"] for m in connection.received].count("block") == 1


def test_an_announced_block_that_is_unknown_is_asked_for(pair, chain):
    server, client, connection = pair
    longer = chain.fork(240)
    longer.mine()
    client.push({"type": "inv", "payload": {"blocks": [longer.tip["hash"]]}})
    client.wait_for(lambda c: c.requests["getdata"], "getdata")
    server.push_block(longer.tip)
    client.wait_for(lambda c: c.requests["block"] and c.requests["inv"], "the block")
    assert connection.received[-1] == {"type": "block", "payload": longer.tip}


def test_tls_with_a_certificate_of_its_own(nodes):
    server, client = nodes(tls=True), nodes()
    assert server.url.startswith("wss://")
    connection = client.dial(server.url)
    client.wait_for(lambda _: connection.shaken, "the server's handshake")
    assert client.ask(connection, {"type": "get_checkpoint"}, "checkpoint") is None


def test_who_does_not_begin_with_a_handshake_is_left(nodes):
    server, client = nodes(), nodes()
    client.fail("handshake", stockws.silence())
    connection = client.dial(server.url)
    client.ask(connection, {"type": "ping"})
    server.wait_for(lambda s: "handshake_missing" in s.refused, "the verdict")
    client.wait_for(lambda _: connection.close_code is not None, "the end")
    assert server.open_connections() == []


def test_who_says_nothing_is_left_in_time(nodes):
    server, client = nodes(), nodes()
    server.handshake_seconds = 0.2
    client.fail("handshake", stockws.silence())
    connection = client.dial(server.url)
    client.wait_for(lambda _: connection.close_code == 1008, "the end")
    assert server.refused == ["handshake_missing"]


def test_who_is_over_the_budget_is_left(pair):
    server, client, connection = pair
    unmetered(connection.outs)
    big = {"type": "x", "payload": "x" * 600000}
    client.ask(connection, big)
    client.ask(connection, big)
    server.wait_for(lambda s: "overdraft in" in s.refused, "the verdict")


# --- what it does when told to do it badly ---


@pytest.mark.parametrize("fault, refused", [
    (stockws.sealed(good_signature=False), ["refused: signature"]),
    (stockws.sealed(high_s=True), ["refused: high s"]),
    (stockws.sealed(bits=18, good_pow=False), ["refused: pow"]),
    (stockws.dated(-310), ["refused: stale"]),
    (stockws.dated(86400), []),
    (stockws.resent(), ["refused: replay"]),
    (stockws.binary(), []),
    (stockws.fragmented(), []),
    (stockws.joined(), []),
    (stockws.delayed(0.1), []),
    (stockws.concatenated(), []),
    (stockws.split(), ["refused: form", "refused: not json"]),
    (stockws.text("no JSON"), ["refused: not json"]),
    (stockws.text(b"\xff{}"), None),
])
def test_a_faulty_ping_is_refused_for_its_fault(pair, fault, refused):
    server, client, connection = pair
    client.fail("ping", fault)
    client.ask(connection, {"type": "ping"})
    if refused == []:
        server.wait_for(lambda s: s.requests["ping"], "a ping that is good")
    elif refused:
        server.wait_for(lambda s: len(s.refused) == len(refused), "the verdict")
    else:
        client.wait_for(lambda _: connection.close_code is not None, "the end")
    assert refused is None or all(
        said.startswith(why) for said, why in zip(server.refused, refused, strict=True))


@pytest.mark.parametrize("fault, code", [
    (stockws.invalid_utf8(), 1007),
    (stockws.oversize(), 1009),
    (stockws.announced(1 << 40), 1009),
    (stockws.closed(1001), 1001),
])
def test_a_faulty_frame_ends_the_connection(pair, fault, code):
    server, client, connection = pair
    server.fail("pong", fault)
    unmetered(server.connections[0].outs, connection.ins)
    client.ask(connection, {"type": "ping"})
    client.wait_for(lambda _: connection.close_code is not None, "the end")
    assert connection.close_code == code
    assert "pong" not in [m["type"] for m in connection.received]


def test_a_stalled_answer_does_not_come(pair):
    server, client, connection = pair
    server.fail("chain_range", stockws.stalled())
    asked = {"offset": 0, "limit": 2, "include_pending": False}
    client.ask(connection, {"type": "get_chain_range", "payload": asked})
    server.wait_for(lambda s: s.requests["get_chain_range"], "the question")
    with pytest.raises(AssertionError, match="waited"):
        client.wait_for(lambda _: len(connection.received) > 1, "an answer", 0.3)


def test_claims_and_lies_are_as_told(nodes, chain):
    server, client = nodes(), nodes()
    server.unasked = [{"type": "checkpoint_payload", "payload": {"height": 1}}]
    server.version = "99"
    server.checkpoint = server.checkpoint_of(200, source="peer", block_hash="ab" * 32)
    server.altered = {5: {**chain[5], "nonce": 7}}
    server.fail("peers", stockws.replaced(lambda true: [*true, "http://10.0.0.1"]))
    connection = client.dial(server.url)
    client.wait_for(lambda c: c.requests["checkpoint_payload"], "what nobody asked for")
    assert connection.handshake["version"] == "99"
    claim = client.ask(connection, {"type": "get_checkpoint"}, "checkpoint")
    assert claim["source"] == "peer" and claim["block_hash"] == "ab" * 32
    assert client.ask(connection, {"type": "get_peers"}, "peers") == ["http://10.0.0.1"]
    asked = {"offset": 5, "limit": 1, "include_pending": False}
    page = client.ask(connection, {"type": "get_chain_range", "payload": asked},
                      "chain_range")
    assert page["chain"][0]["nonce"] == 7
    assert client.refused == []

"""P2P over TLS, as on networks that are no testnet, whatever their name: between two nodes,
and with simulated stock nodes, whose certificates nobody vouches for."""

import json

import expect
import p2praw
import pytest
import stockws


@pytest.fixture
def network(chain, tmp_path):
    """The fixture chain as a network of an operator's own, where P2P is TLS."""
    coins = [{"txid": txid, "vout": vout, "address": address, "amount": amount}
             for (txid, vout), (address, amount) in chain.coins(0).items()]
    path = tmp_path / "params.json"
    path.write_text(json.dumps({
        "network": "our-own", "chain_context": "testnet", "genesis_hash": chain[0]["hash"],
        "genesis_coins": coins, "max_difficulty": 4, "min_difficulty_after_gap": True,
        "p2p_tls": True}))
    return {"network": str(path)}


@pytest.mark.tsan
def test_a_node_finds_its_checkpoint_over_tls(node, network, chain, payload):
    stocks = [stockws.StockWs(chain, f"127.{20 + i}.0.1", tls=True) for i in range(3)]
    for peer in stocks:
        peer.testnet = False
    try:
        publisher = node(stocks, {**network, **p2praw.server(request_rate_seconds=1)})
        expect.bootstrapped(publisher, chain, payload=payload)
        made = node([*stocks, p2praw.At("wss://" + publisher.p2p)],
                    {**network, **p2praw.server(bootstrap_at_start=True,
                                                request_rate_seconds=1)})
        expect.at_tip_of(made, chain)
        provenance = made.rpc("checkpoint.provenance", height=200)["provenance"]
        assert provenance["sources"][0]["source"] == "wss://" + publisher.p2p
        assert all(not peer.refused for peer in stocks)
        hostile(made)
    finally:
        for peer in stocks:
            peer.stop()


def hostile(made):
    """What is not TLS, or TLS and nothing more, is left; others are served."""
    with p2praw.RawPeer(made.p2p) as plain, p2praw.RawPeer(made.p2p) as half:
        plain.join()
        plain.ends()
        half.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")  # of a hello
        bypass = {"difficulty": 64, "fallback": True, "nonce": "00"}  # a testnet's
        for said, reason in (({"members": {"pow": bypass}}, "the proof of work does not hold"), ({"bits": 1}, None),
                             ({"members": {"sender_id": "00" * 8}}, "sender_id is not")):
            with p2praw.RawPeer(made.p2p, tls=True) as peer:
                peer.join()
                peer.say({"type": "ping"}, **said)
                assert peer.hears("pong") == (reason is None), said
            if reason:
                p2praw.wait_fault(made, "peer_bad_envelope", reason)
        with p2praw.RawPeer(made.p2p, tls=True) as peer:
            peer.join()
            assert peer.hears("handshake")
            peer.send(p2praw.frame("x", announced=16 << 20))
            peer.ends()
    p2praw.wait_fault(made, "peer_bad_answer", "no TLS could be agreed on")
    with p2praw.RawPeer(made.p2p, tls=True) as peer:
        peer.join()
        peer.say({"type": "ping"})
        assert peer.hears("pong")

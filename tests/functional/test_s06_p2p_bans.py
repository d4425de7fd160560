"""6: a banned peer back under a new advert: the same identity at another address."""

import expect
import p2praw
import pytest
import stockws
import xai
import xaip2p
from node import wait_until


@pytest.mark.tsan
def test_06_a_banned_identity_stays_out_at_its_new_address(node, peers, chain, payload):
    key = xai.Key("the same")
    honest = stockws.StockWs(chain, "127.20.0.1")
    first = stockws.StockWs(chain, "127.21.0.1", key=key)
    again = stockws.StockWs(chain, "127.22.0.1", key=key)
    first.fail("chain_range",
               lambda draft: [xaip2p.seal(xai.Key("another"), draft.payload)])
    try:
        made = node([*peers(), honest, first], p2praw.server())
        expect.bootstrapped(made, chain, payload=payload)
        shown = wait_until(lambda: (p := expect.peer_of(made, first))["banned_until"] and p,
                           "its ban")
        assert shown["ban_reason"] == "peer_bad_envelope"
        made.rpc("peers.add", peer=again.url)
        new = wait_until(lambda: (p := expect.peer_of(made, again))["banned_until"] and p,
                         "that of its new address")
        assert (new["ban_reason"], new["ban_evidence"]) == (
            shown["ban_reason"], shown["ban_evidence"])
        assert new["identity"] == shown["identity"] == f"secp256k1:{key.compressed}"
        again.wait_for(lambda p: p.connections and p.connections[0].close_code, "its end")
        assert again.requests["get_chain_range"] == 0
        made.restart()
        wait_until(lambda: expect.peer_of(made, honest)["height"] == 240, "the honest one")
        assert expect.peer_of(made, again)["banned_until"] == new["banned_until"]
        assert len(again.connections) == 1
        expect.at_tip_of(made, chain)
    finally:
        for peer in (honest, first, again):
            peer.stop()


def test_06_an_advert_of_a_banned_identity_is_dropped(node, chain):
    key = xai.Key("the same")
    honest = stockws.StockWs(chain, "127.20.0.1")
    first = stockws.StockWs(chain, "127.21.0.1", key=key)
    again = stockws.StockWs(chain, "127.22.0.1", key=key)
    try:
        made = node([first], p2praw.server())
        wait_until(lambda: expect.peer_of(made, first)["connected"], "the first")
        made.rpc("peers.ban", peer=first.url, seconds=3600, reason="it lies")
        first.wait_for(lambda p: p.connections[0].close_code, "its end")
        honest.peers = [again.url, first.url, first.url.upper().replace("WS", "ws")]
        made.stop()
        made.config["peers"].append(honest.url)
        made.start()
        again.wait_for(lambda p: p.connections and p.connections[0].close_code,
                       "that it was tried")
        listed = lambda: {p["address"]: p for p in made.rpc("peers.list")["peers"]}
        wait_until(lambda: (p := listed().get(again.url)) and p["banned_until"] and
                   not p["in_use"], "its ban")
        assert listed()[again.url]["ban_evidence"] == "it lies"
        assert len(first.connections) == len(again.connections) == 1
        assert again.requests["get_chain_range"] == 0
    finally:
        for peer in (honest, first, again):
            peer.stop()

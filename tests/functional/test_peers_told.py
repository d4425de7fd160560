"""Whom a node tells strangers of: peers that answered and that anybody can reach, over HTTP
and over P2P the same; on hosts of their own, since loopback addresses are never told."""

import json
import urllib.request

import netns
import p2praw
import pytest
import stockpeer
import stockws
from node import wait_until

WHY_NOT = netns.missing()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")

INSIDE, OUTSIDE, HOME = "10.1.0.1", "11.1.0.1", "11.9.0.1"  # 10/8 is private, 11/8 is not


@pytest.fixture
def network():
    with netns.Network() as made:
        yield made


@pytest.fixture
def others(network, chain):
    """A private and a public stock node, each over HTTP and over P2P."""
    made = []
    for address in (INSIDE, OUTSIDE):
        with network.inside(network.host(address)):
            made += [stockpeer.StockPeer(chain, address), stockws.StockWs(chain, address)]
    yield made
    for peer in made:
        peer.stop()


def told_over_http(made):
    with urllib.request.urlopen(f"http://{made.public_address}/peers", timeout=30) as answer:
        found = json.loads(answer.read())
    assert found["count"] == len(found["peers"])
    return found["peers"]


def told_over_p2p(made):
    with p2praw.RawPeer(made.p2p) as peer:
        peer.join()
        peer.say({"type": "get_peers"})
        assert peer.hears("peers")
        return peer.got.decode(errors="replace")


def test_strangers_hear_of_public_peers_that_answered(network, others, node):
    dead = [p2praw.At("http://11.1.0.1:9"), p2praw.At("ws://11.1.0.1:9")]
    home = network.host("10.9.0.1", HOME)
    with network.inside(home):
        made = node([*others, *dead], {
            "p2p": {"enabled": True, "listen": HOME + ":0"},
            "public": {"listen": HOME + ":0"},
            "transfer": {"allow_networks": ["10.0.0.0/8"], "min_speed": 0},
            "checkpoint": {"bootstrap_at_start": False}})
        job_id = made.rpc("sync.start", mode="full")["job_id"]
        made.wait_job(job_id)
        good = {p.url for p in others}
        wait_until(lambda: good <= {p["address"] for p in made.rpc("peers.list")["peers"]
                                    if p["last_good"]}, "answers of all four")
        public = {p.url for p in others if OUTSIDE in p.url}
        wait_until(lambda: set(told_over_http(made)) == public, "the public two")
        text = told_over_p2p(made)
        assert all(url in text for url in public)
        assert INSIDE not in text and ":9\"" not in text

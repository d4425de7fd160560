"""Scenario 4: one identity on many addresses counts once, over HTTP as over P2P."""

import cairnpeer
import pytest
from node import wait_until

HOSTS = ("127.11.0.1", "127.12.0.1", "127.13.0.1")


@pytest.fixture
def one_node(chain):
    """One Cairn at three addresses in three networks."""
    made = [cairnpeer.CairnPeer(chain, host) for host in HOSTS]
    for peer in made[1:]:
        peer._key = made[0]._key
    yield made
    for peer in made:
        peer.stop()


def known(made):
    return {p["address"]: p for p in made.rpc("peers.list")["peers"]}


def test_04_one_identity_at_many_addresses_is_one_peer_there(node, one_node):
    made = node(one_node, {"checkpoint": {"request_rate_seconds": 1}})
    identity = "ed25519:" + one_node[0].identity
    wait_until(lambda: {p["identity"] for p in known(made).values()} == {identity},
               "all three hellos")
    found = made.rpc("checkpoint.candidates")
    assert (found["peers"], found["networks"]) == (1, 1)
    wait_until(lambda: "1 of 3 peers, 1 of 2 networks" in (made.status()["waiting_for"] or ""),
               "what is missing")
    assert made.rpc("jobs.list")["jobs"] == []


def test_04_a_ban_of_an_identity_holds_at_its_other_addresses(node, one_node):
    """At once; and an operator who lifts it does so for all of them."""
    made = node(one_node, {"checkpoint": {"bootstrap_at_start": False}})
    wait_until(lambda: all(p["identity"] for p in known(made).values()), "all three hellos")
    made.rpc("peers.ban", peer=one_node[0].url, reason="test", seconds=3600)
    wait_until(lambda: all(p["banned_until"] for p in known(made).values()), "three bans")
    assert {p["ban_reason"] for p in known(made).values()} == {"peer_banned_by_operator"}
    made.rpc("peers.unban", peer=one_node[1].url)
    assert not any(p["banned_until"] for p in known(made).values())

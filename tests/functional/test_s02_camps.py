"""Scenarios 2, 4, 11 and 23: what peers say when they do not agree."""

import expect
import pytest
import stockpeer
import xai


@pytest.fixture
def fork(chain):
    """Another valid chain that leaves ours at 190, as long and with as much work."""
    other = chain.fork(190)
    other.mine_many(len(chain) - len(other), gap=31.0)
    assert other[200]["hash"] != chain[200]["hash"] and other.work() == chain.work()
    return other


def evidence(n, rule):
    (found,) = (r for r in expect.rejections(n)[0]["rules"] if r["rule"] == rule)
    return found


def test_02_two_camps_of_equal_size(node, peers, chain, payload, fork):
    ours = peers(3)
    n = node(ours + peers(3, serves=fork))
    expect.refused(n, "equivocation", url=ours[0].serve("/cp.json", payload))
    assert evidence(n, "equivocation")["saw"] == f"3 peers for {fork[200]['hash']}"
    found = expect.incident(n, "equivocation")
    assert found["subject"] == chain[200]["hash"]
    votes = found["evidence"]["verdict"]["votes"]
    assert sorted(v["agrees"] for v in votes) == [False] * 3 + [True] * 3


def test_02_neither_camp_has_a_quorum(node, peers, chain, payload, fork):
    ours = peers(2)
    n = node(ours + peers(2, serves=fork))
    expect.refused(n, "no_quorum", url=ours[0].serve("/cp.json", payload))
    assert expect.incident(n, "equivocation") is None


def test_11_an_incident_is_one_however_often_it_is_tried(node, peers, chain, payload, fork):
    ours = peers(3)
    n = node(ours + peers(3, serves=fork))
    url = ours[0].serve("/cp.json", payload)
    for _ in range(2):
        expect.refused(n, "equivocation", url=url)
    found = expect.incident(n, "equivocation")
    n.rpc("incidents.resolve", incident=found["id"], choice="dismissed", reason="three liars")
    assert n.status()["incidents"] == 0


def test_04_many_names_on_one_address_are_one_network(node, chain, payload):
    crowd = [stockpeer.StockPeer(chain, "127.9.0.1") for _ in range(5)]
    try:
        n = node(crowd)
        expect.refused(n, "insufficient_diversity", url=crowd[0].serve("/cp.json", payload))
        assert evidence(n, "quorum")["saw"] == "5 peers"
        assert evidence(n, "diversity")["saw"] == "1 network groups"
    finally:
        for peer in crowd:
            peer.stop()


def test_23_two_valid_chains_of_equal_work(node, peers, chain, payload):
    """They part above the checkpoint: it is on both, and the first seen is followed."""
    other = chain.fork(220)
    other.mine_many(len(chain) - len(other), gap=31.0)
    assert other.work() == chain.work() and other.tip["hash"] != chain.tip["hash"]
    ours = peers(2)
    n = node(ours + peers(2, serves=other))
    job = n.sync(url=ours[0].serve("/cp.json", payload))
    assert job["state"] == "succeeded", job
    n.wait_state("following")
    tip = n.rpc("chain.tip")
    assert tip["block_hash"] in (chain.tip["hash"], other.tip["hash"])
    winner = other if tip["block_hash"] == chain.tip["hash"] else chain
    winner.mine()
    expect.at_tip_of(n, winner)
    assert n.status()["incidents"] == 0
    assert xai.block_work(winner.tip) > 0

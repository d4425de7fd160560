"""Scenarios 12, 15 and 18: against what was accepted, what is pinned, and claimed work."""

import copy

import expect
import pytest
import xai


@pytest.fixture
def bootstrapped(node, peers, chain, payload):
    """A node at 240 on the checkpoint at 200, and its first peer."""
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    return n, three[0]


def test_12_older_than_the_live_checkpoint(bootstrapped):
    n, peer = bootstrapped
    url = peer.serve("/old.json", xai.fixture_payload(150))
    expect.refused(n, "too_close_to_tip", url=url)
    job = n.rebootstrap(url=url)
    assert job["error"]["reason"] == "stale_checkpoint", job
    assert expect.accepted(n) == [200]
    assert n.status()["checkpoint"]["height"] == 200


def test_12_a_lower_height_with_more_claimed_work(bootstrapped):
    n, peer = bootstrapped
    old = xai.fixture_payload(150)
    old["work"] = 10**12
    job = n.rebootstrap(url=peer.serve("/old.json", old))
    assert job["error"]["reason"] == "stale_checkpoint", job


def test_12_the_same_one_again(bootstrapped, chain):
    n, peer = bootstrapped
    before = n.status()["generation"]
    job = n.rebootstrap(url=peer.url + "/cp.json")
    assert job["state"] == "succeeded", job
    expect.at_tip_of(n, chain)
    assert n.status()["generation"] != before
    assert expect.accepted(n) == [200, 200]


def test_12_another_state_at_the_same_height(bootstrapped, payload, signer):
    n, peer = bootstrapped
    payload["data"]["note"] = "another document of the same coins"
    xai.reseal_payload(payload, signer)
    job = n.rebootstrap(url=peer.serve("/other.json", payload))
    assert job["error"]["reason"] == "stale_checkpoint", job


def pinned(height, block_hash):
    return {"checkpoint": {"roots": [{"height": height, "hash": block_hash}]}}


@pytest.mark.parametrize("height", [1, 150, 200, 220])
def test_15_conflict_with_a_pinned_root(node, peers, payload, height):
    """Below the checkpoint, at it, and above it."""
    three = peers(3)
    n = node(three, pinned(height, "0" * 8 + "ab" * 28))
    expect.refused(n, "conflicts_trust_root", url=three[0].serve("/cp.json", payload))


@pytest.mark.parametrize("height", [100, 200, 220])
def test_15_agreement_with_a_pinned_root(node, peers, chain, payload, height):
    three = peers(3)
    n = node(three, pinned(height, chain[height]["hash"]))
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


@pytest.mark.parametrize("off", [1, -1])
def test_18_right_chain_wrong_work_claim(node, peers, payload, off):
    three = peers(3)
    n = node(three)
    payload = copy.deepcopy(payload)
    payload["work"] += off
    expect.refused(n, "work_mismatch", url=three[0].serve("/cp.json", payload))


def test_18_less_work_than_asked_for(node, peers, payload, chain):
    three = peers(3)
    n = node(three, {"checkpoint": {"min_work": str(chain.work(200) + 1)}})
    expect.refused(n, "low_work", url=three[0].serve("/cp.json", payload))


def test_21_fewer_confirmations_than_asked_for(node, peers, chain, payload):
    three = peers(3, chain.fork(205))
    n = node(three)
    expect.refused(n, "insufficient_confirmations", url=three[0].serve("/cp.json", payload))


def test_03_a_majority_of_one_network_is_no_diversity(node, chain, payload):
    import stockpeer

    crowd = [stockpeer.StockPeer(chain, f"127.9.0.{i}") for i in (1, 2, 3)]
    try:
        n = node(crowd)
        url = crowd[0].serve("/cp.json", payload)
        expect.refused(n, "insufficient_diversity", url=url)
    finally:
        for peer in crowd:
            peer.stop()


def test_01_too_few_peers_for_a_quorum(node, peers, payload):
    two = peers(2)
    n = node(two)
    expect.refused(n, "no_quorum", url=two[0].serve("/cp.json", payload))

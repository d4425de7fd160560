"""Peers that back off for a moment while a checkpoint is decided on: they are waited for,
but not for ever."""

import itertools

import expect
import pytest
import stockpeer
from node import wait_until

WAITING = "waiting for peers that are backing off"


def at_first(times, answer):
    """A fault that passes after so many requests."""
    asked = itertools.count()
    return lambda path: answer if next(asked) < times else None


def waited_for(n):
    """What the verdicts would have been without those that were waited for."""
    return {line.split('reason="')[1].split('"')[0]
            for line in n.log().splitlines() if WAITING in line}


@pytest.mark.parametrize("answer", [
    stockpeer.rate_limited(1), stockpeer.Answer(length=1000, cut_after=0)],
    ids=["rate_limited", "cut"])
def test_01_a_vote_that_comes_late(node, peers, chain, payload, answer):
    three = peers(3)
    three[1].fail("/blocks/200", at_first(2, answer))
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    assert waited_for(n) == {"no_quorum"}
    assert n.status()["waiting_for"] is None


def test_03_networks_that_come_late(node, chain, payload):
    """Quorum is met at once, by one network."""
    crowd = [stockpeer.StockPeer(chain, host)
             for host in ("127.9.0.1", "127.9.0.2", "127.9.0.3", "127.8.0.1")]
    try:
        crowd[3].fail("/blocks/200", at_first(1, stockpeer.rate_limited(1)))
        n = node(crowd)
        expect.bootstrapped(n, chain, url=crowd[0].serve("/cp.json", payload))
        assert waited_for(n) == {"insufficient_diversity"}
    finally:
        for peer in crowd:
            peer.stop()


def test_21_tips_that_come_late(node, peers, chain, payload):
    """Who backs off when tips are asked for has no vote at first either."""
    three = peers(3)
    for peer in three:
        peer.fail("/block/latest", at_first(1, stockpeer.rate_limited(1)))
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    assert waited_for(n) == {"no_quorum", "insufficient_confirmations"}


def test_01_who_never_comes_is_not_waited_for_long(node, peers, payload):
    three = peers(3)
    three[1].fail("/blocks/200", stockpeer.rate_limited(1))
    n = node(three)
    job = n.rpc("sync.start", url=three[0].serve("/cp.json", payload))["job_id"]
    said = wait_until(lambda: n.status()["waiting_for"], "what it waits for")
    assert said == "peers that are backing off (1): it would be no_quorum without them"
    job = n.wait_job(job)
    assert job["error"]["reason"] == "no_quorum", job
    assert 3 <= three[1].requests_matching("/blocks/200") <= 6


def test_01_who_said_to_come_much_later_is_not_waited_for(node, peers, payload):
    three = peers(3)
    three[1].fail("/blocks/200", stockpeer.rate_limited(600))
    n = node(three)
    expect.refused(n, "no_quorum", url=three[0].serve("/cp.json", payload))
    assert waited_for(n) == set()
    assert three[1].requests_matching("/blocks/200") == 1

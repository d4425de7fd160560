"""Scenario 13: blocks dated ahead of the clock, and a clock that was set back."""

import time

import expect
import pytest
from node import wait_until

DAY = 86400


def clock(seconds):
    return {"CAIRN_TEST_CLOCK_OFFSET": str(int(seconds))}


def age_of(block):
    return time.time() - block["timestamp"]


@pytest.mark.parametrize("behind", [3 * 3600, 400 * DAY])
def test_13_a_checkpoint_of_the_future_is_refused_where_age_counts(
        node, peers, chain, payload, behind):
    """By a clock that far behind the block, with max_age_seconds set."""
    three = peers(3)
    url = three[0].serve("/cp.json", payload)
    aged = {"checkpoint": {"max_age_seconds": 10 * DAY}}
    n = node(three, aged, clock(-age_of(chain[200]) - behind))
    expect.refused(n, "expired", url=url)
    (rule,) = (r for r in expect.rejections(n)[0]["rules"] if r["rule"] == "freshness")
    assert "clock" in rule["detail"], rule
    n.stop()
    n.environment = clock(-age_of(chain[240]))
    n.start()
    expect.bootstrapped(n, chain, url=url)


def test_13_an_old_checkpoint_is_refused_where_age_counts(node, peers, chain, payload):
    three = peers(3)
    n = node(three, {"checkpoint": {"max_age_seconds": 3600}},
             clock(3 * 3600 - age_of(chain[200])))
    expect.refused(n, "expired", url=three[0].serve("/cp.json", payload))


def test_13_history_does_not_look_at_the_clock(node, peers, chain, payload):
    """A machine whose clock is years behind, or ahead, bootstraps all the same."""
    three = peers(3)
    url = three[0].serve("/cp.json", payload)
    for offset in (-3000 * DAY, 3000 * DAY):
        expect.bootstrapped(node(three, environment=clock(offset)), chain, url=url)


def test_13_a_tip_of_the_future_waits_for_its_time(node, peers, chain, payload):
    """Over two hours ahead it is not followed, blames nobody and is not forgotten."""
    three = peers(3)
    offset = -age_of(chain[240])
    n = node(three, environment=clock(offset))
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    honest = chain.fork(240)
    chain.mine(gap=600.0)
    chain.mine(gap=2 * 3600.0)
    wait_until(lambda: "block_from_future" in n.log(), "the tip to be looked at")
    expect.at_tip_of(n, chain.fork(241))
    for peer in three:
        assert expect.peer_of(n, peer)["banned_until"] is None
    # Not the whole branch: what the network builds in the meantime is followed.
    other = honest.mine_many(3)
    for peer in three:
        peer.chain = other
    expect.at_tip_of(n, other)
    for peer in three:
        peer.chain = chain
    while chain.work() <= other.work():
        chain.mine()
    n.restart(clock(offset + DAY))
    expect.at_tip_of(n, chain)


def test_13_the_clock_set_back_between_runs(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    n.restart(clock(-1000 * DAY))
    expect.at_tip_of(n, chain)
    assert expect.accepted(n) == [200]
    assert n.rpc("incidents.list")["incidents"] == []
    chain.mine()
    wait_until(lambda: "block_from_future" in n.log(), "the tip to be looked at")
    n.restart(clock(DAY))
    expect.at_tip_of(n, chain)

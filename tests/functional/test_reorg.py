"""Scenario 51: the network leaves our branch above, at and below the checkpoint."""

import expect
import pytest
import xai
from node import wait_until


def followed(node, peers, chain, payload):
    """A node at the tip of chain, checkpoint 200, and its three peers."""
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    return n, three


def switch(three, chain):
    for peer in three:
        peer.chain = chain


def heavier(chain, branch_point):
    """A branch off chain with more work than chain."""
    branch = chain.fork(branch_point)
    while branch.work() <= chain.work():
        branch.mine()
    return branch


def test_51_one_above_the_checkpoint_is_followed(node, peers, chain, payload):
    n, three = followed(node, peers, chain, payload)
    branch = heavier(chain, 200)
    switch(three, branch)
    expect.at_tip_of(n, branch)
    assert n.rpc("chain.header", height=201)["block_hash"] == branch[201]["hash"]
    assert n.rpc("incidents.list")["incidents"] == []


def test_51_and_back_again(node, peers, chain, payload):
    n, three = followed(node, peers, chain, payload)
    branch = heavier(chain, 230)
    switch(three, branch)
    expect.at_tip_of(n, branch)
    again = heavier(branch, 235).mine_many(1)
    switch(three, again)
    expect.at_tip_of(n, again)
    n.restart()
    expect.at_tip_of(n, again)


def stays_and_reports(n, chain, branch):
    """The heavier branch is an incident: the old tip is kept, reads are served."""
    found = wait_until(lambda: expect.incident(n, "reorg_below_checkpoint"), "the incident")
    assert branch.tip["hash"] in str(found["evidence"]), found
    assert n.rpc("chain.tip")["block_hash"] == chain.tip["hash"]
    assert n.rpc("chain.supply")["coins"] == len(chain.coins())
    wait_until(lambda: n.status()["incidents"] == 1, "the status to count it")
    expect.audit_is_whole(n)


def test_51_at_the_checkpoint_is_an_incident(node, peers, chain, payload):
    n, three = followed(node, peers, chain, payload)
    branch = heavier(chain, 199)
    switch(three, branch)
    stays_and_reports(n, chain, branch)


def test_51_below_the_checkpoint_is_an_incident(node, peers, chain, payload):
    n, three = followed(node, peers, chain, payload)
    branch = heavier(chain, 190)
    switch(three, branch)
    stays_and_reports(n, chain, branch)
    n.restart()
    stays_and_reports(n, chain, branch)
    # The network comes back: so does the node.
    chain.mine_many(1)
    while chain.work() <= branch.work():
        chain.mine()
    switch(three, chain)
    expect.at_tip_of(n, chain, followed=False)


def test_51_a_lighter_branch_below_is_no_incident(node, peers, chain, payload):
    n, three = followed(node, peers, chain, payload)
    three[0].chain = chain.fork(190).mine_many(5)
    chain.mine()
    expect.at_tip_of(n, chain)
    assert n.rpc("incidents.list")["incidents"] == []


@pytest.fixture
def windowed(node, peers, chain, payload):
    """As followed(), with headers proven for a window: none are held below the checkpoint."""
    three = peers(3)
    n = node(three, {"checkpoint": {"header_proof": {"window": 150}}})
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    return n, three


def test_51_below_the_window_is_an_incident(windowed, chain):
    n, three = windowed
    branch = heavier(chain, 190)
    switch(three, branch)
    stays_and_reports(n, chain, branch)
    evidence = expect.incident(n, "reorg_below_checkpoint")["evidence"]
    assert evidence["branch_at_checkpoint"] == branch[200]["hash"]
    # Counted from where the window begins; up to the checkpoint it is the same for both.
    more = branch.work() - branch.work(200) - (chain.work() - chain.work(200))
    shown = int(evidence["branch_work_with_ours_below"]) - int(evidence["our_work"])
    assert shown == more > 0
    n.restart()
    branch.mine()
    stays_and_reports(n, chain, branch.fork(len(branch) - 2))


def test_51_a_lighter_branch_below_the_window_is_none_until_it_is_heavier(windowed, chain):
    n, three = windowed
    branch = chain.fork(190).mine_many(25)
    three[0].chain = branch
    polls = lambda: three[0].requests_matching("/block/latest")
    wait_until(lambda: three[0].requests_matching(r"/blocks/20\d") > 5, "a walk")
    before = polls()
    wait_until(lambda: polls() > before + 1, "a poll")
    asked, before = three[0].requests_matching(r"/blocks/2\d\d"), polls()
    wait_until(lambda: polls() > before + 2, "more polls")
    assert three[0].requests_matching(r"/blocks/2\d\d") == asked  # it is on the disk
    assert n.rpc("incidents.list")["incidents"] == []
    while branch.work() <= chain.work():
        branch.mine()
    switch(three, branch)
    stays_and_reports(n, chain, branch)


def test_51_honest_branches_of_stock_miners(node, peers, payload):
    a, b = xai.fixture_branch(1, "a"), xai.fixture_branch(1, "b")
    three = peers(3, a)
    n = node(three)
    expect.bootstrapped(n, a, url=three[0].serve("/cp.json", payload))
    switch(three, b)
    expect.at_tip_of(n, b)
    switch(three, a)  # less work: the node stays
    b.mine()
    three[2].chain = b
    expect.at_tip_of(n, b)


def test_51_work_wins_over_length(node, peers, signer):
    a, b = xai.fixture_branch(2, "a"), xai.fixture_branch(2, "b")
    assert len(b) > len(a) and a.work() > b.work()
    three = peers(3, b)
    n = node(three)
    payload = xai.make_payload(b, 140, signer)
    expect.bootstrapped(n, b, 140, url=three[0].serve("/cp.json", payload))
    switch(three, a)
    expect.at_tip_of(n, a)

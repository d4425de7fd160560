"""Scenario 47: a checkpoint offered to a node whose own tip is an ancestor of it, it, a
descendant, or on another branch with less or with more work."""

import expect
import pytest
import xai

QUIET = {"follow": {"poll_seconds": 3600}}  # the tip stays where the test put it


def at(node, peers, chain, first, config=QUIET):
    """A node at chain's tip, on its first checkpoint, and its peers."""
    three = peers(3, chain)
    n = node(three, config)
    job = n.sync(url=three[0].serve("/first.json", first))
    assert job["state"] == "succeeded", job
    n.wait_tip(chain.tip["index"], chain.tip["hash"])
    n.wait_state("following")
    return n, three


def serve(three, chain, payload):
    for peer in three:
        peer.chain = chain
    return three[0].serve("/cp.json", payload)


def moves_there(n, chain, job):
    assert job["state"] == "succeeded", job
    assert expect.accepted(n)[0] == 200
    expect.at_tip_of(n, chain)
    n.restart()
    expect.at_tip_of(n, chain)


@pytest.mark.tsan
@pytest.mark.parametrize("call", ["sync", "rebootstrap"])
def test_47_the_tip_is_an_ancestor(node, peers, chain, payload, call):
    n, three = at(node, peers, chain.fork(180), xai.fixture_payload(150))
    moves_there(n, chain, getattr(n, call)(url=serve(three, chain, payload)))


@pytest.mark.parametrize("call", ["sync", "rebootstrap"])
def test_47_the_tip_is_the_checkpoint(node, peers, chain, payload, call):
    n, three = at(node, peers, chain.fork(200), xai.fixture_payload(150))
    moves_there(n, chain, getattr(n, call)(url=serve(three, chain, payload)))


def test_47_the_tip_is_just_above_and_a_delta_is_asked_for(node, peers, chain, payload):
    config = {**QUIET, "checkpoint": {"min_delta": 10}}
    n, three = at(node, peers, chain.fork(191), xai.fixture_payload(150), config)
    expect.refused(n, "too_close_to_tip", url=serve(three, chain, payload))
    assert expect.accepted(n) == [150]


def test_47_the_tip_is_a_descendant(node, peers, chain, payload):
    n, three = at(node, peers, chain, xai.fixture_payload(150))
    url = serve(three, chain, payload)
    expect.refused(n, "too_close_to_tip", url=url)
    moves_there(n, chain, n.rebootstrap(url=url))


@pytest.mark.parametrize("call", ["sync", "rebootstrap"])
def test_47_another_branch_with_less_work(node, peers, chain, payload, call):
    branch = chain.fork(170).mine_many(15)
    n, three = at(node, peers, branch, xai.fixture_payload(150))
    moves_there(n, chain, getattr(n, call)(url=serve(three, chain, payload)))
    assert n.rpc("chain.header", height=180)["block_hash"] == chain[180]["hash"]


def test_47_another_branch_with_less_work_that_left_below_our_checkpoint(
        node, peers, chain, payload, signer):
    """A mistaken first checkpoint is left by a bootstrap, which the operator asked for."""
    branch = chain.fork(140).mine_many(20)
    first = xai.make_payload(branch, 150, signer)
    n, three = at(node, peers, branch, first)
    moves_there(n, chain, n.sync(url=serve(three, chain, payload)))


def heavier_but_shorter(chain):
    """Quick blocks up to the retarget, and past it each is worth sixteen of chain's."""
    branch = chain.fork(1).mine_many(143, gap=1.0)
    while branch.work() <= chain.work():
        branch.mine(gap=10.0)
    assert branch.tip["index"] < 160
    return branch


def test_47_another_branch_with_more_work(node, peers, chain, payload, signer):
    """Our own validated chain is the heaviest known: the offer is not on it.  An operator
    can still insist."""
    branch = heavier_but_shorter(chain)
    n, three = at(node, peers, branch, xai.make_payload(branch, 100, signer))
    url = serve(three, chain, payload)
    expect.refused(n, "not_on_best_chain", url=url)
    assert expect.accepted(n) == [100]
    expect.at_tip_of(n, branch)
    moves_there(n, chain, n.rebootstrap(url=url))

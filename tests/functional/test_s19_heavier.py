"""Scenario 19: a chain with more work forks off below, at and above the checkpoint, while the
checkpoint is judged.  One peer serves it; three others, enough for a quorum, do not."""

import expect
import pytest


def heavier(chain, branch_point):
    branch = chain.fork(branch_point)
    while branch.work() <= chain.work():
        branch.mine()
    return branch


@pytest.mark.parametrize("last_common", [190, 199], ids=["below", "at"])
def test_19_a_heavier_chain_without_the_checkpoint(node, peers, chain, payload, last_common):
    """Work decides, not the number of peers; the operator reads which chain it was."""
    three = peers(3)
    branch = heavier(chain, last_common)
    n = node([*three, *peers(1, serves=branch)])
    expect.refused(n, "not_on_best_chain", url=three[0].serve("/cp.json", payload))
    (rule,) = (r for r in expect.rejections(n)[0]["rules"] if r["rule"] == "best_chain")
    assert str(branch.tip["index"]) in rule["detail"], rule
    assert n.status()["tip"] is None
    assert n.rpc("health.diagnose")["cause"] == "not_on_best_chain"


def test_19_a_heavier_chain_that_leaves_above_the_checkpoint(node, peers, chain, payload):
    """It has the checkpoint in it, and is the one that is followed."""
    three = peers(3)
    branch = heavier(chain, 200)
    n = node([*three, *peers(1, serves=branch)])
    job = n.sync(url=three[0].serve("/cp.json", payload))
    assert job["state"] == "succeeded", job
    expect.at_tip_of(n, branch)
    assert n.rpc("incidents.list")["incidents"] == []


def test_19_a_lighter_chain_without_the_checkpoint_is_no_matter(node, peers, chain, payload):
    three = peers(3)
    branch = chain.fork(190).mine_many(20)
    assert branch.work() < chain.work()
    n = node([*three, *peers(1, serves=branch)])
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))

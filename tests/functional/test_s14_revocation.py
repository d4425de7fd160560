"""Scenario 14: a checkpoint is revoked before, during and after its adoption."""

import threading

import expect
import pytest
from node import RpcError, wait_until

from stockpeer import Answer


def revoke(n, chain, height=200, reason="wrong coins"):
    return n.rpc("checkpoint.revoke", height=height, block_hash=chain[height]["hash"],
                 reason=reason)


def revoked_rule(n):
    (rule,) = (r for r in expect.rejections(n)[0]["rules"] if r["rule"] == "revocation")
    return rule


def test_14_before(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    done = revoke(n, chain)
    assert (done["live"], done["halted"]) == (False, False)
    n.restart()
    expect.refused(n, "revoked", url=three[0].serve("/cp.json", payload))
    assert revoked_rule(n)["detail"] == "wrong coins"
    assert n.rpc("checkpoint.evaluate", payload=payload)["reason"] == "revoked"
    with pytest.raises(RpcError) as again:
        revoke(n, chain)
    assert again.value.data["reason"] == "conflict"
    acts = [e["body"] for e in n.rpc("audit.list")["entries"] if e["kind"] == "admin_act"]
    assert {"act": "checkpoint.revoke", "actor": "cookie", "height": 200,
            "block_hash": chain[200]["hash"], "reason": "wrong coins"} in acts


def test_14_during(node, peers, chain, payload):
    three = peers(3)
    asked, go_on = threading.Event(), threading.Event()

    def slow(*_):
        asked.set()
        go_on.wait(60)
        return Answer(404, b"")

    n = node(three)
    url = three[0].serve("/cp.json", payload)
    for peer in three:
        peer.fail(r"^/blocks/150", slow)
    job = n.rpc("sync.start", url=url)
    try:
        assert asked.wait(60)
        revoke(n, chain)
        ended = n.wait_job(job["job_id"])
    finally:
        go_on.set()
    assert ended["error"]["reason"] == "revoked"
    assert expect.accepted(n) == [] and expect.rejections(n)[0]["reason"] == "revoked"
    expect.audit_is_whole(n)


@pytest.fixture
def stopped_by_it(node, peers, chain, payload):
    """A node that stood on the checkpoint when it was revoked; the chain went on."""
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    done = revoke(n, chain)
    assert (done["live"], done["halted"]) == (True, True)
    chain.mine()
    return n, three[0]


def test_14_after_it_halts_and_serves_reads(stopped_by_it, chain):
    n, _ = stopped_by_it
    n.wait_state("halted")
    found = expect.incident(n, "revoked_live")
    assert found["subject"] == chain[200]["hash"]
    assert found["evidence"]["by_operator"] == "wrong coins"
    assert found["choices"] == ["keep", "replaced"]
    assert n.status()["waiting_for"].startswith("revoked_live")
    assert n.rpc("chain.tip")["height"] == 240
    n.restart()
    n.wait_state("halted")
    assert n.rpc("chain.tip")["height"] == 240
    assert len(n.rpc("incidents.list")["incidents"]) == 1


def test_14_after_the_operator_keeps_it(stopped_by_it, chain):
    n, _ = stopped_by_it
    found = expect.incident(n, "revoked_live")
    with pytest.raises(RpcError) as refused:
        n.rpc("incidents.resolve", incident=found["id"], choice="dismissed", reason="x")
    assert "choice" in refused.value.data["detail"]
    with pytest.raises(RpcError) as refused:
        n.rpc("incidents.resolve", incident=found["id"], choice="replaced", reason="x")
    assert "still stands on it" in refused.value.data["detail"]
    done = n.rpc("incidents.resolve", incident=found["id"], choice="keep", reason="I checked")
    assert done == {"incident": found["id"], "kind": "revoked_live", "choice": "keep", "open": 0}
    expect.at_tip_of(n, chain)
    n.restart()
    chain.mine()
    expect.at_tip_of(n, chain)
    (kept,) = n.rpc("incidents.list")["incidents"]
    assert (kept["choice"], kept["resolved_by"], kept["note"]) == ("keep", "cookie", "I checked")


def test_14_after_another_checkpoint_replaces_it(stopped_by_it, chain):
    n, peer = stopped_by_it
    job = n.rebootstrap(url=peer.url + "/cp.json")
    assert job["error"]["reason"] == "revoked"
    job = n.rebootstrap(mode="full")
    assert job["state"] == "succeeded", job
    expect.at_tip_of(n, chain)
    found = expect.incident(n, "revoked_live")
    n.rpc("incidents.resolve", incident=found["id"], choice="replaced", reason="from genesis")
    wait_until(lambda: n.status()["incidents"] == 0, "no open incident")

"""What several tests expect of a node."""

from decimal import Decimal


def at_tip_of(node, chain, followed=True):
    """The node's tip and state are those of chain, its audit log is whole."""
    node.wait_tip(chain.tip["index"], chain.tip["hash"])
    if followed:
        node.wait_state("following")
    supply = node.rpc("chain.supply")
    assert supply["height"] == chain.tip["index"]
    assert Decimal(supply["supply"]) == chain.supply()
    assert supply["coins"] == len(chain.coins())
    audit_is_whole(node)


def audit_is_whole(node):
    check = node.rpc("audit.verify")
    assert check["ok"] is True, check
    assert check["entries"] > 0


def accepted(node):
    """Heights of the accepted checkpoints, newest first."""
    return [c["height"] for c in node.rpc("checkpoint.list")["checkpoints"]]


def bootstrapped(node, chain, height=200, **source):
    """sync.start succeeds from this source and the node reaches chain's tip."""
    job = node.sync(**source)
    assert job["state"] == "succeeded", job
    assert job["error"] is None
    assert accepted(node) == [height]
    at_tip_of(node, chain)
    return job


def refused(node, reason, **source):
    """sync.start fails for this very reason; it is on record and nothing else changed."""
    before, listed = node.status(), len(rejections(node))
    job = node.sync(**source)
    assert job["state"] == "failed", job
    assert job["error"]["reason"] == reason, job["error"]
    now = rejections(node)
    assert len(now) == listed + 1
    assert now[0]["reason"] == reason
    failed = [r["rule"] for r in now[0]["rules"] if r["result"] == "fail"]
    assert failed, now[0]
    after = node.status()
    for unchanged in ("tip", "checkpoint", "generation"):
        assert after[unchanged] == before[unchanged], unchanged
    audit_is_whole(node)
    return job


def rejections(node):
    return node.rpc("rejections.list", limit=100)["rejections"]


def peer_of(node, peer):
    (found,) = (p for p in node.rpc("peers.list")["peers"] if p["address"] == peer.url)
    return found


def incident(node, kind):
    """The one open incident of that kind, or None."""
    found = [i for i in node.rpc("incidents.list")["incidents"]
             if i["kind"] == kind and i["resolved_at"] is None]
    assert len(found) <= 1, found
    return found[0] if found else None

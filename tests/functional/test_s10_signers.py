"""Scenario 10: the signers of an existing data directory change; certificates lead a set on."""

import expect
import pytest
import statements
import xai
from node import RpcError

WHY = {"reason": "a test"}


@pytest.fixture
def bootstrapped(node, peers, chain, payload):
    """A node at 240 on the checkpoint at 200, and its first peer."""
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    return n, three[0]


def acts(n, act):
    entries = n.rpc("audit.list", limit=1000)["entries"]
    return [e["body"] for e in entries if e["kind"] == "admin_act" and e["body"]["act"] == act]


def told(n, **policy):
    """policy.simulate's answer, without the policy."""
    params = {"policy": policy} if policy else {}
    answer = n.rpc("policy.simulate", **params)
    assert answer["next"] is None
    return answer["decisions"], answer["changed"], answer["unknown"]


def fails(decision):
    return [r["rule"] for r in decision["rules"] if r["would"] == "fail"]


def test_10_a_signer_removed_from_the_configuration(bootstrapped, chain):
    n, _ = bootstrapped
    assert told(n) == (1, [], [])
    n.stop()
    n.config["checkpoint"]["trusted_pubkeys"] = [xai.Key("somebody else").compressed]
    n.start()
    expect.at_tip_of(n, chain)
    decisions, (changed,), unknown = told(n)
    assert (decisions, unknown) == (1, [])
    assert changed["was"] == "accepted" and changed["would"] == "rejected"
    assert changed["height"] == 200 and fails(changed) == ["signatures"]


def test_10_a_threshold_raised(bootstrapped, chain):
    n, peer = bootstrapped
    signers = n.rpc("signers.threshold", threshold=2, **WHY)
    assert signers["threshold"] == 2 and signers["threshold_from"] == "operator"
    assert signers["can_be_met"] is False
    n.restart()
    expect.at_tip_of(n, chain)
    assert n.rpc("policy.get")["threshold"] == 2
    _, (changed,), _ = told(n)
    assert fails(changed) == ["signatures"]
    assert n.rebootstrap(url=peer.url + "/cp.json")["error"]["reason"] == "threshold_not_met"
    assert n.rpc("signers.threshold", **WHY)["threshold_from"] == "configuration"
    decisions, changed, (unknown,) = told(n)  # what was refused would go on today
    assert (decisions, changed, unknown["was"]) == (2, [], "rejected"), unknown
    assert n.rebootstrap(url=peer.url + "/cp.json")["state"] == "succeeded"


def test_10_a_signer_removed_by_the_operator_and_taken_back(bootstrapped, chain, signer):
    n, peer = bootstrapped
    removed = n.rpc("signers.remove", key=signer.public, reason="lost")
    assert removed["keys"] == [] and removed["can_be_met"] is False
    (gone,) = removed["removed"]
    assert gone["key"] == signer.compressed and gone["reason"] == "lost"
    assert gone["actor"] == "cookie"
    n.restart()
    expect.at_tip_of(n, chain)
    assert n.rpc("signers.list") == removed
    assert n.rebootstrap(url=peer.url + "/cp.json")["error"]["reason"] == "untrusted_signer"
    back = n.rpc("signers.add", key=signer.compressed, reason="found")
    (key,) = back["keys"]
    assert key["from"] == "configuration" and key["reason"] == "found"
    assert back["removed"] == [] and back["can_be_met"] is True
    assert n.rebootstrap(url=peer.url + "/cp.json")["state"] == "succeeded"
    assert [a["key"] for a in acts(n, "signers.remove")] == [signer.public]
    assert [a["reason"] for a in acts(n, "signers.add")] == ["found"]
    expect.audit_is_whole(n)


def test_a_signer_the_operator_adds_counts(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    other = xai.Key("an operator's own choice")
    xai.reseal_payload(payload, other)
    url = three[0].serve("/cp.json", payload)
    expect.refused(n, "untrusted_signer", url=url)
    added = n.rpc("signers.add", key=other.compressed, reason="we know her")
    assert [k["from"] for k in added["keys"]] == ["configuration", "operator"]
    (decisions, changed, (unknown,)) = told(n)
    assert (decisions, changed) == (1, [])
    assert unknown["was"] == "rejected" and unknown["would"] == "unknown"
    expect.bootstrapped(n, chain, url=url)


@pytest.mark.parametrize("method, params, words", [
    ("signers.add", {"key": "02" + "ff" * 32}, "key: "),
    ("signers.add", {"key": "configured"}, "trusted already"),
    ("signers.remove", {"key": "ed25519:" + "11" * 32}, "key: "),
    ("signers.remove", {"key": xai.Key("unknown").compressed}, "not trusted"),
    ("roots.add", {"height": 0, "hash": "11" * 32}, "built in"),
    ("roots.remove", {"height": 7}, "no root was pinned"),
    ("signers.certificate", {"certificate": {"type": "signer-set"}}, "network"),
])
def test_changes_that_are_none_are_refused_and_leave_nothing(node, signer, method, params, words):
    n = node()
    before = n.rpc("signers.list"), n.rpc("roots.list"), n.rpc("audit.head")["entries"]
    if params.get("key") == "configured":
        params = {"key": signer.public}
    with pytest.raises(RpcError) as refused:
        n.rpc(method, **params, **WHY)
    assert words in refused.value.data["detail"], refused.value.data
    after = n.rpc("signers.list"), n.rpc("roots.list"), n.rpc("audit.head")["entries"]
    assert after == before


def test_a_root_the_operator_pins_refuses_another_history(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    url = three[0].serve("/cp.json", payload)
    pinned = n.rpc("roots.add", height=150, hash="11" * 32, reason="a typing error")
    assert [(r["height"], r["from"]) for r in pinned["roots"]] == [(0, "built-in"),
                                                                  (150, "operator")]
    n.restart()
    assert n.rpc("roots.list") == pinned
    expect.refused(n, "conflicts_trust_root", url=url)
    n.rpc("roots.remove", height=150, **WHY)
    n.rpc("roots.add", height=150, hash=chain[150]["hash"], reason="seen on three explorers")
    expect.bootstrapped(n, chain, url=url)
    with pytest.raises(RpcError) as refused:
        n.rpc("roots.add", height=160, hash="22" * 32, **WHY)
    assert "own chain" in refused.value.data["detail"]


# --- rotation ---


def rotating(n, *keys, threshold):
    n.stop()
    n.config["checkpoint"].update(trusted_pubkeys=[k.text for k in keys], threshold=threshold)
    n.start()


def apply(n, certificate):
    return n.rpc("signers.certificate", certificate=certificate)


def test_certificates_lead_a_node_that_slept_to_the_last_set(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    a, b, c, d = (statements.SignerKey(name) for name in "abcd")
    rotating(n, a, b, threshold=2)
    first = statements.signer_set(0, [a, b], 2)
    assert n.rpc("signers.list")["digest"] == statements.digest(first).hex()
    second = statements.sign(statements.signer_set(1, [b, c], 2, first), a, b)
    third = statements.sign(statements.signer_set(2, [d], 1, second), b, c)
    with pytest.raises(RpcError) as early:
        apply(n, third)
    assert early.value.data["reason"] == "conflict"
    apply(n, second)
    with pytest.raises(RpcError) as lone:
        apply(n, statements.sign(statements.signer_set(2, [d], 1, second), b))
    assert lone.value.data["reason"] == "threshold_not_met"
    led = apply(n, third)
    assert (led["sequence"], led["threshold"]) == (2, 1)
    assert [(k["key"], k["from"]) for k in led["keys"]] == [(d.text, "certificate")]
    assert [(s["sequence"], s["in_force"]) for s in led["certificates"]] == [(1, False),
                                                                           (2, True)]
    n.restart()
    assert n.rpc("signers.list") == led
    url = three[0].serve("/cp.json", payload)
    expect.refused(n, "untrusted_signer", url=url)
    xai.reseal_payload(payload, d)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp2.json", payload))


def test_another_configured_set_sets_certificates_aside(node):
    n = node()
    a, b, c = (statements.SignerKey(name) for name in "abc")
    rotating(n, a, threshold=1)
    second = statements.sign(
        statements.signer_set(1, [b], 1, statements.signer_set(0, [a], 1)), a)
    assert apply(n, second)["sequence"] == 1
    rotating(n, c, threshold=1)
    listed = n.rpc("signers.list")
    assert listed["sequence"] == 0 and [k["key"] for k in listed["keys"]] == [c.text]
    assert [s["in_force"] for s in listed["certificates"]] == [False]
    rotating(n, a, threshold=1)
    assert [k["key"] for k in n.rpc("signers.list")["keys"]] == [b.text]


# --- policy.simulate ---


def test_a_policy_is_replayed_over_past_decisions(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    bad = {**payload, "signature": payload["signature"][:-1] + "0"}
    expect.refused(n, "bad_signature", url=three[0].serve("/bad.json", bad))
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))

    def decided(**policy):
        decisions, changed, unknown = told(n, **policy)
        assert decisions == 2
        return {d["height"]: (d["would"], fails(d)) for d in changed if d["was"] == "accepted"}

    assert decided() == {}
    assert decided(quorum=4) == {200: ("rejected", ["quorum"])}
    assert decided(min_peers=4) == {200: ("rejected", ["diversity"])}
    assert decided(min_confirmations=41) == {200: ("rejected", ["confirmations"])}
    assert decided(min_confirmations=40) == {}
    assert decided(min_work="999999999999") == {200: ("rejected", ["work"])}
    assert decided(threshold=2) == {200: ("rejected", ["signatures"])}
    assert decided(min_attestations=1) == {200: ("rejected", ["attestations"])}
    assert decided(roots=[{"height": 200, "hash": "11" * 32}]) == {
        200: ("rejected", ["trust_root"])}
    _, changed, unknown = told(n, threshold=0)
    assert changed == [] and [u["was"] for u in unknown] == ["rejected"]
    _, _, unknown = told(n, max_age_seconds=5)
    assert "the age was not kept" in [
        r["detail"] for u in unknown for r in u["rules"] if r["rule"] == "freshness"]
    with pytest.raises(RpcError) as wrong:
        n.rpc("policy.simulate", policy={"quorums": 3})
    assert "policy.quorums: unknown" in wrong.value.data["detail"]

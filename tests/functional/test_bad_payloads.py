"""Every altered copy of payload_200.json: the reason it is refused for, or that it is not."""

import json

import expect
import pytest
import xai

DIR = xai.DATA / "checkpoint"

# The first failing rule in the order of the rules decides.
REFUSED = {
    0: "bad_signature",           # the signature covers state_hash
    1: "payload_hash_mismatch",
    2: "payload_hash_mismatch",   # 12 for 12.0: equal in value, not in hash
    3: "no_quorum",               # peers have another block at 201
    4: "no_quorum",
    5: "no_quorum",               # though signed by a trusted key
    6: "work_mismatch",
    7: "metadata_malformed",
    8: "metadata_malformed",
    9: "work_mismatch",
    11: "unsigned",
    12: "unsigned",
    13: "bad_signature",
    14: "untrusted_signer",
    16: "bad_signature",
    17: "state_bounds",
    18: "state_bounds",
    19: "state_bounds",
    20: "state_bounds",
    21: "state_bounds",
    22: "state_bounds",
    23: "state_bounds",           # only the outputs of the proven blocks show it
    24: "state_bounds",
    25: "state_bounds",
}
ACCEPTED = (10, 15, 26)


def test_every_file_is_expected_here():
    cases = json.loads((DIR / "bad_index.json").read_text())["cases"]
    assert len(cases) == len(REFUSED) + len(ACCEPTED)
    for case in cases:
        number = int(case["file"].removeprefix("bad_").removesuffix(".json"))
        assert number in REFUSED or number in ACCEPTED


def test_each_refused_for_its_reason_then_the_good_one_accepted(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    for number, reason in REFUSED.items():
        body = (DIR / f"bad_{number}.json").read_bytes()
        url = three[1].serve(f"/bad_{number}.json", body)
        expect.refused(n, reason, url=url)
    reasons = [r["reason"] for r in expect.rejections(n)]
    assert reasons == list(reversed(REFUSED.values()))
    for peer in three:
        assert expect.peer_of(n, peer)["banned_until"] is None
    expect.bootstrapped(n, chain, url=three[1].serve("/good.json", payload))


@pytest.mark.parametrize("number", ACCEPTED)
def test_harmless_change_is_accepted(node, peers, chain, number):
    three = peers(3)
    n = node(three)
    body = (DIR / f"bad_{number}.json").read_bytes()
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", body))


def test_evaluate_says_the_same_and_changes_nothing(node, peers, payload):
    three = peers(3)
    n = node(three)
    before = n.rpc("audit.verify")
    for number in (0, 9, 14):
        body = (DIR / f"bad_{number}.json").read_bytes()
        url = three[1].serve(f"/bad_{number}.json", body)
        verdict = n.rpc("checkpoint.evaluate", url=url)
        assert verdict["accepted"] is False
    verdict = n.rpc("checkpoint.evaluate", url=three[0].serve("/cp.json", payload))
    failed = [r for r in verdict["rules"] if r["result"] == "fail"]
    assert failed == []
    assert n.rpc("audit.verify") == before
    assert n.rpc("jobs.list")["jobs"] == []
    assert expect.rejections(n) == []

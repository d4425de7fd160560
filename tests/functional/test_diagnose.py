"""health.diagnose names the one cause that blocks progress: each has its own."""

import pytest
import stockpeer
import xai
from node import wait_until


def cause(n, wanted, seconds=60):
    return wait_until(lambda: (d := n.rpc("health.diagnose"))["cause"] == wanted and d,
                      f"cause {wanted}; now {n.rpc('health.diagnose')}", seconds)


def methods(found):
    return {c["method"] for c in found["choices"]}


def test_no_peers_are_configured(node):
    found = cause(node(), "no_peers")
    assert found["healthy"] is False and "peers.add" in methods(found)


def test_every_peer_is_dead(node, peers):
    dead = peers(3)
    for peer in dead:
        peer.stop()
    n = node(dead)
    n.sync(mode="full")
    found = cause(n, "peers_unreachable")
    assert "3 peers are known: 0 banned" in found["evidence"]


def test_every_peer_is_banned(node, peers, chain):
    liars = peers(2)
    for liar in liars:
        liar.altered[1] = {**chain[1], "nonce": chain[1]["nonce"] + 1}
    n = node(liars)
    n.sync(mode="full")
    found = cause(n, "all_peers_banned")
    assert "2 banned" in found["evidence"] and "peers.unban" in methods(found)


def test_nothing_to_take(node, peers):
    found = cause(node(peers(3)), "no_candidate")
    assert "checkpoint.url" in found["evidence"]


def test_healthy_since(node, peers, chain, payload):
    n = node(peers(3))
    n.sync(payload=payload)
    n.wait_tip(240, chain[240]["hash"])
    found = wait_until(lambda: (d := n.rpc("health.diagnose"))["healthy"] and d, "health")
    assert found["cause"] is None and found["choices"] == [] and found["since"]


RULES = {
    "no_quorum": {"quorum": 4},
    "insufficient_diversity": {"min_peers": 4},
    "untrusted_signer": {"trusted_pubkeys": [xai.Key("somebody else").compressed]},
    "threshold_not_met": {"threshold": 2, "trusted_pubkeys": [
        xai.fixture_keys()["checkpoint_signer"].compressed,
        xai.Key("somebody else").compressed]},
    "insufficient_confirmations": {"min_confirmations": 50},
    "low_work": {"min_work": str(10**30)},
    "expired": {"max_age_seconds": 1},
    "attestations_missing": {"min_attestations": 1},
    "conflicts_trust_root": {"roots": [{"height": 100, "hash": "ab" * 32}]},
}


@pytest.mark.parametrize("reason", RULES)
def test_a_rule_that_refused_is_the_cause(node, peers, payload, reason):
    n = node(peers(3), {"checkpoint": RULES[reason]})
    job = n.sync(payload=payload)
    assert job["error"]["reason"] == reason
    found = cause(n, reason)
    assert job["job_id"] in found["evidence"] and found["hint"]
    since = found["since"]
    n.stop()
    n.start()
    assert cause(n, reason)["hint"] == found["hint"]
    assert since


def without(payload, *keys):
    return {key: value for key, value in payload.items() if key not in keys}


def flipped(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


PAYLOADS = {
    "unsigned": lambda p: without(p, "signature", "pubkey"),
    "bad_signature": lambda p: {**p, "signature": flipped(p["signature"])},
    "metadata_malformed": lambda p: {**p, "block_hash": p["block_hash"][:-1]},
    "no_quorum": lambda p: {**p, "block_hash": flipped(p["block_hash"])},
    "work_mismatch": lambda p: {**p, "work": 297016},
    "payload_hash_mismatch": lambda p: {**p, "data": {**p["data"], "more": 1}},
}


@pytest.mark.parametrize("reason", PAYLOADS)
def test_what_was_wrong_with_a_checkpoint_is_the_cause(node, peers, payload, reason):
    n = node(peers(3))
    job = n.sync(payload=PAYLOADS[reason](payload))
    assert job["error"]["reason"] == reason, job["error"]
    found = cause(n, reason)
    assert job["job_id"] in found["evidence"] and found["hint"]


def test_nobody_serving_the_next_block_is_the_cause(node, peers, payload):
    three = peers(3)
    for peer in three:
        peer.withheld = range(201, 241)
    n = node(three, {"checkpoint": {"min_confirmations": 0}})
    job = n.sync(payload=payload)
    assert job["error"]["reason"] == "no_peer_serves_next_block", job["error"]
    assert cause(n, "no_peer_serves_next_block")["hint"]


SOURCES = {
    "source_unreachable": (stockpeer.Answer(404, {"error": "no"}), {}),
    "payload_malformed": (stockpeer.Answer(200, b"{\"height\": 200, "), {}),
    "payload_too_large": (None, {"max_bytes": 1000}),
    "source_too_slow": (stockpeer.Answer(200, b"{" + b" " * 50000, pace=(100, 0.1)),
                        {"min_speed": "1MiB"}),
}


@pytest.mark.parametrize("reason", SOURCES)
def test_a_source_that_failed_is_the_cause(node, peers, payload, reason):
    three = peers(3)
    answer, transfer = SOURCES[reason]
    url = three[0].serve("/cp.json", payload)
    if answer:
        three[0].fail("/cp.json", answer)
    n = node(three, {"transfer": transfer})
    job = n.wait_job(n.rpc("sync.start", url=url)["job_id"], 120)
    assert job["state"] == "failed"
    known = {"payload_malformed": "metadata_malformed"}
    assert job["error"]["reason"] in (reason, known.get(reason)), job["error"]
    found = cause(n, job["error"]["reason"])
    assert job["job_id"] in found["evidence"] and found["hint"]

"""Nodes that know nothing but addresses and a signer set: they find a checkpoint at each
other over P2P, agree on it with the simulated stock nodes, and adopt it."""

import json
import time

import cairnpeer
import pytest
import statements
import stockpeer
import stockws
import xai
from node import wait_until

HOSTS = ("127.1.0.1", "127.2.0.1", "127.3.0.1", "127.4.0.1", "127.5.0.1")


@pytest.fixture
def stocks(chain):
    """Stock nodes that speak P2P alone, each in a network of its own."""
    made = [stockws.StockWs(chain, host) for host in HOSTS[:3]]
    yield made
    for peer in made:
        peer.stop()


def p2p(listen=None, **checkpoint):
    return {"p2p": {"enabled": True, **({"listen": listen} if listen else {})},
            "checkpoint": {"request_rate_seconds": 1, **checkpoint},
            "transfer": {"allow_networks": ["127.0.0.0/8"], "min_speed": 0}}


class At:
    """Something with an address."""

    def __init__(self, url):
        self.url = url


@pytest.fixture
def publisher(node, stocks, chain, payload):
    """A node that was given the checkpoint, and serves what it accepted."""
    made = node(stocks, p2p(HOSTS[3] + ":0", bootstrap_at_start=False))
    job = made.sync(payload=payload)
    assert job["state"] == "succeeded", job["error"]
    made.wait_tip(240, chain[240]["hash"])
    return made


def test_the_blocks_come_over_p2p_alone(publisher, stocks):
    assert sum(peer.requests["get_chain_range"] for peer in stocks) >= 240


def test_three_nodes_find_agree_on_and_adopt_a_checkpoint(node, publisher, stocks, chain):
    peers = [*stocks, At("ws://" + publisher.p2p)]
    others = [node(peers, p2p()) for _ in range(2)]
    for made in others:
        tip = made.wait_tip(240, chain[240]["hash"])
        assert tip["height"] == 240
        status = made.status()
        assert status["checkpoint"]["height"] == 200
        provenance = made.rpc("checkpoint.provenance", height=200)["provenance"]
        rules = {r["rule"]: r["result"] for r in provenance["verdict"]["rules"]}
        assert rules["quorum"] == rules["diversity"] == rules["signatures"] == "pass"
        votes = provenance["verdict"]["votes"]
        assert len({v["group"] for v in votes if v["agrees"]}) >= 3
        assert provenance["sources"][0]["source"] == "ws://" + publisher.p2p


def test_a_silent_peer_holds_nobody_up(node, publisher, stocks, chain):
    """It is asked like the others and never answers; a round waits for 20 s."""
    silent = stockws.StockWs(chain, HOSTS[4])
    silent.fail("checkpoint", stockws.silence())
    try:
        made = node([*stocks, silent, At("ws://" + publisher.p2p)],
                    p2p(bootstrap_at_start=False))
        wait_until(lambda: connected(made) >= {silent.url, "ws://" + publisher.p2p}
                   and len(connected(made)) == 5, "all five")
        job_id = made.rpc("sync.start")["job_id"]
        silent.wait_for(lambda p: p.requests["get_checkpoint"], "the question")
        asked = time.monotonic()
        wait_until(lambda: made.rpc("jobs.get", job_id=job_id)["stage"] != "discovering",
                   "the offer to be taken")
        assert time.monotonic() - asked < 15
        assert made.wait_job(job_id)["state"] == "succeeded"
    finally:
        silent.stop()


def test_it_says_what_is_missing(node, publisher, stocks):
    made = node([stocks[0], At("ws://" + publisher.p2p)], p2p())
    seen = wait_until(
        lambda: (s := made.status()["waiting_for"]) and "height 200" in s and
        "2 of 3 peers" in s and s, "what is missing")
    assert "2 of 2 networks" in seen
    candidates = made.rpc("checkpoint.candidates")["candidates"]
    assert [c["height"] for c in candidates if c["body_at_hand"]] == [200]
    preview = next(c["preview"] for c in candidates if c["body_at_hand"])
    rules = {r["rule"]: r["result"] for r in preview["rules"]}
    assert rules["signatures"] == "pass"
    assert rules["quorum"] == "skipped"


def test_nothing_on_offer_is_said_and_asked_for_again(node, stocks):
    made = node(stocks, p2p())
    wait_until(lambda: "nobody offers one" in (made.status()["waiting_for"] or ""),
               "that nobody offers one")
    stocks[0].wait_for(lambda p: p.requests["get_checkpoint"] >= 2, "a second round")
    assert made.status()["state"] == "idle"
    found = made.rpc("health.diagnose")
    assert found["cause"] == "no_candidate"
    assert {c["method"] for c in found["choices"]} >= {"sync.start", "checkpoint.candidates"}


def test_no_checkpoint_and_the_policy_allows_genesis(node, stocks, chain):
    made = node(stocks, p2p(fallback_genesis_seconds=2))
    made.wait_tip(240, chain[240]["hash"])
    assert made.rpc("jobs.list")["jobs"][0]["request"]["kind"] == "genesis"


def test_a_liar_is_refused_and_the_honest_offer_taken(node, publisher, stocks, chain,
                                                      payload, tmp_path):
    """The liar offers a higher checkpoint of its own signing, as a URL of its own."""
    liar = stockws.StockWs(chain, HOSTS[4])
    try:
        liar.checkpoint = liar.checkpoint_of(220, url="http://127.5.0.1:9/payload.json")
        made = node([*stocks, liar, At("ws://" + publisher.p2p)], p2p())
        made.wait_tip(240, chain[240]["hash"])
        assert made.status()["checkpoint"]["height"] == 200
    finally:
        liar.stop()


@pytest.mark.tsan
def test_sync_start_without_a_source_takes_what_peers_offer(node, publisher, stocks, chain):
    peers = [*stocks, At("ws://" + publisher.p2p)]
    made = node(peers, p2p(bootstrap_at_start=False))
    wait_until(lambda: made.rpc("checkpoint.candidates")["peers"] == 4, "four peers")
    job = made.wait_job(made.rpc("sync.start")["job_id"])
    assert job["state"] == "succeeded", job["error"]
    assert json.loads(json.dumps(job["request"]))["kind"] == "peers"
    made.wait_tip(240, chain[240]["hash"])


def connected(made):
    return {p["address"] for p in made.rpc("peers.list")["peers"]
            if p["connected"]}


def test_one_address_is_enough_to_find_the_others(node, publisher, stocks, chain):
    """The list of one peer leads to the rest, and there to a checkpoint."""
    urls = [p.url for p in stocks] + ["ws://" + publisher.p2p]
    stocks[0].peers = urls[1:]
    made = node([stocks[0]], p2p())
    wait_until(lambda: connected(made) >= set(urls), "all four")
    made.wait_tip(240, chain[240]["hash"])
    assert made.status()["checkpoint"]["height"] == 200
    origins = {p["address"]: p["origin"] for p in made.rpc("peers.list")["peers"]}
    assert origins[urls[0]] == "configured"
    assert {origins[u] for u in urls[1:]} == {"advertised"}


def test_03_a_list_of_one_network_does_not_push_the_others_out(node, stocks):
    """Four hundred addresses of one /16 before two of others."""
    flood = [f"ws://127.66.{i // 250}.{i % 250 + 1}:9" for i in range(400)]
    stocks[0].peers = flood[:250] + [stocks[1].url, stocks[2].url]
    made = node([stocks[0]], p2p())
    wait_until(lambda: connected(made) >= {p.url for p in stocks}, "the diverse ones", 90)
    used = [p["address"] for p in made.rpc("peers.list")["peers"] if p["in_use"]]
    assert sum("127.66." in address for address in used) <= 2


# --- over HTTP ---


def http(**checkpoint):
    return {"checkpoint": {"request_rate_seconds": 1, **checkpoint},
            "transfer": {"min_speed": 0}}


def published(node, peers, chain, payload):
    """A node given the checkpoint, with a public plane."""
    made = node(peers, {**http(bootstrap_at_start=False),
                        "public": {"listen": HOSTS[3] + ":0"}})
    job = made.sync(payload=payload)
    assert job["state"] == "succeeded", job["error"]
    made.wait_tip(240, chain[240]["hash"])
    return made


def test_a_checkpoint_is_found_at_a_cairn_over_http(node, peers, chain, payload):
    three = peers(3)
    publisher = published(node, three, chain, payload)
    base = "http://" + publisher.public_address
    made = node([*three, At(base)], http())
    made.wait_tip(240, chain[240]["hash"])
    provenance = made.rpc("checkpoint.provenance", height=200)["provenance"]
    assert provenance["sources"][0]["source"].startswith(base + "/peer/v1/payload/")
    votes = provenance["verdict"]["votes"]
    assert len(votes) >= 3


@pytest.fixture
def cairn(chain):
    made = cairnpeer.CairnPeer(chain, HOSTS[4])
    yield made
    made.stop()


def revoked(chain, height=200, key=None):
    signer = key or statements.SignerKey(xai.fixture_keys()["checkpoint_signer"].secret)
    return statements.sign(
        statements.revocation(height, chain[height]["hash"], "the key was stolen"), signer)


def test_14_a_signed_revocation_from_a_peer_stops_the_checkpoint(
        node, peers, chain, payload, cairn):
    """Before: refused.  After adoption: an incident, and reads go on."""
    three = peers(3)
    made = node([*three, cairn], http(bootstrap_at_start=False))
    assert made.sync(payload=payload)["state"] == "succeeded"
    made.wait_tip(240, chain[240]["hash"])
    stranger = statements.SignerKey("nobody's")
    cairn.revocations = [revoked(chain, key=stranger)]
    refused = node([*three, cairn], http(bootstrap_at_start=False))
    assert refused.sync(payload=payload)["state"] == "succeeded"
    cairn.revocations = [revoked(chain)]
    late = node([*three, cairn], http(bootstrap_at_start=False))
    job = late.sync(payload=payload)
    assert job["error"]["reason"] == "revoked", job["error"]
    found = wait_until(
        lambda: [i for i in made.rpc("incidents.list")["incidents"]
                 if i["kind"] == "revoked_live"], "the incident", 90)
    assert "the key was stolen" in json.dumps(found[0]["evidence"])
    assert made.rpc("chain.tip")["height"] == 240
    assert made.rpc("health.diagnose")["cause"] == "revoked_live"


def test_an_attestation_from_a_peer_counts(node, peers, chain, payload, cairn):
    three = peers(3)
    first = node(three)
    assert first.sync(payload=payload)["state"] == "succeeded"
    root = first.rpc("checkpoint.list")["checkpoints"][0]["state_root"]
    attester = statements.NodeKey("attester")
    config = http(bootstrap_at_start=False, min_attestations=1,
                  trusted_attesters=[attester.text])
    entry = {"height": 200, "block_hash": chain[200]["hash"], "state_hash": None,
             "state_root": root, "work": None, "work_proven": False, "source": None,
             "signatures": [], "trust": "attested", "accepted_ms": 1, "payload": None}
    made = node([*three, cairn], config)
    job = made.sync(payload=payload)
    assert job["error"]["reason"] == "attestations_missing", job["error"]
    document = statements.attestation(200, chain[200]["hash"], root)
    cairn.checkpoints = [{**entry, "attestations": [statements.sign(document, attester)]}]
    job = made.sync(payload=payload)
    assert job["state"] == "succeeded", job["error"]


def test_07_an_advert_withdrawn_while_it_is_judged(node, peers, chain, payload, cairn):
    """Its payload goes when the job has seen the metadata, and so does the advert."""
    path = "/peer/v1/payload/" + chain[200]["hash"]
    cairn.serve(path, payload)
    cairn.checkpoints = [{
        "height": 200, "block_hash": chain[200]["hash"], "state_hash": payload["state_hash"],
        "state_root": "00" * 32, "work": None, "work_proven": False, "source": None,
        "signatures": [{"alg": "secp256k1", "pubkey": payload["pubkey"],
                        "signature": payload["signature"]}],
        "trust": "attested", "accepted_ms": 1, "payload": path, "attestations": []}]
    seen = []

    def withdrawn(request):
        seen.append(request)
        if len(seen) <= 2:  # the first and last bytes
            return None
        cairn.checkpoints = []
        return stockpeer.Answer(404, {"error": "withdrawn"})

    cairn.faults.append((path, withdrawn))
    made = node([*peers(3), cairn], http())
    rejection = wait_until(
        lambda: made.rpc("rejections.list")["rejections"], "the verdict")[0]
    assert rejection["reason"] in ("source_unreachable", "source_changed")
    wait_until(lambda: "nobody offers one" in (made.status()["waiting_for"] or ""),
               "that nobody offers one")
    assert made.status()["state"] == "idle" and made.status()["checkpoint"] is None
    assert made.rpc("audit.verify")["ok"]


def test_a_signer_that_the_operator_added_counts_for_what_is_on_offer(
        node, peers, chain, payload):
    three = peers(3)
    publisher = published(node, three, chain, payload)
    signer = xai.fixture_keys()["checkpoint_signer"].compressed
    made = node([*three, At("http://" + publisher.public_address)],
                http(trusted_pubkeys=[xai.Key("somebody else").compressed]))
    wait_until(lambda: "none to take" in (made.status()["waiting_for"] or ""), "the offer")
    (offer,) = made.rpc("checkpoint.candidates")["candidates"] or [{"reason": None}]
    assert offer["reason"] in ("untrusted_signer", None)
    assert made.rpc("jobs.list")["jobs"] == []
    made.rpc("signers.add", key=signer, reason="test")
    made.wait_tip(240, chain[240]["hash"])

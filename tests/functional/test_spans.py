"""The way down to genesis over headers alone, from Cairns."""

import json
import shutil
import sqlite3
import threading

import cairnpeer as c
import expect
import pytest
import xai
from cairnpeer import CairnPeer
from crash import Remains
from node import wait_until
from stockpeer import rate_limited

HOSTS = ("127.11.0.1", "127.12.0.1", "127.13.0.1")
ALONE = "headers alone were proven; signatures vouch for the state"


@pytest.fixture
def cairns(chain):
    """cairns(n, chain) starts n Cairns in n networks."""
    started = []

    def start(count=1, serves=None):
        new = [CairnPeer(serves or chain, HOSTS[len(started) + i]) for i in range(count)]
        started.extend(new)
        return new

    yield start
    for peer in started:
        peer.stop()


def blocks_below(peers, height=200):
    """Blocks below the checkpoint that anybody was asked for."""
    return sorted(int(path.removeprefix("/blocks/")) for p in peers for path, _ in p.log
                  if path.startswith("/blocks/") and int(path.removeprefix("/blocks/")) < height)


def covered(*cairns):
    return {h for p in cairns for low, high in p.ranges for h in range(low, high + 1)}


def state_of(node):
    found = node.rpc("checkpoint.provenance", height=200)["provenance"]
    (rule,) = (r for r in found["verdict"]["rules"] if r["rule"] == "payload")
    return found["state"], rule["detail"]


def bad_23():
    return json.loads((xai.DATA / "checkpoint/bad_23.json").read_text())


def test_no_block_below_the_checkpoint_is_asked_for(node, peers, cairns, chain, payload):
    stock, two = peers(2), cairns(2)
    n = node([*stock, *two])
    expect.bootstrapped(n, chain, url=stock[0].serve("/cp.json", payload))
    assert blocks_below([*stock, *two]) == []
    assert covered(*two) == set(range(201))
    assert all(p.ranges for p in two), "both were asked"
    for p in two:
        known = expect.peer_of(n, p)
        assert known["faults"] == 0 and known["identity"] == "ed25519:" + p.identity
    state, detail = state_of(n)
    assert state["equals_outputs_of_proven_blocks"] is False
    assert state["not_compared_because"] == ALONE
    assert ALONE in detail and "coins not compared with the blocks" in detail


def test_without_a_cairn_the_coins_are_compared(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    state, detail = state_of(n)
    assert state["equals_outputs_of_proven_blocks"] is True
    assert state["not_compared_because"] is None
    assert "each made and not spent by the proven blocks" in detail


LIES = {
    c.wrong_top: ("header_chain_invalid", "its chain says"),
    c.broken_link: ("peer_bad_answer", "headers "),
    c.bad_signature: ("block_bad_signature", "signature does not fit"),
    c.truncated: ("peer_bad_answer", "header"),
    c.too_many: ("peer_bad_answer", "more than were asked for"),
    c.garbage: ("peer_bad_answer", "header"),
    c.bomb: ("peer_bad_answer", "headers "),
    c.endless: ("payload_too_large", "more bytes than"),
}


@pytest.mark.parametrize("lie", LIES, ids=lambda f: f.__name__)
def test_a_lie_is_blamed_on_its_teller_and_told_to_no_avail(
        node, peers, cairns, chain, payload, lie):
    stock, (liar, honest) = peers(2), cairns(2)
    liar.lie, liar.lies_below = lie, 200
    n = node([*stock, liar, honest])
    expect.bootstrapped(n, chain, url=stock[0].serve("/cp.json", payload))
    assert liar.ranges
    blamed = expect.peer_of(n, liar)
    reason, evidence = LIES[lie]
    assert blamed["ban_reason"] == reason, blamed
    assert evidence in blamed["ban_evidence"], blamed
    for p in (*stock, honest):
        assert expect.peer_of(n, p)["banned_until"] is None
    assert blocks_below([*stock, liar, honest]) == []


@pytest.mark.parametrize("lie", LIES, ids=lambda f: f.__name__)
def test_when_the_only_cairn_lies_blocks_do(node, peers, cairns, chain, payload, lie):
    three, (liar,) = peers(3), cairns(1)
    liar.lie, liar.lies_below = lie, 200
    n = node([*three, liar])
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    assert expect.peer_of(n, liar)["banned_until"] is not None
    assert blocks_below(three), "the rest came as blocks"


@pytest.mark.parametrize("failure", [c.slow, c.silent, c.broken, c.fewer],
                         ids=lambda f: f.__name__)
def test_a_cairn_that_is_no_use_does_not_hold_the_walk(
        node, peers, cairns, chain, payload, failure):
    three, (lame,) = peers(3), cairns(1)
    lame.lie = failure
    n = node([*three, lame])
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    blamed = expect.peer_of(n, lame)
    assert blamed["faults"] > 0 and blamed["banned_until"] is None, blamed
    assert blocks_below(three)


def test_a_cairn_on_another_chain_at_the_checkpoint_is_not_blamed(
        node, peers, cairns, chain, payload):
    """It may be right, and we on the wrong one: its headers are of no use here."""
    three, (other, honest) = peers(3), cairns(2)
    other.chain = chain.fork(199).mine_many(41)
    n = node([*three, other, honest])
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    for p in (other, honest):
        assert expect.peer_of(n, p)["faults"] == 0
    assert covered(honest) >= set(range(137, 201)), "what the other has otherwise"
    assert state_of(n)[0]["not_compared_because"] == ALONE


def alter_network(body):
    body["network"] = "mainnet"


def alter_genesis(body):
    body["genesis"] = "ab" * 32


@pytest.mark.parametrize("change", ["network", "genesis", "signature", "above", "none"])
def test_who_is_no_cairn_of_ours_is_a_stock_node(node, peers, cairns, chain, payload, change):
    three, (other,) = peers(3), cairns(1)
    if change == "network":
        other.hello = alter_network
    elif change == "genesis":
        other.hello = alter_genesis
    elif change == "signature":
        other.false_signature = True
    else:
        other.headers_from = 100 if change == "above" else None
    n = node([*three, other])
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    assert other.ranges == []
    assert state_of(n)[0]["equals_outputs_of_proven_blocks"] is True


@pytest.mark.parametrize("config", [
    {"compare_coins": "always"},
    {"threshold": 0},
    {"header_proof": {"window": 150}},
], ids=lambda c: next(iter(c)))
def test_headers_alone_are_not_asked_for_where_they_do_not_do(
        node, peers, cairns, chain, payload, config):
    """The operator wants the coins compared; nobody need have signed them; a window."""
    stock, two = peers(2), cairns(2)
    n = node([*stock, *two], {"checkpoint": config})
    expect.bootstrapped(n, chain, url=stock[0].serve("/cp.json", payload))
    assert covered(*two) == set()
    compared = "header_proof" not in config
    assert state_of(n)[0]["equals_outputs_of_proven_blocks"] is compared


def test_coins_that_a_stolen_key_signed_are_refused_where_they_are_compared(
        node, peers, cairns):
    bad = bad_23()
    stock, two = peers(2), cairns(2)
    n = node([*stock, *two], {"checkpoint": {"compare_coins": "always"}})
    expect.refused(n, "state_bounds", url=stock[0].serve("/cp.json", bad))
    assert covered(*two) == set()


def test_coins_rest_on_signatures_where_headers_came_alone(node, peers, cairns):
    """The price of it, as the verdict says: whoever holds a signer's key can lie."""
    bad = bad_23()
    stock, two = peers(2), cairns(2)
    n = node([*stock, *two])
    job = n.sync(url=stock[0].serve("/cp.json", bad))
    assert job["state"] == "succeeded", job
    assert state_of(n)[0]["not_compared_because"] == ALONE


def stored(n, scratch):
    """Heights on disk while the daemon runs; none when a file went as it was copied."""
    try:
        return Remains(n, scratch).headers
    except (shutil.Error, sqlite3.Error):
        return set()


def test_killed_in_the_middle_nothing_is_fetched_again(
        node, peers, cairns, chain, payload, tmp_path):
    stock, (one,) = peers(2), cairns(1)
    n = node([*stock, one])
    url = stock[0].serve("/cp.json", payload)
    one.lie, one.lies_below = c.silent, 100  # the lower half does not come
    for p in (*stock, one):
        p.withheld = range(200)
    n.rpc("sync.start", url=url, idempotency_key="the one")
    wait_until(lambda: len(stored(n, tmp_path / "copy")) >= 128, "the upper half on disk")
    n.kill9()
    there = Remains(n, tmp_path / "copy").headers
    one.lie = None
    for p in (*stock, one):
        p.withheld = ()
    one.ranges.clear()
    n.start()
    job = n.wait_job(n.rpc("sync.start", url=url, idempotency_key="the one")["job_id"])
    assert job["state"] == "succeeded", job
    expect.at_tip_of(n, chain)
    assert covered(one) & there == set()
    assert covered(one) | there >= set(range(201))
    assert state_of(n)[0]["not_compared_because"] == ALONE


def test_headers_that_came_alone_do_not_count_once_blocks_are_wanted(
        node, peers, cairns, chain, payload, tmp_path):
    """Killed in the proof, and started again by an operator who wants coins compared."""
    stock, (one,) = peers(2), cairns(1)
    n = node([*stock, one])
    url = stock[0].serve("/cp.json", payload)
    one.lie, one.lies_below = c.silent, 100
    for p in (*stock, one):
        p.withheld = range(200)
    n.rpc("sync.start", url=url, idempotency_key="the one")
    wait_until(lambda: len(stored(n, tmp_path / "copy")) >= 128, "the upper half")
    n.kill9()
    for p in (*stock, one):
        p.withheld = ()
    n.config["checkpoint"]["compare_coins"] = "always"
    n.start()
    job = n.wait_job(n.rpc("sync.start", url=url, idempotency_key="the one")["job_id"])
    assert job["state"] == "succeeded", job
    assert state_of(n)[0]["equals_outputs_of_proven_blocks"] is True


class RealCairn:
    """A cairnd with its public plane open, as a peer of another."""

    def __init__(self, node):
        self.url = f"http://{node.public_address}"


def test_from_a_real_cairn(node, peers, chain, payload):
    """No stock node is asked for a block below the checkpoint, and a stock node's own
    paths serve the votes and what is above."""
    server = node(peers(1), {"public": {"listen": "127.21.0.1:0"}})
    assert server.sync(mode="full")["state"] == "succeeded"
    expect.at_tip_of(server, chain)
    stock, real = peers(2), RealCairn(server)
    n = node([*stock, real])
    expect.bootstrapped(n, chain, url=stock[0].serve("/cp.json", payload))
    assert blocks_below(stock) == []
    told = expect.peer_of(n, real)
    assert told["faults"] == 0 and told["requests"] > 0, told
    assert state_of(n)[0]["not_compared_because"] == ALONE


def test_headers_alone_do_not_do_once_the_operator_asks_for_no_signature(
        node, peers, cairns, chain, payload):
    """The policy in force counts, not the configured one."""
    stock, two = peers(2), cairns(2)
    n = node([*stock, *two])
    n.rpc("signers.threshold", threshold=0, reason="test")
    expect.bootstrapped(n, chain, url=stock[0].serve("/cp.json", payload))
    assert not any(p.ranges for p in two)
    assert state_of(n)[0]["equals_outputs_of_proven_blocks"] is True


# --- blocks asked for before a range led the walk past them (a slot has room for one of
# every 64 heights: block 200 and block 136 share theirs) ---


class Late:
    """Peers that answer for a block's height late, after the votes."""

    def __init__(self, peers, height, votes=0):
        self.path, self.votes = f"/blocks/{height}", votes
        self.asked, self.go = threading.Event(), threading.Event()
        for p in peers:
            p.fail(self.path, lambda path, p=p: self.hold(p))

    def hold(self, peer):
        if peer.requests[self.path] > self.votes:
            self.asked.set()
            self.go.wait(60)


def walked(n):
    return (n.status().get("progress") or {}).get("done", 0)


def came(n):
    """Answers of peers, good or bad."""
    return sum(p["requests"] for p in n.rpc("peers.list")["peers"])


def nobody_is_blamed(n, *peers):
    for p in peers:
        known = expect.peer_of(n, p)
        assert known["faults"] == 0 and known["banned_until"] is None, known


def passed_over(n, url, one, stock, below):
    """A job whose walk went down to 136 by a range, with block 200 asked for and to come;
    below: what the Cairn says of lower ranges."""
    late, ready = Late([*stock, one], 200, votes=1), threading.Event()

    def lie(headers):
        if not ready.is_set():
            return rate_limited(2)
        return below(headers) if headers[-1]["index"] < 200 else c.compact(headers)

    one.lie = lie
    job_id = n.rpc("sync.start", url=url)["job_id"]
    assert late.asked.wait(60), "block 200 to be asked for"
    ready.set()
    wait_until(lambda: walked(n) >= 64, "the walk to go down by a range")
    return job_id, late


def test_a_block_that_waits_for_a_height_passed_is_not_held_against_its_sender(
        node, peers, cairns, chain, payload):
    stock, (one,) = peers(3), cairns(1)
    n = node([*stock, one])
    url = stock[0].serve("/cp.json", payload)
    on = threading.Event()

    def held(headers):
        on.wait(60)
        return c.compact(headers)

    job_id, late = passed_over(n, url, one, stock, held)
    answered = came(n)
    late.go.set()
    wait_until(lambda: came(n) > answered, "block 200")
    on.set()
    job = n.wait_job(job_id)
    assert job["state"] == "succeeded", job
    nobody_is_blamed(n, *stock)


def test_a_block_that_comes_for_a_height_passed_is_not_taken_for_another(
        node, peers, cairns, chain, payload):
    """Block 136 has been asked for meanwhile, in the same slot."""
    stock, (one,) = peers(3), cairns(1)
    n = node([*stock, one])
    url = stock[0].serve("/cp.json", payload)
    next_one = Late([*stock, one], 136)
    job_id, late = passed_over(n, url, one, stock, lambda headers: rate_limited(30))
    assert next_one.asked.wait(60), "block 136 to be asked for"
    answered = came(n)
    late.go.set()
    wait_until(lambda: came(n) > answered, "block 200")
    next_one.go.set()
    job = n.wait_job(job_id)
    assert job["state"] == "succeeded", job
    nobody_is_blamed(n, *stock)

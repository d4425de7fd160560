"""What nodes that derived the state themselves say of it, made and judged."""

import contextlib
import sqlite3
import time

import expect
import pytest
import shape
import statements
import stockpeer
import xai
from node import RpcError


@pytest.fixture
def derived(node, chain):
    """A node that validated the chain up to 200 from genesis, and what it attests."""
    short = xai.Chain(chain[:201])
    sources = [stockpeer.StockPeer(short, host) for host in ("127.8.0.1", "127.8.1.1")]
    n = node(sources)
    try:
        n.sync(mode="full")
        n.wait_tip(200)
        yield n, n.rpc("attestations.make")
    finally:
        for source in sources:
            source.stop()


def test_the_state_root_is_the_one_of_a_checkpoint(derived, node, peers, chain, payload):
    n, made = derived
    assert (made["height"], made["block_hash"]) == (200, chain[200]["hash"])
    three = peers(3)
    other = node(three)
    expect.bootstrapped(other, chain, url=three[0].serve("/cp.json", payload))
    assert other.rpc("checkpoint.provenance", height=200)["state_root"] == made["state_root"]
    with pytest.raises(RpcError) as not_derived:
        other.rpc("attestations.make")
    assert "began at a checkpoint" in not_derived.value.data["detail"]
    assert other.rpc("attestations.list") == {"attestations": []}


def test_an_attestation_is_signed_by_the_node_and_kept(derived, chain):
    n, made = derived
    methods = n.rpc("rpc.discover")
    (described,) = (m for m in methods["methods"] if m["name"] == "attestations.make")
    shape.check(made, described["result"]["schema"], methods, "attestations.make")
    document = made["document"]
    (signed,) = document["signatures"]
    assert signed["key"] == n.rpc("audit.head")["public_key"]
    wanted = statements.attestation(200, chain[200]["hash"], made["state_root"])
    assert {k: v for k, v in document.items() if k != "signatures"} == wanted
    seed = bytes.fromhex((n.data_dir / "node.key").read_text().strip())
    assert document == statements.sign(wanted, statements.NodeKey(seed))
    assert n.rpc("attestations.make") == made
    (listed,) = n.rpc("attestations.list", height=200)["attestations"]
    assert listed["own"] is True and listed["document"] == document
    assert n.rpc("attestations.list", height=199) == {"attestations": []}
    expect.audit_is_whole(n)


# --- judged: as peers would have brought them ---


def brought(n, *documents):
    """Puts signed attestations where the node keeps them, while it is stopped."""
    n.stop()
    with contextlib.closing(sqlite3.connect(n.data_dir / "control.db")) as db, db:
        for d in documents:
            db.execute("INSERT INTO attestation(height, block_hash, state_root, key, own, source,"
                       " document, at_ms) VALUES(?, ?, ?, ?, 0, 'http://p', ?, ?)",
                       (d["height"], bytes.fromhex(d["block_hash"]),
                        bytes.fromhex(d["state_root"]), "ed25519:" + d["signatures"][0]["key"],
                        statements.text(d), int(time.time() * 1000)))
    n.start()


def attester_config(*keys, wanted):
    return {"checkpoint": {"min_attestations": wanted,
                           "trusted_attesters": [k.text for k in keys]}}


def test_trusted_attestations_are_waited_for_and_counted(derived, node, peers, chain, payload):
    _, made = derived
    one, two, stranger = (statements.NodeKey(name) for name in ("one", "two", "stranger"))
    word = statements.attestation(200, chain[200]["hash"], made["state_root"])
    three = peers(3)
    n = node(three, config=attester_config(one, two, wanted=2))
    url = three[0].serve("/cp.json", payload)
    expect.refused(n, "attestations_missing", url=url)
    brought(n, statements.sign(word, one), statements.sign(word, stranger))
    expect.refused(n, "attestations_missing", url=url)
    brought(n, statements.sign(word, two))
    expect.bootstrapped(n, chain, url=url)
    verdict = n.rpc("checkpoint.provenance", height=200)["provenance"]["verdict"]
    heard = {a["key"]: a["trusted"] for a in verdict["attestations"]}
    assert heard == {one.text: True, two.text: True, stranger.text: False}


@pytest.mark.parametrize("wanted", [0, 1])
def test_a_trusted_node_with_another_state_is_an_incident(derived, node, peers, chain, payload,
                                                          wanted):
    _, made = derived
    one, two = statements.NodeKey("one"), statements.NodeKey("two")
    three = peers(3)
    n = node(three, config=attester_config(one, two, wanted=wanted))
    same = statements.attestation(200, chain[200]["hash"], made["state_root"])
    other = statements.attestation(200, chain[200]["hash"], "5b" * 32)
    documents = [statements.sign(same, one), statements.sign(other, two)]
    brought(n, *documents)
    expect.refused(n, "attestation_conflict", url=three[0].serve("/cp.json", payload))
    found = expect.incident(n, "attestation_conflict")["evidence"]["statements"]
    assert sorted(map(statements.text, found)) == sorted(map(statements.text, documents))

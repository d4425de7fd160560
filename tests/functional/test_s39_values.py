"""Scenarios 39, 41 and 42: amounts, how many coins, and which of them are spent.  All are
hashed and signed as they are, so only what the state may be can refuse them."""

import copy
import json
from decimal import Decimal

import expect
import pytest
import xai

WINDOW = {"checkpoint": {"header_proof": {"window": 150}}}


def snapshot_of(payload):
    return payload["data"]["utxo_snapshot"]


def entries(payload, spent=False):
    return [e for coins in snapshot_of(payload)["utxo_set"].values() for e in coins
            if e["spent"] is spent]


def recounted(payload, signer):
    unspent = entries(payload)
    snapshot_of(payload)["total_utxos"] = len(unspent)
    snapshot_of(payload)["total_value"] = sum(e["amount"] for e in unspent)
    return xai.reseal_payload(payload, signer)


def refused_each(n, peer, made, wanted):
    for number, (name, payload) in enumerate(made.items()):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        job = n.sync(url=peer.serve(f"/{number}.json", body))
        assert job["state"] == "failed", name
        assert job["error"]["reason"] in wanted, (name, job["error"])
    assert len(expect.rejections(n)) == len(made)
    assert n.status()["tip"] is None
    expect.audit_is_whole(n)


def with_amount(payload, signer, amount):
    """One coin with this amount, and all hashes and counts fitting it."""
    made = copy.deepcopy(payload)
    entries(made)[0]["amount"] = float(amount)
    recounted(made, signer)
    return made


AMOUNTS = ("-1.0", "-1e-18", "-0.0", "5e-324", "1e-19", "1.7976931348623157e308", "1e22",
           "121000000.1", "120999999.0")


def test_39_amounts_that_no_coin_has(node, peers, chain, payload, signer):
    three = peers(3)
    n = node(three)
    refused_each(n, three[1], {a: with_amount(payload, signer, a) for a in AMOUNTS},
                 ("state_bounds", "payload_malformed"))
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


SPELLINGS = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "012.0", "12.", ".5", "0x10",
             "+12.0", "1_000.0", '"12.0"', "null", "true", "[12.0]", "12.0e", "--12.0")


def test_39_texts_that_are_no_amount(node, peers, payload):
    """The hash is over the value, and they have none."""
    text = json.dumps(payload)
    amount = f'"amount": {json.dumps(entries(payload)[0]["amount"])}'
    assert amount in text
    made = {s: text.replace(amount, f'"amount": {s}', 1).encode() for s in SPELLINGS}
    three = peers(3)
    refused_each(node(three), three[1], made,
                 ("payload_malformed", "metadata_malformed", "payload_hash_mismatch",
                  "state_bounds"))


def test_39_twelve_is_twelve_point_nought_but_hashed_otherwise(
        node, peers, chain, payload, signer):
    three = peers(3)
    n = node(three)
    whole = copy.deepcopy(payload)
    entry = next(e for e in [*entries(whole), *entries(whole, spent=True)]
                 if e["amount"].is_integer())
    entry["amount"] = int(entry["amount"])
    assert whole == payload
    refused_each(n, three[1], {"12 under the hash of 12.0": whole}, ("payload_hash_mismatch",))
    xai.reseal_payload(whole, signer)
    assert whole["state_hash"] != payload["state_hash"]
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", whole))
    assert Decimal(n.rpc("chain.supply")["supply"]) == chain.supply()


def test_39_more_than_the_supply_together(node, peers, payload, signer):
    """Each amount could be, their sum could not; nor may the sum wrap around."""
    three = peers(3)
    made = {}
    for amount in (60000000.0, 120000000.0):
        bad = copy.deepcopy(payload)
        for entry in entries(bad)[:300]:
            entry["amount"] = amount
        made[str(amount)] = recounted(bad, signer)
    # With a window nothing is compared with the blocks: the bounds alone must hold.
    refused_each(node(three, WINDOW), three[1], made, ("state_bounds",))


def only(payload, signer, count):
    """The payload with this many of its coins left."""
    made = copy.deepcopy(payload)
    left = entries(made)[:count]
    snapshot_of(made)["utxo_set"] = {e["address"]: [] for e in left}
    for entry in left:
        snapshot_of(made)["utxo_set"][entry["address"]].append(entry)
    return recounted(made, signer)


@pytest.mark.parametrize("count", [0, 1])
def test_41_an_empty_set_and_one_coin_are_not_what_the_blocks_made(
        node, peers, payload, signer, count):
    three = peers(3)
    url = three[0].serve("/cp.json", only(payload, signer, count))
    expect.refused(node(three), "state_bounds", url=url)


def test_41_an_empty_set_that_only_a_window_is_held_against(node, peers, payload, signer):
    """Accepted or not, it is settled; with it taken, coinbases are the first coins."""
    three = peers(3)
    n = node(three, WINDOW)
    job = n.sync(url=three[0].serve("/cp.json", only(payload, signer, 0)))
    if job["state"] == "failed":
        assert job["error"]["reason"] == "state_bounds", job
        assert n.status()["tip"] is None
    else:
        assert n.rpc("chain.supply")["height"] >= 200
    expect.audit_is_whole(n)


def test_41_one_coin(node, peers, chain, payload, signer):
    """Under a window proof; blocks of coinbases alone can stand on it."""
    made = only(payload, signer, 1)
    (coin,) = entries(made)
    plain = chain.fork(200).mine_many(10)
    three = peers(3, plain)
    n = node(three, WINDOW)
    job = n.sync(url=three[0].serve("/cp.json", made))
    assert job["state"] == "succeeded", job
    n.wait_tip(210, plain.tip["hash"])
    supply = n.rpc("chain.supply")
    assert supply["coins"] == 11
    found = n.rpc("chain.coin", txid=coin["txid"], vout=coin["vout"])
    assert found["unspent"] is True and float(found["amount"]) == coin["amount"]
    n.restart()
    n.wait_tip(210, plain.tip["hash"])
    assert n.rpc("chain.supply") == supply


def mixed(payload, signer):
    """How spent and unspent can be confused; each hashed and signed as it is."""
    marked = copy.deepcopy(payload)
    entries(marked)[0]["spent"] = True
    revived = copy.deepcopy(payload)
    entries(revived, spent=True)[0]["spent"] = False
    both = copy.deepcopy(payload)
    entry = entries(both)[0]
    snapshot_of(both)["utxo_set"][entry["address"]].append({**entry, "spent": True})
    both_ways = copy.deepcopy(payload)
    entry = entries(both_ways, spent=True)[0]
    snapshot_of(both_ways)["utxo_set"][entry["address"]].append({**entry, "spent": False})
    all_spent = copy.deepcopy(payload)
    for entry in entries(all_spent):
        entry["spent"] = True
    made = {"an unspent one marked": marked, "a spent one revived": revived,
            "spent again beside it": both, "revived beside it": both_ways,
            "all spent": all_spent}
    for bad in made.values():
        recounted(bad, signer)
    number = copy.deepcopy(payload)
    entries(number, spent=True)[0]["spent"] = 1
    xai.reseal_payload(number, signer)
    text = copy.deepcopy(payload)
    entries(text)[0]["spent"] = "false"
    xai.reseal_payload(text, signer)
    miscounted = copy.deepcopy(payload)
    snapshot_of(miscounted)["total_utxos"] += len(entries(payload, spent=True))
    xai.reseal_payload(miscounted, signer)
    return {**made, "1 for true": number, "a text for false": text,
            "the spent ones counted": miscounted}


def test_42_spent_and_unspent_confused(node, peers, chain, payload, signer):
    assert entries(payload, spent=True), "the fixture has spent entries"
    three = peers(3)
    n = node(three)
    refused_each(n, three[1], mixed(payload, signer), ("state_bounds", "payload_malformed"))
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


def test_42_spent_entries_are_no_coins(node, peers, chain, payload, signer):
    """Left out, or more of them: another state_hash, the same coins."""
    without = copy.deepcopy(payload)
    lists = snapshot_of(without)["utxo_set"]
    for owner in list(lists):
        lists[owner] = [e for e in lists[owner] if not e["spent"]]
        if not lists[owner]:
            del lists[owner]
    xai.reseal_payload(without, signer)
    three = peers(3)
    expect.bootstrapped(node(three), chain, url=three[0].serve("/cp.json", without))
    for entry in entries(payload, spent=True):
        found = entry["txid"], entry["vout"]
        assert found not in chain.coins(200)

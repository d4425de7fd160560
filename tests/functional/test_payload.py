"""Scenarios 38 and 40: what the body says, and how it is spelled."""

import json

import expect
import pytest
import xai


def test_38_wrong_state_hash_though_signed(node, peers, payload, signer):
    three = peers(3)
    n = node(three)
    payload["state_hash"] = "ab" * 32
    xai.sign_payload(payload, signer)
    expect.refused(n, "payload_hash_mismatch", url=three[0].serve("/cp.json", payload))


def test_38_right_hash_but_another_height_and_block(node, peers, chain, payload, signer):
    """The state of 200 signed as that of 199: only the proven blocks show it."""
    three = peers(3)
    n = node(three)
    payload.update(height=199, block_hash=chain[199]["hash"], work=chain.work(199))
    xai.sign_payload(payload, signer)
    expect.refused(n, "state_bounds", url=three[0].serve("/cp.json", payload))


def test_38_right_hash_but_another_block(node, peers, payload, signer):
    three = peers(3)
    n = node(three)
    payload["block_hash"] = "000" + "ab" * 30 + "c"
    xai.sign_payload(payload, signer)
    expect.refused(n, "no_quorum", url=three[0].serve("/cp.json", payload))


def reordered(value):
    if isinstance(value, dict):
        return {k: reordered(value[k]) for k in sorted(value, reverse=True)}
    return [reordered(v) for v in value] if isinstance(value, list) else value


def escaped(text):
    """Every letter of every string as \\u00xx: other bytes, the same value."""
    out, inside, i = [], False, 0
    while i < len(text):
        c = text[i]
        if c == "\\":
            out.append(text[i : i + 2])
            i += 2
            continue
        if c == '"':
            inside = not inside
        out.append(f"\\u{ord(c):04x}" if inside and c.isalpha() else c)
        i += 1
    return "".join(out)


SPELLINGS = {
    "indented": lambda p: json.dumps(p, indent=4),
    "reordered": lambda p: json.dumps(reordered(p)),
    "compact": lambda p: json.dumps(p, separators=(",", ":")),
    "escaped": lambda p: escaped(json.dumps(p)),
    "spaced out": lambda p: json.dumps(p, separators=("\t, \r\n", " : ")),
    "data first": lambda p: json.dumps({"data": p["data"], **p}),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_38_the_same_value_spelled_otherwise(node, peers, chain, payload, spelling):
    three = peers(3)
    n = node(three)
    text = SPELLINGS[spelling](payload)
    assert json.loads(text) == payload
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", text.encode()))


def entries(payload, spent=False):
    lists = payload["data"]["utxo_snapshot"]["utxo_set"]
    return [(owner, e) for owner, coins in lists.items() for e in coins
            if e["spent"] is spent]


def recount(payload):
    snapshot = payload["data"]["utxo_snapshot"]
    unspent = [e for _, e in entries(payload)]
    snapshot["total_utxos"] = len(unspent)
    snapshot["total_value"] = sum(e["amount"] for e in unspent)


def test_40_a_coin_twice_in_one_address(node, peers, payload, signer):
    three = peers(3)
    n = node(three)
    owner, entry = entries(payload)[0]
    payload["data"]["utxo_snapshot"]["utxo_set"][owner].append(dict(entry))
    recount(payload)
    xai.reseal_payload(payload, signer)
    expect.refused(n, "state_bounds", url=three[0].serve("/cp.json", payload))


def test_40_a_coin_twice_across_two_addresses(node, peers, payload, signer):
    three = peers(3)
    n = node(three)
    owner, entry = entries(payload)[0]
    other = next(o for o, _ in entries(payload) if o != owner)
    copy = {**entry, "address": other, "script_pubkey": "P2PKH " + other}
    payload["data"]["utxo_snapshot"]["utxo_set"][other].append(copy)
    recount(payload)
    xai.reseal_payload(payload, signer)
    expect.refused(n, "state_bounds", url=three[0].serve("/cp.json", payload))


HOSTILE = {
    "not JSON": (b"<html>no</html>", "metadata_malformed"),
    "nothing": (b"", "metadata_malformed"),
    "an array": (b"[]", "metadata_malformed"),
    "no fields": (b"{}", "metadata_malformed"),
    "cut off": (lambda p: json.dumps(p).encode()[:-1000], "metadata_malformed"),
    "more after it": (lambda p: json.dumps(p).encode() + b"{}", "metadata_malformed"),
    "deep": (b'{"data":' + b"[" * 200000 + b"]" * 200000 + b"}", "metadata_malformed"),
    "a height of text": (lambda p: changed(p, height="200"), "metadata_malformed"),
    "a negative height": (lambda p: changed(p, height=-200), "metadata_malformed"),
    "a huge height": (lambda p: changed(p, height=10**30), "metadata_malformed"),
    "a block hash in capitals": (lambda p: changed(p, block_hash=p["block_hash"].upper()),
                                 "metadata_malformed"),
}


def changed(payload, **fields):
    return json.dumps({**payload, **fields}).encode()


def test_16_bodies_that_are_no_payload(node, peers, payload):
    three = peers(3)
    n = node(three)
    for name, (body, reason) in HOSTILE.items():
        body = body(payload) if callable(body) else body
        url = three[0].serve("/" + name.replace(" ", "_"), body)
        job = n.sync(url=url)
        assert job["state"] == "failed", name
        assert job["error"]["reason"] == reason, (name, job["error"])
    expect.audit_is_whole(n)


def test_39_amounts_that_are_none(node, peers, payload, signer):
    """Hashed and signed as they are: only the bounds can refuse them."""
    three = peers(3)
    n = node(three)
    owner, entry = entries(payload)[0]
    for amount in (-1.0, 121000001.0, 1e-19, True, "12", None):
        bad = json.loads(json.dumps(payload))
        coins = bad["data"]["utxo_snapshot"]["utxo_set"][owner]
        (mine,) = (e for e in coins
                   if (e["txid"], e["vout"]) == (entry["txid"], entry["vout"]))
        mine["amount"] = amount
        xai.reseal_payload(bad, signer)
        job = n.sync(url=three[0].serve("/cp.json", bad))
        assert job["state"] == "failed", amount
        assert job["error"]["reason"] in ("state_bounds", "payload_malformed"), amount
    for spelled in ("NaN", "Infinity", "-Infinity", "1e400"):
        text = json.dumps(payload).replace(json.dumps(entry["amount"]), spelled, 1)
        job = n.sync(url=three[0].serve("/cp.json", text.encode()))
        assert job["error"]["reason"] in (
            "state_bounds", "payload_malformed", "payload_hash_mismatch"), spelled

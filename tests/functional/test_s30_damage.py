"""Scenarios 30, 31 and 35: a body with flipped bits, a body cut or shuffled, and what an
earlier download left that is of another body."""

import json
import os
import random

import expect
import pytest
import wire
import xai
from node import wait_until

FULL = bool(os.environ.get("CAIRN_TEST_FULL"))

# What a body that is damaged anywhere can be refused for, whichever rule meets it first.
REASONS = {"metadata_malformed", "no_quorum", "untrusted_signer", "unsigned", "bad_signature",
           "work_mismatch", "header_chain_invalid", "payload_hash_mismatch",
           "payload_malformed", "state_bounds", "source_changed", "insufficient_confirmations"}


@pytest.fixture
def body(payload):
    return json.dumps(payload).encode()


def regions(body):
    """{name: (start, end)} of the members' values, of some keys and of the coins."""
    out = {}
    for name in ("height", "block_hash", "state_hash", "work", "signature", "pubkey"):
        key = body.index(b'"%s": ' % name.encode())
        start = key + len(name) + 4
        ends = [body.find(c, start) for c in (b", \"", b"}")]
        out[name] = start, min(e for e in ends if e > 0)
        out[f"the key {name}"] = key, start
    for name in ("total_utxos", "total_value", "utxo_set", "data"):
        key = body.index(b'"%s": ' % name.encode())
        out[f"the key {name}"] = key, key + len(name) + 4
    for name in ("txid", "vout", "amount", "address", "script_pubkey", "spent"):
        key = body.index(b'"%s": ' % name.encode(), len(body) // 3)
        out[f"a coin's {name}"] = key + len(name) + 4, min(
            e for e in (body.find(b",", key), body.find(b"}", key)) if e > 0)
    out["the first byte"] = 0, 1
    out["the last byte"] = len(body) - 1, len(body)
    return out


def same_but_for_hex_case(a, b):
    """Signature and key may be spelled in capitals."""
    try:
        one, other = json.loads(a), json.loads(b)
    except ValueError:
        return False
    for name in ("signature", "pubkey"):
        if str(one.get(name)).lower() != str(other.get(name)).lower():
            return False
        one[name] = other[name]
    return one == other


def flipped(body, bit):
    out = bytearray(body)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def test_30_a_flipped_bit_in_each_region(node, peers, chain, payload, body):
    three = peers(3)
    n = node(three)
    dice = random.Random(30)
    seen = set()
    for name, (start, end) in regions(body).items():
        bad = flipped(body, dice.randrange(start * 8, end * 8))
        if same_but_for_hex_case(bad, body):
            continue
        job = n.sync(url=three[1].serve("/bad.json", bad))
        assert job["state"] == "failed", name
        assert job["error"]["reason"] in REASONS, (name, job["error"])
        seen.add(job["error"]["reason"])
    assert {"metadata_malformed", "bad_signature", "payload_hash_mismatch"} <= seen
    expect.audit_is_whole(n)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


def test_30_flipped_bits_anywhere(node, peers, body):
    """By checkpoint.evaluate, which reads all of a body and asks nobody."""
    three = peers(3)
    n = node(three)
    dice = random.Random(31)
    for _ in range(2000 if FULL else 120):
        bit = dice.randrange(len(body) * 8)
        bad = flipped(body, bit)
        verdict = n.rpc("checkpoint.evaluate", url=three[1].serve("/bad.json", bad))
        failed = [r for r in verdict["rules"] if r["result"] == "fail"]
        assert failed or same_but_for_hex_case(bad, body), (bit, body[bit // 8 - 20 :][:40])
    verdict = n.rpc("checkpoint.evaluate", url=three[1].serve("/good.json", body))
    assert [r for r in verdict["rules"] if r["result"] == "fail"] == []


def test_31_truncated_anywhere(node, peers, chain, payload, body):
    three = peers(3)
    n = node(three)
    dice = random.Random(32)
    ends = [1, len(body) // 2, len(body) - 1, len(body) - 2]
    ends += [dice.randrange(len(body)) for _ in range(8)]
    for end in ends:
        job = n.sync(url=three[1].serve("/bad.json", body[:end]))
        assert job["state"] == "failed", end
        assert job["error"]["reason"] in ("metadata_malformed", "payload_malformed"), end
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


def test_31_bytes_behind_the_end(node, peers, chain, body):
    three = peers(3)
    n = node(three)
    for tail in (b"x", b"\0", b"}", b"]", b",", b"{}", b"\x1a", b'"', b"0", body[-20000:], body,
                 b" " * 40000 + b"x"):
        job = n.sync(url=three[1].serve("/bad.json", body + tail))
        assert job["state"] == "failed", tail[:40]
        assert job["error"]["reason"] in ("metadata_malformed", "payload_malformed"), tail[:40]
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", body + b" \r\n" * 20000))


def test_31_pieces_twice_missing_and_out_of_order(node, peers, chain, payload, body):
    three = peers(3)
    n = node(three)
    size = 5000
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    middle = len(parts) // 2
    made = {
        "twice": parts[: middle + 1] + parts[middle:],
        "missing": parts[:middle] + parts[middle + 1 :],
        "swapped": parts[:middle] + [parts[middle + 1], parts[middle]] + parts[middle + 2 :],
        "the first twice": parts[:1] + parts,
        "the last missing": parts[:-1],
        "the last first": parts[-1:] + parts[:-1],
        "nought": parts[:middle] + [b"\0" * size] + parts[middle + 1 :],
    }
    for name, pieces in made.items():
        job = n.sync(url=three[1].serve("/bad.json", b"".join(pieces)))
        assert job["state"] == "failed", name
        assert job["error"]["reason"] in REASONS, (name, job["error"])
    # Whole entries shuffled are well-formed JSON: the hash is what tells.
    lists = payload["data"]["utxo_snapshot"]["utxo_set"]
    owner = max(lists, key=lambda a: len(lists[a]))
    lists[owner].reverse()
    expect.refused(n, "payload_hash_mismatch", url=three[1].serve("/bad.json", payload))
    lists[owner].reverse()
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


# --- 35 ---


def another_body(payload, signer):
    """As long as the first and as good, with another state_hash: a spent entry differs."""
    other = json.loads(json.dumps(payload))
    for coins in other["data"]["utxo_snapshot"]["utxo_set"].values():
        for entry in coins:
            if entry["spent"]:
                entry["amount"] = entry["amount"] + 1.0
                return json.dumps(xai.reseal_payload(other, signer)).encode()
    raise AssertionError("no spent entry")


def half_then_nothing(w_of, body):
    """The ends, then half of the body and silence."""
    good = wire.honest(body)

    def answer(request):
        text = good(request)
        if request.range:
            yield text
            return
        yield text[: len(text) // 2]
        w_of().stopped.wait()
    return answer


def killed_half_way(n, w, body):
    """A daemon that was killed with half of body in payload.part."""
    n.rpc("sync.start", url=w.url, idempotency_key="the one")
    part = n.data_dir / "incoming" / "1" / "payload.part"
    wait_until(lambda: part.exists() and part.stat().st_size > len(body) // 3, "half of it")
    wait_until(lambda: (part.parent / "payload.etag").exists(), "its tag")
    n.kill9()
    return part


def ends(n, chain):
    job = n.wait_job(n.rpc("sync.start", idempotency_key="the one", url="http://x/")["job_id"])
    assert job["state"] == "succeeded", job
    expect.at_tip_of(n, chain)


def version(answer, etag=None):
    """answer with this tag in the place of its own; None: with none."""
    def changed(request):
        text = answer(request)
        start = text.index(b"ETag: ")
        line = text[start : text.index(b"\r\n", start) + 2]
        return text.replace(line, f"ETag: {etag}\r\n".encode() if etag else b"", 1)
    return changed


@pytest.mark.parametrize("server", ["honest", "ignores If-Range", "no tag any more",
                                    "no ranges any more", "weak tag"])
def test_35_stale_resume_state_of_another_body(node, peers, chain, body, payload, signer, server):
    """The body changed while the daemon was down."""
    other = another_body(payload, signer)
    n = node(peers(3))
    good = wire.honest(other)

    def ignores(request):
        request.fields.pop("if-range", None)
        return good(request)

    def keeps(request):
        if request.fields.get("if-range") not in (None, wire.etag_of(other)):
            request.range = None
        return good(request)

    answers = {
        "honest": keeps,
        "ignores If-Range": ignores,
        "no tag any more": version(keeps),
        "no ranges any more": lambda r: wire.whole(other),
        "weak tag": version(keeps, "W/" + wire.etag_of(body)),
    }
    with wire.Wire(None) as w:
        w.answer = half_then_nothing(lambda: w, body)
        killed_half_way(n, w, body)
        w.answer = answers[server]
        n.start()
        ends(n, chain)
    assert json.loads(other)["state_hash"] in json.dumps(
        n.rpc("checkpoint.provenance", height=200))


def test_35_the_same_tag_for_another_body(node, peers, chain, body, payload, signer):
    """A server whose tags lie: what comes of it is no body, and is refused; the next job
    begins anew."""
    other = another_body(payload, signer)
    n = node(peers(3))
    with wire.Wire(None) as w:
        w.answer = half_then_nothing(lambda: w, body)
        killed_half_way(n, w, body)
        w.answer = version(wire.honest(other), wire.etag_of(body))
        n.start()
        job = n.wait_job("job-1")
        assert job["state"] in ("failed", "succeeded"), job
        if job["state"] == "failed":
            assert job["error"]["reason"] in REASONS, job["error"]
            job = n.sync(url=w.url)
        assert job["state"] == "succeeded", job
        expect.at_tip_of(n, chain)


@pytest.mark.parametrize("garbage", ["part", "longer part", "tag", "tag of a megabyte",
                                     "a whole body of another"])
def test_35_what_lies_in_the_way(node, peers, chain, body, payload, signer, garbage):
    """Files that no run of the daemon left so."""
    n = node(peers(3))
    with wire.Wire(None) as w:
        w.answer = half_then_nothing(lambda: w, body)
        part = killed_half_way(n, w, body)
        tag = part.parent / "payload.etag"
        if garbage == "part":
            part.write_bytes(os.urandom(part.stat().st_size))
        elif garbage == "longer part":
            part.write_bytes(body + b"x" * 1000)
        elif garbage == "tag":
            tag.write_bytes(b'"a\r\nHost: elsewhere\r\n\r\n')
        elif garbage == "tag of a megabyte":
            tag.write_bytes(b'"' + b"t" * (1 << 20) + b'"')
        else:
            (part.parent / "payload.json").write_bytes(another_body(payload, signer)[:-50])
        w.answer = wire.honest(body)
        n.start()
        job = n.wait_job("job-1")
        if job["state"] == "failed":
            assert job["error"]["reason"] in REASONS, job["error"]
            job = n.sync(url=w.url)
        assert job["state"] == "succeeded", job
        expect.at_tip_of(n, chain)
        assert all("elsewhere" not in r.fields.get("host", "") for r in w.asked)

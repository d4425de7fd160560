"""What a publisher does with snapshots: serves them, gathers signatures, withdraws, keeps some."""

import json
import os

import expect
import peerwire
import publisher
import pytest
import statements
import xai
from node import RpcError, wait_until

OPEN = {"public": {"listen": "127.0.0.1:0"}}


@pytest.fixture
def whole(node, peers):
    """A node that validated everything to 240, and has a public plane; its peer."""
    (peer,) = peers(1)
    n = node([peer], OPEN)
    assert n.sync(mode="full")["state"] == "succeeded"
    return n


@pytest.fixture
def served(whole):
    """The same with a snapshot of its tip."""
    return whole, publisher.create(whole)


def get(n, path, **headers):
    return peerwire.get(n.public_address, path, headers=headers)


# --- served ---


def test_what_is_there_is_listed(served):
    n, made = served
    status, headers, body = get(n, "/snapshots")
    assert status == 200 and headers["cache-control"] == "no-cache"
    (listed,) = json.loads(body)["snapshots"]
    assert xai.canon({"snapshots": [listed]}) + b"\n" == body
    assert listed == {k: made[k] for k in ("id", "height", "block_hash", "state_root", "digest",
                                           "coin_count", "bytes", "frames_bytes")} | {
        "signatures": 0}
    assert get(n, "/snapshots", **{"If-None-Match": headers["etag"]})[0] == 304


def test_each_file_is_served_as_it_is(served):
    n, made = served
    for name, text in publisher.files(n, made["id"]).items():
        status, headers, body = get(n, f"/snapshots/{made['id']}/{name}")
        assert (status, body) == (200, text), name
        if name == "manifest.json":
            assert headers["cache-control"] == "no-cache"
            assert headers["content-type"] == "application/json"
        else:
            assert headers["cache-control"] == "public, max-age=31536000, immutable"
            assert headers["etag"] == f'"{made["id"]}-{name}"'
            assert headers["accept-ranges"] == "bytes"
        again = get(n, f"/snapshots/{made['id']}/{name}", **{"If-None-Match": headers["etag"]})
        assert again[0] == 304 and again[2] == b""


def test_ranges_of_the_body(served):
    n, made = served
    path = f"/snapshots/{made['id']}/base.coins.zst"
    text = publisher.files(n, made["id"])["base.coins.zst"]
    size = len(text)
    for asked, first, last in (("bytes=0-0", 0, 0), ("bytes=100-299", 100, 299),
                               ("bytes=-7", size - 7, size - 1),
                               (f"bytes={size - 1}-", size - 1, size - 1)):
        status, headers, body = get(n, path, Range=asked)
        assert status == 206, asked
        assert headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert body == text[first:last + 1], asked
    status, headers, _ = get(n, path, Range=f"bytes={size}-")
    assert status == 416 and headers["content-range"] == f"bytes */{size}"
    tag = f'"{made["id"]}-base.coins.zst"'
    assert get(n, path, **{"Range": "bytes=0-9", "If-Range": tag})[0] == 206
    assert get(n, path, **{"Range": "bytes=0-9", "If-Range": '"other"'})[0] == 200
    status, headers, body = peerwire.get(n.public_address, path, method="HEAD")
    assert (status, int(headers["content-length"]), body) == (200, size, b"")


@pytest.mark.parametrize("path", [
    "/snapshots/{id}", "/snapshots/{id}/", "/snapshots/{id}/other", "/snapshots/{id}/../control.db",
    "/snapshots/../control.db", "/snapshots//manifest.json", "/snapshots/{id}.incomplete/chunks.bin",
    "/snapshots/{id}/withdrawn.json", "/snapshots/{id}/manifest.json/", "/snapshots/{id}%00/chunks.bin",
    "/snapshots/1-0123456789abcdef/manifest.json", "/snapshots/" + "9" * 200 + "/manifest.json"])
def test_nothing_else_is(served, path):
    n, made = served
    (n.data_dir / "snapshots" / f"{made['id']}.incomplete").mkdir()
    assert get(n, path.format(id=made["id"]))[0] == 404


def test_the_raw_coin_file_is_not_kept_and_said_so(served):
    n, made = served
    status, _, body = get(n, f"/snapshots/{made['id']}/base.coins")
    assert status == 404 and "base.coins.zst" in json.loads(body)["error"]


def test_a_link_in_the_directory_is_not_followed(served):
    n, made = served
    file = n.data_dir / "snapshots" / made["id"] / "chunks.bin"
    file.unlink()
    os.symlink("/etc/passwd", file)
    assert get(n, f"/snapshots/{made['id']}/chunks.bin")[0] == 404


def test_over_the_budget_it_is_429(node, peers):
    (peer,) = peers(1)
    n = node([peer], {"public": {"listen": "127.0.0.1:0", "bytes_per_second": 4096}})
    assert n.sync(mode="full")["state"] == "succeeded"
    made = publisher.create(n)
    size = made["frames_bytes"]
    assert size > 5 * 4096 / 4
    answers = [get(n, f"/snapshots/{made['id']}/base.coins.zst") for _ in range(6)]
    assert answers[0][0] == 200 and len(answers[0][2]) == size
    refused = [headers for status, headers, _ in answers if status == 429]
    assert refused and all(int(h["retry-after"]) >= 1 for h in refused)


def test_not_served_when_the_operator_says_so(node, peers):
    (peer,) = peers(1)
    n = node([peer], {**OPEN, "snapshots": {"serve": False}})
    assert n.sync(mode="full")["state"] == "succeeded"
    made = publisher.create(n)
    for path in ("/snapshots", f"/snapshots/{made['id']}/manifest.json"):
        assert get(n, path)[0] == 404


def told(n, what):
    nonce = "cd" * 32
    return peerwire.read_signed(what, get(n, f"/peer/v1/{what}?nonce={nonce}")[2], nonce)


def test_other_cairns_are_told(served):
    n, made = served
    lower = publisher.create(n, height=230)
    assert told(n, "hello")["snapshots"] == [made["id"], lower["id"]]
    listed = json.loads(get(n, "/snapshots")[2])["snapshots"]
    assert told(n, "checkpoints")["snapshots"] == listed
    n.rpc("snapshot.withdraw", id=made["id"], reason="r")
    assert told(n, "hello")["snapshots"] == [lower["id"]]


# --- signatures ---


def test_signatures_are_brought_to_it(served, signer):
    n, made = served
    manifest = n.rpc("snapshot.get", id=made["id"])["manifest"]
    before = get(n, f"/snapshots/{made['id']}/manifest.json")[1]["etag"]
    one, other = statements.SignerKey(signer.secret), statements.NodeKey("one")
    merged = publisher.shaped(n, "snapshot.merge", id=made["id"],
                              manifest=publisher.signed(manifest, one))
    assert merged == {"id": made["id"], "added": 1, "signatures": 1, "trusted": 1, "threshold": 1}
    merged = n.rpc("snapshot.merge", id=made["id"], manifest=publisher.signed(manifest, one, other))
    assert (merged["added"], merged["signatures"], merged["trusted"]) == (1, 2, 1)
    status, headers, body = get(n, f"/snapshots/{made['id']}/manifest.json")
    assert status == 200 and headers["etag"] != before
    now = json.loads(body)
    assert [s["key"] for s in now["signatures"]] == [
        k.hex for k in sorted((one, other), key=lambda k: (k.alg != "secp256k1", k.hex))]
    assert publisher.digest(now).hex() == made["digest"]
    verdict = publisher.shaped(n, "checkpoint.evaluate", manifest=now)
    rules = {r["rule"]: r["result"] for r in verdict["rules"]}
    assert rules["signatures"] == rules["network"] == rules["headers"] == "pass"
    job = n.wait_job(n.rpc("snapshot.verify", id=made["id"])["job_id"])
    assert job["result"]["signatures"] == 2
    expect.audit_is_whole(n)


def test_what_was_not_signed_is_not_taken(served, signer):
    n, made = served
    manifest = n.rpc("snapshot.get", id=made["id"])["manifest"]
    key = statements.SignerKey(signer.secret)
    good = publisher.signed(manifest, key)
    (sig,) = good["signatures"]
    flipped = ("1" if sig["signature"][0] == "0" else "0") + sig["signature"][1:]
    other = publisher.signed(publisher.create(n, height=230) and n.rpc(
        "snapshot.get", id=publisher.ids(n)[1])["manifest"], key)
    for wrong, reason in (({**good, "signatures": [{**sig, "signature": flipped}]},
                           "bad_signature"),
                          (other, "conflict"), ({**good, "more": 1}, "metadata_malformed")):
        with pytest.raises(RpcError) as refused:
            n.rpc("snapshot.merge", id=made["id"], manifest=wrong)
        assert refused.value.reason == reason
    assert n.rpc("snapshot.get", id=made["id"])["manifest"] == manifest
    verdict = n.rpc("checkpoint.evaluate", manifest=manifest)
    assert verdict["reason"] == "unsigned"


# --- withdrawn ---


def revocations(n):
    nonce = "ab" * 32
    body = get(n, f"/peer/v1/revocations?nonce={nonce}")[2]
    return peerwire.read_signed("revocations", body, nonce)["revocations"]


def test_withdrawn_it_is_gone_and_says_so(served):
    n, made = served
    told = publisher.shaped(n, "snapshot.withdraw", id=made["id"], reason="a wrong key")
    assert told["revocation"] is None
    wanted = statements.revocation(240, made["block_hash"], "a wrong key")
    assert told["to_sign"]["digest"] == statements.digest(wanted).hex()
    assert told["to_sign"]["document"] == {**wanted, "signatures": []}
    for name in publisher.FILES:
        assert get(n, f"/snapshots/{made['id']}/{name}")[0] == 410
    assert json.loads(get(n, "/snapshots")[2]) == {"snapshots": []}
    (listed,) = publisher.shaped(n, "snapshot.list")["snapshots"]
    assert listed["withdrawn"]["reason"] == "a wrong key"
    assert sorted(p.name for p in (n.data_dir / "snapshots" / made["id"]).iterdir()) == [
        "manifest.json", "withdrawn.json"]
    for method, more in (("snapshot.verify", {}), ("snapshot.create", None)):
        with pytest.raises(RpcError) as refused:
            if more is None:
                job = n.wait_job(n.rpc(method)["job_id"])
                raise RpcError({"code": -32004, "message": "", "data": job["error"]})
            n.rpc(method, id=made["id"], **more)
        assert refused.value.code == -32004 and refused.value.reason == "conflict"
    n.restart()
    assert get(n, f"/snapshots/{made['id']}/manifest.json")[0] == 410
    n.rpc("snapshot.delete", id=made["id"])
    assert get(n, f"/snapshots/{made['id']}/manifest.json")[0] == 404
    expect.audit_is_whole(n)


def test_the_revocation_is_signed_elsewhere_and_told(served, signer):
    n, made = served
    told = n.rpc("snapshot.withdraw", id=made["id"], reason="a wrong key")
    document = {k: v for k, v in told["to_sign"]["document"].items() if k != "signatures"}
    signed = statements.sign(document, statements.SignerKey(signer.secret))
    stranger = statements.sign(document, statements.NodeKey("stranger"))
    with pytest.raises(RpcError) as refused:
        n.rpc("snapshot.withdraw", id=made["id"], reason="r", revocation=stranger)
    assert refused.value.reason == "untrusted_signer"
    assert revocations(n) == []
    told = publisher.shaped(n, "snapshot.withdraw", id=made["id"], reason="r", revocation=signed)
    assert told["revocation"] == signed and told["to_sign"] is None
    assert revocations(n) == [signed]


def test_a_node_that_is_a_signer_signs_it_itself(served):
    n, made = served
    key = "ed25519:" + n.rpc("audit.head")["public_key"]
    n.rpc("signers.add", key=key, reason="our own")
    told = publisher.shaped(n, "snapshot.withdraw", id=made["id"], reason="a wrong key")
    assert told["to_sign"] is None
    assert revocations(n) == [told["revocation"]]
    assert told["revocation"]["signatures"][0]["key"] == key.split(":")[1]


# --- on schedule ---


def test_on_schedule_some_are_kept(node, peers, chain):
    (peer,) = peers(1)
    n = node([peer], {"snapshots": {"every_blocks": 10, "keep": 2},
                      "checkpoint": {"min_confirmations": 6}})
    assert n.sync(mode="full")["state"] == "succeeded"

    def has(*heights):
        wait_until(lambda: [s["height"] for s in n.rpc("snapshot.list")["snapshots"]]
                   == list(heights), f"snapshots at {heights}")

    has(230)
    wait_until(lambda: not n.rpc("jobs.list", state="running")["jobs"], "the job's end")
    publisher.create(n, height=235)
    chain.mine_many(5)
    n.wait_tip(245)
    has(235, 230)
    chain.mine()
    has(240, 235, 230)
    n.restart()
    chain.mine_many(10)
    has(250, 240, 235)
    jobs = [j for j in n.rpc("jobs.list")["jobs"] if j["kind"] == "snapshot"]
    assert [j["request"].get("height") for j in jobs] == [250, 240, 235, 230]
    acts = [e["body"] for e in n.rpc("audit.list", limit=1000)["entries"]
            if e["kind"] == "admin_act" and e["body"]["act"] == "snapshot.create"]
    assert [a["actor"] for a in acts].count("schedule") == 3
    expect.audit_is_whole(n)

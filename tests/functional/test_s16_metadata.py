"""Scenario 16: a candidate whose metadata are not metadata, from a URL, a file and a call."""

import json
import os

import expect
import pytest
from node import RpcError

DEEP = b"[" * 100000 + b"]" * 100000


def with_member(payload, text):
    """The payload with this text put before its first member."""
    return b"{" + text + b"," + json.dumps(payload).encode()[1:]


def with_height(payload, text):
    body = json.dumps(payload).encode()
    assert body.count(b'"height": 200') == 1
    return body.replace(b'"height": 200', b'"height": ' + text)


BODIES = {
    "not JSON": lambda p: b"\x7fELF\x02\x01\x01" + bytes(range(256)),
    "HTML": lambda p: b"<!doctype html><title>502 Bad Gateway</title>",
    "empty": lambda p: b"",
    "white space": lambda p: b" \n\t" * 1000,
    "a number": lambda p: b"200",
    "a text": lambda p: json.dumps(json.dumps(p)).encode(),
    "null": lambda p: b"null",
    "an array of it": lambda p: b"[" + json.dumps(p).encode() + b"]",
    "twice": lambda p: json.dumps(p).encode() * 2,
    "deep": lambda p: with_member(p, b'"x": ' + DEEP),
    "deep objects": lambda p: with_member(p, b'"x": ' + b'{"a":' * 50000 + b"1" + b"}" * 50000),
    "a key of a megabyte": lambda p: with_member(p, b'"' + b"k" * (1 << 20) + b'": 1'),
    "a height twice": lambda p: with_member(p, b'"height": 199'),
    "the data twice": lambda p: with_member(p, b'"data": {}'),
    "a height twice, escaped": lambda p: with_member(p, b'"\\u0068eight": 199'),
    "a height NaN": lambda p: with_height(p, b"NaN"),
    "a height Infinity": lambda p: with_height(p, b"Infinity"),
    "a height of 1e400": lambda p: with_height(p, b"1e400"),
    "a height 200.5": lambda p: with_height(p, b"200.5"),
    "a height of 10^30": lambda p: with_height(p, b"1" + b"0" * 30),
    "a height of a million digits": lambda p: with_height(p, b"2" * 1000000),
    "a height 2^63": lambda p: with_height(p, b"9223372036854775808"),
    "a height 0": lambda p: with_height(p, b"0"),
    "a height of -1": lambda p: with_height(p, b"-1"),
    "a height of a text": lambda p: with_height(p, b'"200"'),
    "a height true": lambda p: with_height(p, b"true"),
    "a block hash of a list": lambda p: json.dumps({**p, "block_hash": [p["block_hash"]]}).encode(),
    "no block hash": lambda p: json.dumps(
        {k: v for k, v in p.items() if k != "block_hash"}).encode(),
    "data that are a list": lambda p: json.dumps({**p, "data": [p["data"]]}).encode(),
    "not UTF-8": lambda p: with_member(p, b'"x": "\xff\xfe"'),
    "half a surrogate pair": lambda p: with_member(p, b'"x": "\\ud800"'),
    "a byte order mark": lambda p: b"\xef\xbb\xbf" + json.dumps(p).encode(),
    "UTF-16": lambda p: json.dumps(p).encode("utf-16"),
    "a trailing comma": lambda p: json.dumps(p).encode()[:-1] + b",}",
    "a comment": lambda p: b"/* */" + json.dumps(p).encode(),
    "a NUL behind it": lambda p: json.dumps(p).encode() + b"\0",
}
# Both are of the payload's text; which rule meets it first depends on where it stands.
REASONS = ("metadata_malformed", "payload_malformed")


def refused_as_malformed(n, **source):
    job = n.sync(**source)
    assert job["state"] == "failed", job
    assert job["error"]["reason"] in REASONS, job["error"]
    assert expect.rejections(n)[0]["reason"] == job["error"]["reason"]
    assert job["error"]["detail"].isprintable()


@pytest.mark.parametrize("half", [0, 1])
def test_16_bodies_at_a_url(node, peers, chain, payload, half):
    three = peers(3)
    n = node(three)
    names = list(BODIES)[half::2]
    for number, name in enumerate(names):
        body = BODIES[name](payload)
        try:
            refused_as_malformed(n, url=three[1].serve(f"/{half}_{number}.json", body))
        except AssertionError as e:
            raise AssertionError(name) from e
    assert len(expect.rejections(n)) == len(names)
    expect.audit_is_whole(n)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


def test_16_bodies_in_a_file(node, peers, chain, payload, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    n = node(peers(3), {"transfer": {"allow_paths": [str(allowed)]}})
    path = allowed / "cp.json"
    for name in ("not JSON", "empty", "deep", "the data twice", "a height NaN", "not UTF-8",
                 "UTF-16"):
        path.write_bytes(BODIES[name](payload))
        refused_as_malformed(n, path=str(path))
    path.write_text(json.dumps(payload))
    expect.bootstrapped(n, chain, path=str(path))


def test_16_files_that_are_none(node, peers, tmp_path):
    allowed = tmp_path / "allowed"
    (allowed / "directory").mkdir(parents=True)
    n = node(peers(3), {"transfer": {"allow_paths": [str(allowed)]}})
    os.mkfifo(allowed / "pipe")
    for name in ("directory", "pipe", "absent"):
        try:
            job = n.sync(path=str(allowed / name))
            assert job["error"]["reason"] == "source_unreachable", job
        except RpcError as e:
            assert e.reason == "source_unreachable"
    assert n.status()["tip"] is None


INLINE = {
    "a text": "no payload",
    "a number": 200,
    "null": None,
    "a list": [],
    "no members": {},
    "a height of a text": {"height": "200"},
    "a height of a list": {"height": [200]},
    "data of a text": {"height": 200, "block_hash": "ab" * 32, "state_hash": "ab" * 32,
                       "data": "none"},
}


def test_16_payloads_in_the_call(node, peers, chain, payload):
    n = node(peers(3))
    for name, value in INLINE.items():
        try:
            job = n.sync(payload=value)
        except RpcError as e:
            assert e.reason == "invalid", (name, e)
            continue
        assert job["state"] == "failed", name
        assert job["error"]["reason"] in (*REASONS, "no_quorum"), (name, job["error"])
    raw = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sync.start",
                      "params": {"payload": "@"}}).encode()
    for text in (DEEP, b"NaN", b'{"height": 1e400}', b'{"height": 1, "height": 2}', b"{"):
        status, answer = n.http("/rpc", raw.replace(b'"@"', text))
        answer = json.loads(answer)
        if "result" in answer:
            job = n.wait_job(answer["result"]["job_id"])
            assert job["error"]["reason"] in REASONS, (text[:40], job)
        else:
            assert answer["error"]["code"] in (-32700, -32602, -32600), (text[:40], answer)
        assert status in (200, 400, 413)
    expect.audit_is_whole(n)
    expect.bootstrapped(n, chain, payload=payload)

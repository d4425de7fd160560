"""Scenarios 64 and 66 with tokens, reads over plain HTTP, the audit log out of the daemon."""

import calendar
import contextlib
import hashlib
import http.client
import json
import re
import socket
import threading
import time

import pytest
import shape
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from expect import bootstrapped, refused
from node import REPO, RpcError, wait_until
from test_rpc import Caller, error, raw, refusal

READ, ADMIN = "r" * 64, "a" * 64


def token(name, role, text):
    digest = hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
    return {"name": name, "role": role, "hash": f"b2:{digest}"}


TOKENS = {"rpc": {"tokens": [token("grafana", "read", READ), token("deploy", "admin", ADMIN)]}}


def caller(node, text):
    made = Caller(node)
    made.headers["Authorization"] = f"Bearer {text}"
    return made


def acts(node):
    """(act, actor) of every administrative act in the audit log, oldest first."""
    entries = node.rpc("audit.list", limit=1000)["entries"]
    return [(e["body"]["act"], e["body"]["actor"]) for e in entries if e["kind"] == "admin_act"]


# --- tokens ---


def test_64_a_read_token_reads_and_does_nothing_else(node):
    n = node(config=TOKENS)
    reader = caller(n, READ)
    admin_calls = 0
    for method in n.rpc("rpc.discover")["methods"]:
        params = {p["name"]: p["value"] for p in method["examples"][0]["params"]}
        admin_params = {p["name"] for p in method["params"] if "x-role" in p}
        if method["x-role"] == "admin":
            error(reader.call(method["name"], params), -32002, "forbidden")
            admin_calls += 1
            continue
        allowed = {k: v for k, v in params.items() if k not in admin_params}
        answer = reader.call(method["name"], allowed)
        assert answer.get("error", {}).get("code") != -32002, answer
        for name in admin_params:
            error(reader.call(method["name"], {name: "x"}), -32002, "forbidden")
            admin_calls += 1
    assert admin_calls >= 6
    stop = {"jsonrpc": "2.0", "method": "daemon.stop"}
    assert reader.post(stop) is None
    (answer,) = reader.post([stop, {**stop, "id": 1}])
    error(answer, -32002, "forbidden")
    assert reader.send("GET", "/metrics")[0] == 200
    assert reader.send("GET", "/readyz")[0] == 503
    assert n.rpc("jobs.list")["jobs"] == []
    assert acts(n) == []
    assert n.running


def test_64_whose_token_it_was_is_in_the_audit_log(node):
    n = node(config=TOKENS)
    deploy = caller(n, ADMIN)
    started = deploy.call("sync.start", {"payload": {}})["result"]["job_id"]
    n.wait_job(started)
    n.sync(payload={})
    n.rebootstrap(payload={}, reason="cookie: \"quoted\"")
    listening = socket.create_server(("127.0.0.1", 0))
    with listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/cp.json"
        hanging = deploy.call("sync.start", {"url": url})["result"]["job_id"]
        deploy.call("sync.cancel", {"job_id": hanging})
        n.wait_job(hanging)
    assert deploy.call("daemon.stop")["result"] == {"stopping": True}
    assert n.reap() == 0
    n.start()
    assert acts(n) == [
        ("sync.start", "deploy"), ("sync.start", "cookie"), ("sync.rebootstrap", "cookie"),
        ("sync.start", "deploy"), ("sync.cancel", "deploy"), ("daemon.stop", "deploy")]
    entries = n.rpc("audit.list", limit=1000)["entries"]
    (again,) = (e["body"] for e in entries if e["body"].get("act") == "sync.rebootstrap")
    assert again["reason"] == "cookie: \"quoted\"" and again["job"] == 3
    assert n.rpc("audit.verify")["ok"] is True


def test_64_a_configured_token_outlives_the_run_and_the_cookie_does_not(node):
    n = node(config=TOKENS)
    cookie = n.token
    n.restart()
    refusal(caller(n, cookie).send("GET", "/readyz"), 401, -32001, "unauthorized")
    assert caller(n, ADMIN).send("GET", "/readyz")[0] == 503
    hashed = TOKENS["rpc"]["tokens"][1]["hash"]
    for not_it in (hashed, hashed.removeprefix("b2:"), ADMIN[1:], ADMIN + "a", "deploy"):
        refusal(caller(n, not_it).send("GET", "/readyz"), 401, -32001, "unauthorized")
    assert ADMIN not in n.log() and cookie not in n.log()
    assert ADMIN not in json.dumps(n.rpc("daemon.info"))


def test_64_too_many_wrong_tokens_are_told_to_slow_down(node):
    n = node(config=TOKENS)
    wrong = caller(n, "w" * 64)
    answers = [wrong.send("GET", "/readyz") for _ in range(45)]  # over one minute's end at most
    codes = [a[0] for a in answers]
    assert codes[:20] == [401] * 20
    assert set(codes) == {401, 429}
    limited = next(a for a in answers if a[0] == 429)
    headers = refusal(limited, 429, -32010, "rate_limited")
    assert 1 <= int(headers["Retry-After"]) <= 60
    assert json.loads(limited[2])["error"]["data"]["retryable"] is True
    assert caller(n, READ).send("GET", "/readyz")[0] == 503, "a right token is never held up"
    nobody = wrong.send("GET", "/readyz", without=["Authorization"])
    refusal(nobody, 401, -32001, "unauthorized")
    text = n.http("/metrics")[1].decode()
    assert "\ncairn_http_wrong_tokens_total 45\n" in text
    assert f"\ncairn_http_limited_total {codes.count(429)}\n" in text


# --- limits ---


def test_66_a_slow_post_is_answered_when_it_is_complete(node):
    n = node()
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sync.status"})
    slow = raw(n, f"POST /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                  f"Content-Type: application/json\r\nAuthorization: Bearer {n.token}\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n", read=False)
    with slow:
        for letter in body[:-1]:
            slow.sendall(letter.encode())
            assert n.http("/healthz")[0] == 200
        slow.sendall(body[-1].encode())
        answer = b"".join(iter(lambda: slow.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ") and b'"state":"idle"' in answer


def test_66_one_address_cannot_take_all_connections(node):
    n = node()
    host, _, port = n.address.rpartition(":")
    other = Caller(n)
    other.connection = http.client.HTTPConnection(host, int(port), timeout=10,
                                                  source_address=("127.0.0.2", 0))
    with contextlib.ExitStack() as half_open:
        for _ in range(200):
            idle = half_open.enter_context(socket.create_connection((host, int(port))))
            with contextlib.suppress(OSError):  # one too many is closed at once
                idle.sendall(b"POST /rpc HTTP/1.1\r\nHost: local")
        for _ in range(10):
            assert other.call("sync.status")["result"]["state"] == "idle"

    def answered():
        try:
            return n.status()
        except OSError:
            return None
    wait_until(answered, "an answer once the others are gone")


def test_66_nothing_in_a_query_gets_past_the_parameters(node):
    n = node()
    ask = Caller(n)
    for query in ("limit=0", "limit=1001", "limit=", "limit", "limit=5&limit=5", "cursor=x",
                  "limit=1;drop", "limit=%00", "no_such=1", "state=failed", "since=yesterday",
                  "reason=bad%20luck", "height=-1", "&".join(f"a{i}=1" for i in range(100))):
        refusal(ask.send("GET", f"/api/v1/rejections?{query}"), 400, -32602, "invalid")
    refusal(ask.send("GET", "/api/v1/status?limit=1"), 400, -32602, "invalid")
    fine = "/api/v1/rejections?peer=%27%20OR%201%3D1--&height=7&reason=no_quorum&limit=1"
    assert json.loads(ask.send("GET", fine)[2]) == {"rejections": [], "next": None}
    refusal(ask.send("GET", "/api/v1/nothing"), 404, -32003, "not_found")
    refusal(ask.send("POST", "/api/v1/status", "{}"), 405, -32600, "method_not_allowed")
    long = ask.send("GET", "/api/v1/rejections?peer=" + "x" * 200_000)
    assert long[0] in (400, 413, 414, 431)


@pytest.mark.tsan
def test_sigterm_ends_the_daemon_while_a_source_hangs(node):
    n = node()
    with socket.create_server(("127.0.0.1", 0)) as source:
        url = f"http://127.0.0.1:{source.getsockname()[1]}/cp.json"
        answers = []

        def evaluate():
            call = {"jsonrpc": "2.0", "id": 1, "method": "checkpoint.evaluate",
                    "params": {"url": url}}
            answers.append(json.loads(n.http("/rpc", json.dumps(call).encode())[1]))

        caller = threading.Thread(target=evaluate)
        caller.start()
        connection, _ = source.accept()  # it reads, and waits for the head
        with connection:
            begun = time.monotonic()
            n.process.terminate()
            assert n.reap(20) == 0
            assert time.monotonic() - begun < 5
    caller.join(20)
    (answer,) = answers
    error(answer, -32009, "shutting_down")


# --- plain reads ---


@pytest.fixture
def busy(node, peers, chain, payload):
    """A node with a refusal, a checkpoint and a tip, and tokens."""
    three = peers(3)
    n = node(three, config=TOKENS)
    bad = {**payload, "signature": payload["signature"][:-1] + "0"}
    refused(n, "bad_signature", url=three[0].serve("/bad.json", bad))
    bootstrapped(n, chain, payload=payload)
    return n


def documents(n):
    return n.rpc("rpc.discover"), yaml.safe_load(n.http("/openapi.yaml")[1])


def test_the_paths_are_those_described(busy):
    methods, paths = documents(busy)
    by_name = {m["name"]: m for m in methods["methods"]}
    assert busy.http("/openapi.yaml")[1] == (REPO / "openapi" / "openapi.yaml").read_bytes()
    reader = caller(busy, READ)
    reads = {p: d["get"] for p, d in paths["paths"].items() if "x-method" in d.get("get", {})}
    assert len(reads) == 6
    for path, described in reads.items():
        method = by_name[described["x-method"]]
        assert described["summary"] == method["summary"]
        same = [{"name": p["name"], "in": "query", "schema": p["schema"]}
                for p in method["params"]]
        assert described.get("parameters", []) == same, path
        status, headers, text = reader.send("GET", path)
        assert status == 200 and headers["Content-Type"] == "application/json"
        shape.check(json.loads(text), method["result"]["schema"], methods, path)
        head = reader.send("HEAD", path)
        assert head[0] == 200 and head[2] == b""
        for code, answer in described["responses"].items():
            name = answer["$ref"].rpartition("/")[2]
            assert name in paths["components"]["responses"], (path, code)
        refusal(reader.send("GET", path, without=["Authorization"]), 401, -32001,
                "unauthorized")
    for path in set(paths["paths"]) - set(reads) - {"/rpc"}:
        assert reader.send("GET", path)[0] == 200, path


def test_reads_are_the_methods_first_pages(busy):
    reader = caller(busy, READ)
    for path, method in (("jobs", "jobs.list"), ("checkpoints", "checkpoint.list"),
                         ("rejections", "rejections.list"), ("incidents", "incidents.list")):
        assert json.loads(reader.send("GET", f"/api/v1/{path}")[2]) == busy.rpc(method)
    status = json.loads(reader.send("GET", "/api/v1/status")[2])
    assert status["tip"] == busy.status()["tip"] and status["state"] == "following"
    first = json.loads(reader.send("GET", "/api/v1/jobs?limit=1")[2])
    assert [j["job_id"] for j in first["jobs"]] == ["job-2"]
    second = json.loads(reader.send("GET", f"/api/v1/jobs?limit=1&cursor={first['next']}")[2])
    assert [j["job_id"] for j in second["jobs"]] == ["job-1"] and second["next"] is None
    failed = json.loads(reader.send("GET", "/api/v1/jobs?state=failed")[2])
    assert [j["job_id"] for j in failed["jobs"]] == ["job-1"]


def test_what_has_not_changed_is_not_sent_again(busy):
    reader = caller(busy, READ)
    for path in ("/api/v1/checkpoints", "/api/v1/rejections", "/openapi.yaml"):
        status, headers, text = reader.send("GET", path)
        tag = headers["ETag"]
        assert status == 200 and re.fullmatch('"[0-9a-f]{32}"', tag)
        assert tag == f'"{hashlib.sha256(text).hexdigest()[:32]}"'
        assert headers["Cache-Control"] == "no-cache"
        for known in (tag, f'"x", W/{tag}', "*"):
            same = reader.send("GET", path, If_None_Match=known)
            assert (same[0], same[2]) == (304, b"")
            assert same[1]["ETag"] == tag and same[1]["Cache-Control"] == "no-cache"
        other = reader.send("GET", path, If_None_Match='"x"')
        assert (other[0], other[2]) == (200, text)
        assert reader.send("HEAD", path)[1]["ETag"] == tag
    before = reader.send("GET", "/api/v1/rejections")[1]["ETag"]
    busy.rebootstrap(payload={})
    after = reader.send("GET", "/api/v1/rejections", If_None_Match=before)
    assert after[0] == 200 and len(json.loads(after[2])["rejections"]) == 2


# --- the audit log out of the daemon ---


def chain_of(lines):
    """(entries, head) of an export, by nothing but its lines; AssertionError where it breaks."""
    prev = bytes(32)
    for number, line in enumerate(lines, 1):
        entry = json.loads(line)
        assert list(entry) == ["seq", "at", "kind", "body", "prev", "hash"]
        assert entry["seq"] == number and entry["prev"] == prev.hex()
        seconds = calendar.timegm(time.strptime(entry["at"][:19], "%Y-%m-%dT%H:%M:%S"))
        ms = seconds * 1000 + int(entry["at"][20:23])
        body = re.fullmatch(r'.*?"body":(.*),"prev":"[0-9a-f]{64}","hash":"[0-9a-f]{64}"}',
                            line, re.S)[1]
        assert json.loads(body) == entry["body"]
        text = (b"cairn-audit-v1\0" + prev + number.to_bytes(8, "big") + ms.to_bytes(8, "big")
                + entry["kind"].encode() + b"\0" + body.encode())
        prev = hashlib.sha256(text).digest()
        assert entry["hash"] == prev.hex(), number
    return len(lines), prev.hex()


@pytest.mark.tsan
def test_an_export_can_be_checked_with_nothing_else(busy):
    for _ in range(30):
        busy.sync(payload={})
    told = busy.rpc("audit.export")
    status, headers, text = caller(busy, READ).send("GET", told["url"])
    lines = text.decode().splitlines()
    assert status == 200 and headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines] == busy.rpc("audit.list", limit=1000)["entries"]
    check = busy.rpc("audit.verify")
    assert chain_of(lines) == (told["entries"], check["head"])
    assert told["entries"] == check["entries"] > 60
    altered = [line.replace('"actor":"cookie"', '"actor":"deploy"') for line in lines]
    assert altered != lines
    with pytest.raises(AssertionError):
        chain_of(altered)
    with pytest.raises(AssertionError):
        chain_of(lines[:5] + lines[6:])
    head = caller(busy, READ).send("HEAD", told["url"])
    assert head[0] == 200 and head[2] == b""
    refusal(caller(busy, "x").send("GET", told["url"]), 401, -32001, "unauthorized")


def test_the_head_is_signed_by_the_nodes_key(node):
    n = node()
    empty = n.rpc("audit.head")
    assert (empty["entries"], empty["head"]) == (0, "0" * 64)
    n.sync(payload={})
    signed = n.rpc("audit.head")
    check = n.rpc("audit.verify")
    assert (signed["entries"], signed["head"]) == (check["entries"], check["head"])
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed["public_key"]))

    def message(entries):
        return (b"cairn-audit-head-v1\0" + entries.to_bytes(8, "big")
                + signed["signed_at_ms"].to_bytes(8, "big") + bytes.fromhex(signed["head"]))

    key.verify(bytes.fromhex(signed["signature"]), message(signed["entries"]))
    with pytest.raises(InvalidSignature):
        key.verify(bytes.fromhex(signed["signature"]), message(signed["entries"] - 1))
    n.restart()
    assert n.rpc("audit.head")["public_key"] == signed["public_key"]


# --- the new reads ---


def test_headers_come_upwards_and_link(busy, chain):
    everything = busy.rpc("chain.headers", **{"from": 201, "count": 2000})
    hashes = [h["block_hash"] for h in everything["headers"]]
    assert hashes == [block["hash"] for block in chain[201:]]
    assert everything["next"] is None
    for below, above in zip(everything["headers"], everything["headers"][1:]):
        assert above["previous_hash"] == below["block_hash"]
    found, at = [], 201
    while at is not None:
        page = busy.rpc("chain.headers", **{"from": at, "count": 7})
        found += page["headers"]
        at = page["next"]
    assert found == everything["headers"]
    with pytest.raises(RpcError) as above:
        busy.rpc("chain.headers", **{"from": chain.tip["index"] + 1})
    assert above.value.code == -32003


def test_generations_policy_and_counts(busy):
    live, failed = busy.rpc("generations.list")["generations"]
    assert failed["state"] == "failed" and failed["height"] is None
    (checkpoint,) = busy.rpc("checkpoint.list")["checkpoints"]
    assert live["state"] == "live" and live["activated_at"] >= live["created_at"]
    for same in ("generation", "height", "block_hash", "state_root", "checkpoint_id"):
        assert live[same] == checkpoint[same], same
    policy = busy.rpc("policy.get")
    for key in ("quorum", "min_peers", "threshold", "min_confirmations", "min_delta",
                "trusted_pubkeys"):
        assert policy[key] == busy.config["checkpoint"][key], key
    source = busy.rpc("rejections.list")["rejections"][0]["source"]
    assert busy.rpc("rejections.stats") == {
        "by_reason": [{"reason": "bad_signature", "count": 1}],
        "by_source": [{"source": source, "count": 1}], "total": 1}
    later = busy.rpc("rejections.stats", since="2999-01-01T00:00:00.000Z")
    assert later == {"by_reason": [], "by_source": [], "total": 0}
    busy.rebootstrap(payload={})
    wait_until(lambda: busy.rpc("rejections.stats")["total"] == 2, "the refusal counted")

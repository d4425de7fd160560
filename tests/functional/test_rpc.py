"""The control plane as its clients see it: scenarios 64 to 67, and every method's contract."""

import contextlib
import http.client
import json
import socket
import stat
import threading
import time

import pytest
import shape
import statements
import xai
import yaml
from node import REPO, RpcError, wait_until


class Caller:
    """One connection that sends just what it is told to."""

    def __init__(self, node):
        self.node = node
        self.headers = {"Authorization": f"Bearer {node.token}",
                        "Content-Type": "application/json"}
        host, _, port = node.address.rpartition(":")
        self.connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=60)

    def send(self, method, path, body=None, without=(), **headers):
        """(status, headers, body)"""
        all_headers = {k: v for k, v in self.headers.items() if k not in without}
        all_headers.update({k.replace("_", "-"): v for k, v in headers.items()})
        self.connection.request(method, path, body, all_headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def post(self, body, **headers):
        """The parsed answer to a body as it stands; None when there is none."""
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        status, _, text = self.send("POST", "/rpc", body, **headers)
        assert status == (200 if text else 204)
        return json.loads(text) if text else None

    def call(self, method, params=None, **more):
        call = {"jsonrpc": "2.0", "id": 1, "method": method, **more}
        return self.post(call if params is None else {**call, "params": params})


@pytest.fixture
def lone(node):
    """A node without peers."""
    return node()


@pytest.fixture
def caller(lone):
    return Caller(lone)


def refusal(answer, status, code, reason):
    """This HTTP answer refuses so, in the shape of a JSON-RPC error."""
    got, headers, text = answer
    body = json.loads(text)
    assert got == status, body
    assert headers["Content-Type"] == "application/json"
    assert set(body) == {"jsonrpc", "id", "error"}
    assert body["id"] is None
    assert body["error"]["code"] == code
    assert body["error"]["data"]["reason"] == reason
    assert body["error"]["data"]["hint"]
    return headers


def error(answer, code, reason=None, id=1):
    assert set(answer) == {"jsonrpc", "id", "error"}, answer
    assert answer["id"] == id
    assert answer["error"]["code"] == code, answer
    assert set(answer["error"]["data"]) == {"reason", "stage", "detail", "retryable", "hint"}
    if reason:
        assert answer["error"]["data"]["reason"] == reason
    return answer["error"]["data"]


# --- who may call ---


def test_64_no_token_or_another_is_no_token(lone, caller):
    status = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sync.status"})
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer " + "0" * 64},
                    {"Authorization": "Basic " + lone.token},
                    {"Authorization": f"Bearer {lone.token}0"},
                    {"Authorization": f"Bearer {lone.token[:-1]}"}):
        answer = caller.send("POST", "/rpc", status, without=["Authorization"], **headers)
        assert refusal(answer, 401, -32001, "unauthorized")["WWW-Authenticate"] == "Bearer"
    for path in ("/readyz", "/metrics", "/nothing"):
        refusal(caller.send("GET", path, without=["Authorization"]), 401, -32001,
                "unauthorized")
    assert caller.send("GET", "/healthz", without=["Authorization"])[0] == 200


def test_64_the_cookie_is_private_and_new_at_each_start(lone):
    cookie = lone.data_dir / "rpc.cookie"
    first = cookie.read_text()
    assert stat.S_IMODE(cookie.stat().st_mode) == 0o600
    assert len(first) == 65 and first[64] == "\n"
    assert set(first[:64]) <= set("0123456789abcdef")
    lone.stop()
    assert not cookie.exists()
    lone.start()
    assert cookie.read_text() != first
    assert stat.S_IMODE(cookie.stat().st_mode) == 0o600
    expired = Caller(lone).send("GET", "/readyz", Authorization=f"Bearer {first.strip()}")
    refusal(expired, 401, -32001, "unauthorized")


def test_65_foreign_hosts_and_origins_are_refused(lone, caller):
    for host in ("evil.example", "evil.example:8645", "10.0.0.1", "localhost.evil.example",
                 "127.0.0.1.evil.example", ""):
        refusal(caller.send("POST", "/rpc", "{}", Host=host), 403, -32002, "forbidden_host")
        refusal(caller.send("GET", "/healthz", Host=host), 403, -32002, "forbidden_host")
    for host in ("localhost", "LOCALHOST:1", "127.8.7.6:80", "[::1]:8645"):
        assert caller.send("GET", "/readyz", Host=host)[0] == 503
    for origin in ("http://evil.example", "null", "https://" + lone.address,
                   "http://localhost:1"):
        refusal(caller.send("POST", "/rpc", "{}", Origin=origin), 403, -32002,
                "forbidden_origin")
    own = caller.send("GET", "/readyz", Origin="http://" + lone.address)
    assert own[0] == 503
    assert "Access-Control-Allow-Origin" not in own[1]


# --- HTTP ---


def test_paths_verbs_and_types(caller):
    for path in ("/", "/rpc/", "/RPC", "/nothing", "/rpc.cookie", "/../rpc"):
        refusal(caller.send("POST", path, "{}"), 404, -32003, "not_found")
    for verb in ("GET", "PUT", "DELETE", "OPTIONS"):
        assert refusal(caller.send(verb, "/rpc"), 405, -32600,
                       "method_not_allowed")["Allow"] == "POST"
    assert refusal(caller.send("POST", "/metrics", "{}"), 405, -32600,
                   "method_not_allowed")["Allow"] == "GET, HEAD"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx"):
        refusal(caller.send("POST", "/rpc", "{}", Content_Type=kind), 415, -32600,
                "unsupported_media_type")
    refusal(caller.send("POST", "/rpc", "{}", without=["Content-Type"]), 415, -32600,
            "unsupported_media_type")
    assert caller.call("sync.status", Content_Type="application/json; charset=utf-8")


def raw(node, text, read=True):
    host, _, port = node.address.rpartition(":")
    s = socket.create_connection((host, int(port)), timeout=30)
    s.sendall(text.encode())
    if not read:
        return s
    with s:
        return b"".join(iter(lambda: s.recv(65536), b""))


def test_66_a_body_is_refused_before_it_is_sent(lone):
    head = "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    token = f"Authorization: Bearer {lone.token}\r\n"
    too_large = raw(lone, f"{head}{token}Content-Length: 67108865\r\n\r\n")
    assert too_large.startswith(b"HTTP/1.1 413 ")
    huge = raw(lone, f"{head}{token}Content-Length: 99999999999999999999\r\n\r\n")
    assert huge.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))
    nobody = raw(lone, f"{head}Content-Length: 67108864\r\n\r\n")
    assert nobody.startswith(b"HTTP/1.1 401 ")
    chunked = raw(lone, f"{head}{token}Transfer-Encoding: chunked\r\n\r\n")
    assert chunked.startswith(b"HTTP/1.1 411 ")


def test_66_slow_and_half_open_connections_hold_nobody_up(lone):
    head = (f"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {lone.token}\r\nContent-Length: 1000\r\n\r\n{{")
    with contextlib.ExitStack() as open_ones:
        for text in [""] * 15 + ["POST /rpc HT"] * 15 + [head] * 15:
            open_ones.enter_context(raw(lone, text, read=False))
        for _ in range(20):
            assert lone.status()["state"]


def test_healthz_readyz_metrics(lone, caller):
    status, headers, text = caller.send("GET", "/healthz")
    assert (status, json.loads(text)) == (200, {"ok": True})
    assert headers["Cache-Control"] == "no-store"
    status, _, text = caller.send("GET", "/readyz")
    ready = json.loads(text)
    assert status == 503
    assert set(ready) == {"ready", "state", "why"}
    assert ready["ready"] is False and ready["why"]

    def metric(name):
        status, headers, text = caller.send("GET", "/metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return next(float(line.split()[1]) for line in text.decode().splitlines()
                    if line.startswith(name + " "))

    names = ("cairn_rpc_requests_total", "cairn_rpc_errors_total", "cairn_http_refused_total")
    before = [metric(name) for name in names]
    caller.call("sync.status")
    caller.call("no.such")
    caller.send("GET", "/nothing")
    assert [metric(name) for name in names] == [before[0] + 2, before[1] + 1, before[2] + 1]


# --- JSON-RPC ---


def test_66_what_is_no_request_has_its_code(caller):
    deep = '{"jsonrpc":"2.0","id":1,"method":"sync.status","params":' + "[" * 100_000
    for body in ("", "{", '{"jsonrpc":"2.0","id":1,"method":"sync.status",}', deep,
                 '{"a":01}', "nonsense", b'{"jsonrpc":"2.0","id":"\xff"}', '{"a":"\\ud800"}',
                 '{"a":"\\u0000"}', "{} {}", b"\xef\xbb\xbf{}"):
        error(caller.post(body), -32700, "parse_error", id=None)
    for body in ("1", "[]", "null", '"sync.status"', "{}", [1],
                 {"jsonrpc": "1.0", "method": "sync.status"},
                 {"jsonrpc": "2.0", "method": 5}, {"jsonrpc": "2.0", "id": [], "method": "x"}):
        answer = caller.post(body)
        answer = answer[0] if isinstance(answer, list) else answer
        error(answer, -32600, "invalid_request", id=None)
    twice = '{"jsonrpc":"2.0","id":1,"method":"sync.status","method":"daemon.stop"}'
    error(caller.post(twice), -32600, "invalid_request")
    error(caller.call("sync.statu"), -32601, "method_not_found")
    error(caller.call("sync.status", [1]), -32602, "invalid")


def test_ids_come_back(caller):
    for id in ("1", "-7", "1.50", "12345678901234567890", '"a\\u20ac"', "null"):
        body = f'{{"jsonrpc":"2.0","id":{id},"method":"sync.status"}}'
        _, _, text = caller.send("POST", "/rpc", body)
        assert text.decode().endswith(f',"id":{id}}}')


def test_batches_and_notifications(lone, caller):
    call = {"jsonrpc": "2.0", "method": "sync.status"}
    answers = caller.post([{**call, "id": "a"}, call, {**call, "id": 2, "method": "x"}, 7])
    assert [a["id"] for a in answers] == ["a", 2, None]
    assert answers[0]["result"]["state"]
    error(answers[1], -32601, "method_not_found", id=2)
    error(answers[2], -32600, "invalid_request", id=None)
    assert caller.post(call) is None
    assert caller.post([call, call]) is None
    assert caller.post({**call, "method": "no.such"}) is None
    assert len(caller.post([{**call, "id": i} for i in range(100)])) == 100
    error(caller.post([{**call, "id": i} for i in range(101)]), -32600, id=None)
    error(caller.post([{**call, "id": 0}] * 10_000), -32600, id=None)
    (wait,) = caller.post([{"jsonrpc": "2.0", "id": 1, "method": "sync.wait",
                            "params": {"job_id": "job-1"}}])
    assert "alone" in error(wait, -32602)["detail"]


# --- the contract ---


def test_the_document_is_the_one_in_the_tree(lone):
    document = json.loads((REPO / "openapi" / "openrpc.json").read_text())
    assert lone.rpc("rpc.discover") == document
    paths = yaml.safe_load((REPO / "openapi" / "openapi.yaml").read_text())
    assert set(paths["paths"]) == {
        "/rpc", "/healthz", "/readyz", "/metrics", "/openapi.yaml", "/api/v1/audit.ndjson",
        "/api/v1/status", "/api/v1/jobs", "/api/v1/checkpoints", "/api/v1/rejections",
        "/api/v1/peers", "/api/v1/incidents"}
    named = paths["components"]["schemas"]["Request"]["properties"]["method"]["enum"]
    assert named == [m["name"] for m in document["methods"]]


def wrong_values(schema):
    """Values that a parameter of this schema must refuse."""
    samples = {"null": None, "boolean": True, "integer": 5, "string": "text", "array": [],
               "object": {}}
    yield from (v for kind, v in samples.items() if kind != schema["type"])
    if schema["type"] == "integer":
        yield from (schema["minimum"] - 1, schema["maximum"] + 1, 1.5, 1e300)
    if "minLength" in schema:
        yield from ("", "x" * (schema["maxLength"] + 1))
    if "pattern" in schema:
        yield from ("", "x", "job-", "g" * 64, "A" * 64, "0" * 65, "-1", "1" * 30)
    if "enum" in schema or "format" in schema:
        yield from ("", "nonsense", "2026-02-30T00:00:00.000Z")


def test_67_every_parameter_of_every_method_is_checked(lone, caller):
    seen = 0
    for method in lone.rpc("rpc.discover")["methods"]:
        good = {p["name"]: p["value"] for p in method["examples"][0]["params"]}
        data = error(caller.call(method["name"], {**good, "no_such_field": 1}), -32602)
        assert data["detail"] == "no_such_field: unknown field"
        for param in method["params"]:
            name = param["name"]
            if param["required"]:
                without = {k: v for k, v in good.items() if k != name}
                data = error(caller.call(method["name"], without), -32602, "invalid")
                assert data["detail"] == f"{name}: required"
            for value in wrong_values(param["schema"]):
                data = error(caller.call(method["name"], {**good, name: value}), -32602)
                assert data["detail"].startswith(f"{name}: "), (method["name"], value, data)
                assert data["detail"].endswith(" expected"), (method["name"], value, data)
                seen += 1
    assert seen > 300
    assert lone.rpc("jobs.list")["jobs"] == [], "nothing was started"


def test_the_examples_have_the_documented_shape(lone):
    document = lone.rpc("rpc.discover")
    for method in document["methods"]:
        for example in method["examples"]:
            if method["name"] == "rpc.discover":
                continue
            shape.check(example["result"]["value"], method["result"]["schema"], document,
                        method["name"])


def results(n, job_id):
    """A call of every method that changes nothing, by name."""
    tip = n.rpc("chain.tip")
    block = n.rpc("chain.block", height=tip["height"])["block"]
    txid = block["transactions"][0]["txid"]
    calls = {
        "sync.wait": {"job_id": job_id}, "jobs.get": {"job_id": job_id},
        "checkpoint.provenance": {"height": 200}, "chain.header": {"height": 201},
        "chain.block": {"hash": tip["block_hash"]}, "chain.coin": {"txid": txid, "vout": 0},
        "audit.list": {"limit": 1000}, "chain.headers": {"from": 201, "count": 5},
    }
    for name in ("sync.status", "jobs.list", "checkpoint.list", "audit.verify", "audit.head",
                 "audit.export", "rejections.list", "rejections.stats", "incidents.list",
                 "peers.list", "chain.tip", "chain.supply", "generations.list", "policy.get",
                 "policy.simulate", "signers.list", "roots.list", "attestations.list",
                 "daemon.info", "health.diagnose", "checkpoint.candidates", "snapshot.list"):
        calls[name] = {}
    return {name: n.rpc(name, **params) for name, params in calls.items()}


def changes_of_trust(n, chain, fits):
    """Calls all that change who is trusted; the node is halted then."""
    first = statements.signer_set(
        0, [statements.SignerKey(xai.fixture_keys()["checkpoint_signer"].secret)], 1)
    key = statements.SignerKey(xai.fixture_keys()["checkpoint_signer"].secret)
    certificate = statements.sign(statements.signer_set(1, [key], 1, first), key)
    other = xai.Key("other").compressed
    why = {"reason": "shape"}
    for name, params in (
        ("signers.add", {"key": other, **why}), ("signers.remove", {"key": other, **why}),
        ("signers.certificate", {"certificate": certificate}),
        ("signers.threshold", {"threshold": 1, **why}),
        ("roots.add", {"height": 100, "hash": chain[100]["hash"], **why}),
        ("roots.remove", {"height": 100, **why}),
        ("checkpoint.revoke", {"height": 200, "block_hash": chain[200]["hash"], **why}),
    ):
        fits(name, n.rpc(name, **params))
    for name in ("signers.list", "roots.list", "policy.simulate", "incidents.list"):
        fits(name, n.rpc(name))
    (incident,) = n.rpc("incidents.list")["incidents"]
    fits("incidents.resolve", n.rpc("incidents.resolve", incident=incident["id"],
                                    choice="keep", **why))


def test_every_result_has_the_documented_shape(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    document = n.rpc("rpc.discover")
    methods = {m["name"]: m for m in document["methods"]}

    checked = {"rpc.discover"}

    def fits(name, result):
        shape.check(result, methods[name]["result"]["schema"], document, name)
        checked.add(name)

    for name in ("sync.status", "jobs.list", "checkpoint.list", "rejections.list",
                 "rejections.stats", "audit.list", "audit.verify", "audit.head",
                 "audit.export", "incidents.list", "generations.list", "policy.get",
                 "daemon.info", "health.diagnose", "checkpoint.candidates"):
        fits(name, n.rpc(name))
    with pytest.raises(RpcError) as none:
        n.rpc("chain.tip")
    assert none.value.code == -32004 and "no state yet" in none.value.data["detail"]
    bad = {**payload, "signature": payload["signature"][:-1] + "0"}
    refused = n.sync(url=three[0].serve("/bad.json", bad))
    fits("sync.wait", refused)
    assert refused["state"] == "failed"
    job = n.sync(url=three[0].serve("/cp.json", payload))
    n.wait_tip(chain.tip["index"])
    n.wait_state("following")
    for name, result in results(n, job["job_id"]).items():
        fits(name, result)
    fits("checkpoint.evaluate", n.rpc("checkpoint.evaluate", payload=payload))
    again = n.rpc("sync.start", payload=payload, idempotency_key="k")
    fits("sync.start", again)
    n.wait_job(again["job_id"])
    rejection = n.rpc("rejections.list")["rejections"][-1]
    assert rejection["reason"] == refused["error"]["reason"]
    assert any(r["result"] == "fail" for r in rejection["rules"])
    wait_until(lambda: json.loads(n.http("/readyz")[1])["ready"], "ready")
    with Hanging() as url:
        started = n.rpc("sync.rebootstrap", url=url, reason="shape")
        fits("sync.rebootstrap", started)
        fits("sync.cancel", n.rpc("sync.cancel", **started))
    for name in ("peers.add", "peers.ban", "peers.unban", "peers.remove"):
        fits(name, n.rpc(name, peer="http://127.77.0.1:1"))
    changes_of_trust(n, chain, fits)
    fits("daemon.stop", n.rpc("daemon.stop"))
    assert n.reap() == 0
    checked.add("attestations.make")  # of a state from genesis: test_attestations.py
    checked |= {f"snapshot.{what}" for what in (  # test_snapshot_create.py, _publish.py,
        # test_snapshot_export.py, test_published.py
        "create", "get", "verify", "export", "delta", "merge", "withdraw", "delete", "publish",
        "unpublish")}
    assert checked == set(methods)


def test_blocks_are_served_as_the_chain_writes_them(node, peers, chain, payload):
    n = node(peers(3))
    n.sync(payload=payload)
    n.wait_tip(chain.tip["index"])
    for height in (201, 220, chain.tip["index"]):
        at_height = n.rpc("chain.block", height=height)
        assert at_height == n.rpc("chain.block", hash=chain[height]["hash"])
        assert at_height["active"] is True
        want = json.dumps(chain[height], sort_keys=True)
        assert json.dumps(at_height["block"], sort_keys=True) == want
        header = n.rpc("chain.header", hash=chain[height]["hash"])
        assert header["timestamp"] == chain[height]["timestamp"]
        assert header["previous_hash"] == chain[height - 1]["hash"]
        assert header["status"] == "valid" and header["active"] is True
    for params, words in (
        ({"height": 200}, "below the checkpoint: bodies are not kept"),
        ({"height": chain.tip["index"] + 1}, "above the tip"),
        ({"hash": "0" * 64}, "no block"),
    ):
        with pytest.raises(RpcError) as missing:
            n.rpc("chain.block", **params)
        assert missing.value.code == -32003
        assert words in missing.value.data["detail"]
    coin = n.rpc("chain.coin", txid="0" * 64, vout=0)
    assert coin["unspent"] is False and coin["amount"] is None


def test_pages_come_in_order_and_miss_nothing(node):
    n = node()
    for _ in range(5):
        n.sync(payload={})
    wanted = [f"job-{i}" for i in range(5, 0, -1)]
    assert [j["job_id"] for j in n.rpc("jobs.list")["jobs"]] == wanted
    found, cursor = [], {}
    while cursor is not None:
        page = n.rpc("jobs.list", limit=2, state="failed", **cursor)
        found += [j["job_id"] for j in page["jobs"]]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert found == wanted
    assert n.rpc("jobs.list", state="succeeded") == {"jobs": [], "next": None}
    with pytest.raises(RpcError) as missing:
        n.rpc("jobs.get", job_id="job-99")
    assert missing.value.code == -32003
    everything = n.rpc("audit.list", limit=1000)["entries"]
    found, after = [], 0
    while after is not None:
        page = n.rpc("audit.list", after=after, limit=3)
        found += page["entries"]
        after = page["next"]
    assert found == everything
    assert [e["seq"] for e in found] == list(range(1, len(found) + 1))


# --- waiting ---


def test_wait_answers_when_the_job_ends(node):
    n = node()
    job_id = n.rpc("sync.start", url="http://127.0.0.1:1/cp.json")["job_id"]
    started = time.monotonic()
    job = n.rpc("sync.wait", job_id=job_id, timeout_ms=60000)
    assert job["state"] == "failed"
    assert job["error"]["reason"] == "source_unreachable"
    assert time.monotonic() - started < 30
    assert n.rpc("sync.wait", job_id=job_id, timeout_ms=60000) == job


class Hanging:
    """A server that takes connections and never answers."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/cp.json"

    def __exit__(self, *_):
        self.socket.close()


def test_many_wait_and_status_is_answered(node):
    n = node()
    with Hanging() as url:
        job_id = n.rpc("sync.start", url=url)["job_id"]
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            n.rpc("sync.wait", job_id=job_id, timeout_ms=60000))) for _ in range(30)]
        for t in threads:
            t.start()
        begun = time.monotonic()
        short = n.rpc("sync.wait", job_id=job_id, timeout_ms=300)
        assert short["state"] in ("queued", "running")
        assert 0.3 <= time.monotonic() - begun < 10
        for _ in range(50):
            assert n.status()["job_id"] == job_id
        assert answers == []
        n.rpc("sync.cancel", job_id=job_id)
        for t in threads:
            t.join(30)
        assert [a["state"] for a in answers] == ["cancelled"] * 30


def test_stopping_answers_who_waits(node):
    n = node()
    with Hanging() as url:
        job_id = n.rpc("sync.start", url=url)["job_id"]
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(
            n.rpc("sync.wait", job_id=job_id, timeout_ms=600000)))
        waiting.start()
        Caller(n).call("sync.wait", {"job_id": job_id, "timeout_ms": 200})  # reached it too
        assert n.rpc("daemon.stop") == {"stopping": True}
        waiting.join(30)
        assert n.reap() == 0
        assert [a["job_id"] for a in answers] == [job_id]
        assert not (n.data_dir / "rpc.cookie").exists()

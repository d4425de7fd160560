"""The public plane: what other nodes read, in stock's shapes and in ours; what it is to
withstand."""

import contextlib
import gzip
import http.client
import json
import secrets
import shutil
import socket
import sqlite3
import subprocess
import threading
from pathlib import Path

import expect
import peerwire
import pytest
import statements
import xai
from node import wait_until

FIXTURES = Path(__file__).parent.parent / "data" / "http"
OPEN = {"public": {"listen": "127.0.0.1:0"}}
HEADER_KEYS = ("difficulty", "hash", "index", "merkle_root", "miner_pubkey", "nonce",
               "previous_hash", "signature", "timestamp", "version")


def fixture(number):
    (path,) = FIXTURES.glob(f"{number:02}_*.body")
    return json.loads(path.read_bytes())


def header_of(block):
    return {k: block[k] for k in HEADER_KEYS}


class Public:
    """The public plane of a node."""

    def __init__(self, node):
        self.address = node.public_address

    def get(self, path, **how):
        return peerwire.get(self.address, path, **how)

    def json(self, path, status=200):
        got, headers, body = self.get(path)
        assert got == status, (path, got, body[:200])
        assert headers["content-type"] == "application/json"
        assert body.endswith(b"\n")
        return json.loads(body)

    def signed(self, what):
        nonce = secrets.token_hex(32)
        status, _, body = self.get(f"/peer/v1/{what}?nonce={nonce}")
        assert status == 200, body
        return peerwire.read_signed(what, body, nonce)


def unzstd(data):
    assert shutil.which("zstd"), "the zstd program"
    return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


@pytest.fixture
def whole(node, peers):
    """A node that has validated everything, to 240, and serves it."""
    n = node(peers(1), OPEN)
    assert n.sync(mode="full")["state"] == "succeeded"
    return n


@pytest.fixture
def mounted(node, peers, payload, chain):
    """A node on the checkpoint at 200, followed to 240."""
    three = peers(3)
    n = node(three, OPEN)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    return n


def same_kinds(ours, stocks, where=""):
    """The same members everywhere, of the same kinds; 12 and 12.0 are two."""
    assert type(ours) is type(stocks), (where, ours, stocks)
    if isinstance(ours, dict):
        assert sorted(ours) == sorted(stocks), where
        for key in ours:
            same_kinds(ours[key], stocks[key], f"{where}.{key}")


def test_stock_paths_have_stocks_shapes(whole, chain):
    p = Public(whole)
    same_kinds(p.json("/stats"), fixture(2))
    assert p.json("/stats")["chain_height"] == 241
    assert p.json("/stats")["latest_block_hash"] == chain[240]["hash"]
    assert p.json("/stats")["difficulty"] == chain[240]["difficulty"]
    for path, number in (("/blocks?limit=1&offset=0", 3), ("/blocks?limit=3&offset=2", 4),
                         ("/blocks/0", 8), ("/blocks/5", 9)):
        ours, stocks = p.json(path), fixture(number)
        assert sorted(ours) == sorted(stocks), path
        if "limit" in path:
            assert [b["index"] for b in ours["blocks"]] == [
                240 - ours["offset"] - i for i in range(ours["limit"])]
            assert (ours["total"], len(ours["blocks"])) == (241, len(stocks["blocks"]))
            assert all(sorted(b) == sorted(stocks["blocks"][0]) for b in ours["blocks"])
    for path, number in (("/block/latest", 13), ("/block/latest?summary=1", 14)):
        ours, stocks = p.json(path), fixture(number)
        assert sorted(ours) == sorted(stocks) and sorted(ours["summary"]) == sorted(stocks["summary"])
        assert (ours["block_number"], ours["hash"]) == (240, chain[240]["hash"])
        assert ours["summary"]["transactions"] == len(chain[240]["transactions"])
        assert ours["timestamp"] == ours["summary"]["timestamp"] == chain[240]["timestamp"]
    assert p.json("/block/latest")["block"] == chain[240]
    wait_until(lambda: p.get("/health")[0] == 200, "peers that answered")
    health = p.json("/health", 200)
    assert health.pop("blockchain")["height"] == 241
    stocks = fixture(1)
    assert sorted(health) == sorted(set(stocks) - {"blockchain", "error"})
    assert p.json("/stats")["peers"] == health["network"]["peers"] == len(whole.config["peers"])
    assert sorted(p.json("/peers")) == sorted(fixture(38))
    assert p.json("/peers")["peers"] == [], "they are of the loopback network"


def test_blocks_are_served_as_they_came(whole, chain):
    p = Public(whole)
    for height in (0, 1, 13, 150, 240):
        status, headers, body = p.get(f"/blocks/{height}")
        assert status == 200 and body == xai.canon(chain[height]) + b"\n"
        assert headers["etag"] == f'"{chain[height]["hash"]}"'
        again = p.get(f"/blocks/{height}", headers={"If-None-Match": headers["etag"]})
        assert again[0] == 304 and again[2] == b""
    block = chain[5]
    for name in (block["hash"], "0x" + block["hash"].upper(), block["hash"].upper()):
        assert p.json(f"/block/{name}") == block
    assert "immutable" in p.get(f"/block/{block['hash']}")[1]["cache-control"]
    status, headers, body = p.get("/blocks/5", method="HEAD")
    assert status == 200 and body == b""
    assert int(headers["content-length"]) == len(xai.canon(block)) + 1


def test_answers_are_packed_as_the_client_likes(whole, chain):
    p = Public(whole)
    plain = xai.canon(chain[13]) + b"\n"
    for accepts, name, unpack in (("gzip, deflate", "gzip", gzip.decompress),
                                  ("gzip, zstd;q=0.5", "zstd", unzstd),
                                  ("gzip;q=0", None, bytes), ("br", None, bytes)):
        _, headers, body = p.get("/blocks/13", headers={"Accept-Encoding": accepts})
        assert headers.get("content-encoding") == name and unpack(body) == plain
        assert (len(body) < len(plain)) == bool(name)
        assert headers["etag"] == ("W/" if name else "") + f'"{chain[13]["hash"]}"'
        assert headers["vary"] == "Accept-Encoding"


def test_stocks_errors(whole):
    p = Public(whole)
    for path, status, number in (
            ("/blocks?limit=201&offset=0", 400, 5), ("/blocks?limit=0", 400, 6),
            ("/blocks/999999", 404, 10), ("/blocks/-1", 404, 11), ("/blocks/abc", 400, 12),
            ("/block/zz", 400, 17), ("/block/" + "0" * 64, 404, 18),
            ("/sync/snapshot/latest", 503, 24), ("/sync/snapshots", 503, 25),
            ("/sync/snapshot/height_10_x", 503, 26)):
        assert p.json(path, status) == fixture(number), path
    assert len(p.json("/blocks?limit=x")["blocks"]) == 10


def test_absurd_parameters(whole):
    p = Public(whole)
    nonce = "ab" * 32
    for absurd in ("", "0", "-1", "9223372036854775808", "18446744073709551616", "1" + "0" * 30,
                   "1e3", "0x10", "%00", "1%002", "nan", "9" * 400):
        for path in (f"/blocks?limit={absurd}", f"/blocks?offset={absurd}",
                     f"/blocks/{absurd}", f"/block/{absurd}",
                     f"/peer/v1/headers?from={absurd}&count=1",
                     f"/peer/v1/headers?from=0&count={absurd}",
                     f"/peer/v1/headers?from=0&count=1&form={absurd}",
                     f"/peer/v1/blocks?from={absurd}&count=1",
                     f"/peer/v1/blocks?from=1&count={absurd}",
                     f"/peer/v1/hello?nonce={absurd}"):
            assert p.get(path)[0] in (200, 400, 404), path
    assert p.json("/blocks?limit=5&offset=9223372036854775807")["blocks"] == []
    assert p.json("/blocks?limit=-1", 400)["code"] == "invalid_pagination"
    assert p.json("/blocks?offset=-1", 400)["code"] == "invalid_pagination"
    assert p.get("/peer/v1/headers?from=9223372036854775807&count=10000")[2] == b""
    assert p.get("/peer/v1/blocks?from=241&count=1000")[2] == b""
    for path in ("/peer/v1/headers?from=0&count=10001", "/peer/v1/headers?count=1",
                 "/peer/v1/blocks?from=0&count=1001", "/peer/v1/hello",
                 f"/peer/v1/hello?nonce={nonce.upper()}", "/peer/v1/checkpoints"):
        assert sorted(p.json(path, 400)) == ["error"], path


def test_hello_says_who_and_what(whole, mounted, chain):
    for n, blocks_from in ((whole, 0), (mounted, 201)):
        hello = Public(n).signed("hello")
        assert hello["identity"] == n.rpc("audit.head")["public_key"]
        assert (hello["network"], hello["genesis"]) == ("testnet", chain[0]["hash"])
        assert (hello["headers_from"], hello["blocks_from"]) == (0, blocks_from)
        assert hello["tip"]["height"] == 240 and hello["tip"]["hash"] == chain[240]["hash"]
        assert hello["tip"]["work"] == n.rpc("chain.tip")["work"]
        assert hello["software"].startswith("cairn/")


def test_checkpoints_are_told_and_signed(mounted, payload, chain):
    p = Public(mounted)
    (ours,) = p.signed("checkpoints")["checkpoints"]
    known = mounted.rpc("checkpoint.list")["checkpoints"][0]
    assert (ours["height"], ours["block_hash"]) == (200, chain[200]["hash"])
    assert ours["state_hash"] == payload["state_hash"]
    assert ours["state_root"] == known["state_root"]
    assert ours["source"].endswith("/cp.json") and ours["trust"] == known["trust"]
    assert ours["signatures"] == [{"alg": "secp256k1", "pubkey": payload["pubkey"],
                                   "signature": payload["signature"]}]
    assert ours["work_proven"] is True
    assert ours["payload"] == f"/peer/v1/payload/{chain[200]['hash']}"
    assert ours["attestations"] == []
    assert p.signed("revocations")["revocations"] == []


def kept(n):
    """The payload that a node keeps: its bytes, as they were taken."""
    (file,) = n.data_dir.glob("generations/*/payload.json")
    return file.read_bytes()


def test_the_payload_is_served(mounted, payload, chain):
    p = Public(mounted)
    path = f"/peer/v1/payload/{chain[200]['hash']}"
    status, headers, body = p.get(path, headers={"Accept-Encoding": "zstd, gzip"})
    assert (status, body) == (200, kept(mounted)) and json.loads(body) == payload
    assert headers["content-type"] == "application/json"
    assert headers["etag"] == f'"{payload["state_hash"]}"'
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["accept-ranges"] == "bytes"
    assert "content-encoding" not in headers and "content-range" not in headers
    for more in ({}, {"Range": "bytes=1-2"}):  # a range is a GET's
        status, heads, nothing = p.get(path, method="HEAD", headers=more)
        assert (status, nothing) == (200, b"")
        assert int(heads["content-length"]) == len(body) and heads["etag"] == headers["etag"]
    status, heads, nothing = p.get(path, headers={"If-None-Match": headers["etag"]})
    assert (status, nothing) == (304, b"") and heads["etag"] == headers["etag"]
    for other in (chain[199]["hash"], chain[200]["hash"].upper(), "0" * 64, "", "x",
                  chain[200]["hash"] + "/", "..%2f..%2fcontrol.db"):
        assert p.json(f"/peer/v1/payload/{other}", 404) == {"error": "Not kept"}, other
    assert p.get(path, method="POST", body=b"x")[0] == 405


def test_parts_of_the_payload_byte_for_byte(mounted, payload, chain):
    p = Public(mounted)
    path = f"/peer/v1/payload/{chain[200]['hash']}"
    whole, size = kept(mounted), len(kept(mounted))
    assert size > 3 * 65536
    tag = f'"{payload["state_hash"]}"'
    for text, first, end in (("0-0", 0, 1), ("5-70000", 5, 70001), ("65536-", 65536, size),
                             ("-1", size - 1, size), (f"{size - 1}-", size - 1, size),
                             (f"100-{size + 9}", 100, size), (f"-{size + 1}", 0, size)):
        for more in ({}, {"If-Range": tag}, {"Accept-Encoding": "zstd"}):
            status, headers, body = p.get(path, headers={"Range": f"bytes={text}", **more})
            assert (status, body) == (206, whole[first:end]), text
            assert headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
            assert headers["etag"] == tag and "content-encoding" not in headers
    for text in (f"{size}-", f"{size}-{size}", "-0"):
        status, headers, body = p.get(path, headers={"Range": f"bytes={text}"})
        assert (status, headers["content-range"]) == (416, f"bytes */{size}")
        assert headers["cache-control"] == "no-store" and "etag" not in headers
        assert json.loads(body) == {"error": "Range not satisfiable"}
    for more in ({"Range": "bytes=0-1,5-6"}, {"Range": "bytes=2-1"}, {"Range": "lines=0-1"},
                 {"Range": "bytes=0-1", "If-Range": '"other"'},
                 {"Range": f"bytes={size}-", "If-Range": f"W/{tag}"}):
        assert p.get(path, headers=more)[::2] == (200, whole), more


def test_who_keeps_no_payload_says_so(whole, chain):
    p = Public(whole)
    assert p.json(f"/peer/v1/payload/{chain[200]['hash']}", 404) == {"error": "Not kept"}
    assert p.json(f"/peer/v1/payload/{chain[0]['hash']}", 404) == {"error": "Not kept"}


def test_the_payload_is_paid_for_as_it_is_sent(node, peers, payload, chain):
    three = peers(3)
    n = node(three, {"public": {"listen": "127.0.0.1:0", "bytes_per_second": 2000}})
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    p = Public(n)
    path = f"/peer/v1/payload/{chain[200]['hash']}"
    for _ in range(20):  # what is not sent costs nothing
        assert p.get(path, method="HEAD")[0] == 200
        assert p.get(path, headers={"Range": "bytes=0-99"})[0] == 206
    status, _, body = p.get(path)
    assert (status, body) == (200, kept(n))  # 239 kB: more than five seconds' worth
    status, headers, _ = p.get(path, headers={"Range": "bytes=0-0"})
    assert status == 429 and 5 <= int(headers["retry-after"]) <= 120


@pytest.mark.tsan
def test_payloads_under_way_are_counted(mounted, payload, chain):
    """Open files that nobody reads are as many as the bound, and given back."""
    p = Public(mounted)
    host, port = p.address.rsplit(":", 1)
    path = f"/peer/v1/payload/{chain[200]['hash']}"
    files = mounted.data_dir.glob("generations/*/payload.json")
    for file in files:
        with file.open("ab") as f:  # so long that it does not fit into sockets' buffers
            f.write(b" " * (64 << 20))
    slow = []
    try:
        for i in range(26):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect((host, int(port)))
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            slow.append(s)
            assert s.recv(12) == (b"HTTP/1.1 200" if i < 24 else b"HTTP/1.1 429"), i
    finally:
        for s in slow:
            s.close()
    wait_until(lambda: p.get(path, headers={"Range": "bytes=0-9"})[0] == 206,
               "room for one more")


def test_signed_documents_are_told(mounted, chain):
    signer, one, two = statements.SignerKey("a signer"), *map(statements.NodeKey, ("one", "two"))
    withdrawn = [statements.sign(statements.revocation(150 + i, chain[150 + i]["hash"], "w\u00e9"),
                                 signer) for i in range(2)]
    heard = [statements.sign(statements.attestation(200, chain[200]["hash"], root), key)
             for root, key in (("5a" * 32, one), ("5b" * 32, two))]
    mounted.stop()
    with contextlib.closing(sqlite3.connect(mounted.data_dir / "control.db")) as db, db:
        for d in withdrawn:
            db.execute("INSERT INTO revocation(height, block_hash, reason, source, document, at_ms)"
                       " VALUES(?, ?, ?, 'http://p', ?, 1)",
                       (d["height"], bytes.fromhex(d["block_hash"]), d["reason"],
                        statements.text(d)))
        for d in heard:
            db.execute("INSERT INTO attestation(height, block_hash, state_root, key, own, source,"
                       " document, at_ms) VALUES(?, ?, ?, ?, 0, 'http://p', ?, 1)",
                       (d["height"], bytes.fromhex(d["block_hash"]),
                        bytes.fromhex(d["state_root"]), "ed25519:" + d["signatures"][0]["key"],
                        statements.text(d)))
    mounted.start()
    mounted.rpc("checkpoint.revoke", height=100, block_hash=chain[100]["hash"],
                reason="the operator's, unsigned")
    p = Public(mounted)
    assert p.signed("revocations")["revocations"] == withdrawn[::-1]
    (ours,) = p.signed("checkpoints")["checkpoints"]
    assert ours["attestations"] == heard[::-1]


def test_headers_alone(whole, mounted, chain):
    for n in (whole, mounted):
        p = Public(n)
        status, headers, body = p.get("/peer/v1/headers?from=0&count=10000")
        assert status == 200 and headers["content-type"] == "application/x-ndjson"
        assert [json.loads(line) for line in body.splitlines()] == [header_of(b) for b in chain]
        for start, count in ((0, 10000), (7, 3), (240, 5), (241, 5)):
            _, _, body = p.get(f"/peer/v1/headers?from={start}&count={count}&form=compact")
            got = peerwire.read_compact(body, start)
            assert got == [header_of(b) for b in chain[start:start + count]]
        _, headers, body = p.get("/peer/v1/headers?from=5&count=9",
                                 headers={"Accept-Encoding": "zstd"})
        assert headers["content-encoding"] == "zstd"
        assert [json.loads(line)["index"] for line in unzstd(body).splitlines()] == [*range(5, 14)]


def test_blocks_in_batches(whole, mounted, chain):
    _, _, body = Public(whole).get("/peer/v1/blocks?from=0&count=1000")
    assert body == b"".join(xai.canon(b) + b"\n" for b in chain)
    _, headers, body = Public(whole).get("/peer/v1/blocks?from=30&count=2",
                                         headers={"Accept-Encoding": "zstd"})
    assert unzstd(body) == xai.canon(chain[30]) + b"\n" + xai.canon(chain[31]) + b"\n"
    p = Public(mounted)
    assert p.get("/peer/v1/blocks?from=200&count=5")[2] == b""
    assert p.get("/peer/v1/blocks?from=201&count=1")[2] == xai.canon(chain[201]) + b"\n"
    assert p.json("/blocks/200", 404) == {"error": "Block not found"}
    page = p.json("/blocks?limit=2&offset=39")["blocks"]  # one above, one below the base
    assert page == [chain[201], header_of(chain[200])]


def test_a_node_without_a_chain_says_so(node, peers):
    p = Public(node(peers(1), OPEN))
    hello = p.signed("hello")
    assert (hello["tip"], hello["headers_from"], hello["blocks_from"]) == (None, None, None)
    assert p.signed("checkpoints")["checkpoints"] == []
    assert p.json("/health", 503)["error"] == "no_chain"
    for path in ("/stats", "/blocks", "/blocks/0", "/block/latest",
                 "/peer/v1/headers?from=0&count=1"):
        status, headers, _ = p.get(path)
        assert status == 503 and int(headers["retry-after"]) >= 1, path


def test_another_node_syncs_from_it(whole, node, chain):
    second = node([], {"peers": [f"http://{whole.public_address}"]})
    assert second.sync(mode="full")["state"] == "succeeded"
    assert second.rpc("chain.tip")["block_hash"] == chain[240]["hash"]
    for key in ("supply", "coins"):
        assert second.rpc("chain.supply")[key] == whole.rpc("chain.supply")[key]


def test_nothing_of_the_admin_plane_is_there(whole):
    p = Public(whole)
    token = {"Authorization": f"Bearer {whole.token}", "Content-Type": "application/json"}
    call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "daemon.stop", "params": {}})
    described = json.loads(json.dumps(whole.rpc("rpc.discover")))
    assert described["methods"]
    paths = ["/rpc", "/healthz", "/readyz", "/metrics", "/openapi.yaml", "/", "/admin",
             "/api/v1/audit.ndjson", "/api/v1/status", "/api/v1/jobs", "/api/v1/checkpoints",
             "/api/v1/rejections", "/api/v1/peers", "/api/v1/incidents", "//rpc", "/rpc/",
             "/peer/v1/../../rpc", "/blocks/../rpc", "/%72pc", "/peer/v1/", "/rpc.cookie"]
    for path in paths:
        status, _, body = p.get(path, headers=token)
        assert status in (404, 400), (path, status)
        assert b"result" not in body and whole.token.encode() not in body
        assert status == 404 or path.startswith("/blocks/"), path
    status, headers, _ = p.get("/rpc", method="POST", headers=token, body=call)
    assert status == 405 and headers["allow"] == "GET, HEAD"
    assert whole.running and whole.status()["state"] == "following"


def test_foreign_methods_and_long_urls(whole):
    p = Public(whole)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X"):
        assert p.get("/blocks/1", method=method)[0] == 405, method
    assert p.get("/blocks/1", method="POST", body=b"x" * 100_000)[0] == 405
    for length in (5_000, 40_000, 200_000):
        status = status_of(p.address, b"GET /" + b"a" * length + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status in (404, 413, 414, 431, None), length
    assert status_of(p.address, b"GET /stats?" + b"&".join([b"a=b"] * 5000)
                     + b" HTTP/1.1\r\nHost: x\r\n\r\n") in (200, 413, 414, 431, None)
    for junk in (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"):
        assert status_of(p.address, junk) in (400, 404, 405, 505, None)
    assert p.json("/stats")["chain_height"] == 241


def status_of(address, raw):
    """The status of what answers raw bytes; None when the connection is just closed."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=60) as s:
        try:
            s.sendall(raw)
            line = s.makefile("rb").readline()
        except (ConnectionError, BrokenPipeError):
            return None
    return int(line.split()[1]) if line.startswith(b"HTTP/") else None


def keep_asking(address, path, until):
    """Answers until one has that status; a connection may be closed unheard before it."""
    seen = []

    def asked():
        try:
            seen.append(peerwire.get(address, path))
        except (ConnectionError, http.client.HTTPException):
            return False
        return seen[-1][0] == until

    wait_until(asked, f"status {until} at {path}")
    return seen


@pytest.mark.tsan
def test_a_flood_is_told_to_wait_and_others_are_not(node, peers):
    n = node(peers(1), {"public": {"listen": "0.0.0.0:0", "requests_per_second": 2}})
    port = n.public_address.rsplit(":", 1)[1]
    flood = [threading.Thread(target=keep_asking, args=(f"127.0.0.1:{port}", "/peers", 429))
             for _ in range(4)]
    for t in flood:
        t.start()
    for t in flood:
        t.join()
    status, headers, body = peerwire.get(f"127.0.0.1:{port}", "/peers")
    assert status == 429 and int(headers["retry-after"]) >= 1
    assert json.loads(body) == {"error": "Too many requests"}
    other = socket.create_connection(("127.0.0.1", int(port)), source_address=("127.77.0.1", 0))
    with other:
        other.sendall(b"GET /peers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert other.makefile("rb").readline().split()[1] == b"200"
    keep_asking(f"127.0.0.1:{port}", "/peers", 200)  # and later, again
    assert "cairn_public_limited_total" in n.http("/metrics")[1].decode()


def test_bytes_are_counted_too(whole, node, chain):
    n = node([], {"peers": [f"http://{whole.public_address}"],
                  "public": {"listen": "127.0.0.1:0", "bytes_per_second": 100_000}})
    assert n.sync(mode="full")["state"] == "succeeded"
    p = Public(n)
    assert p.get("/peer/v1/blocks?from=0&count=1000")[0] == 200  # 550 kB: over a burst
    status, headers, _ = p.get("/stats")
    assert status == 429 and int(headers["retry-after"]) >= 1
    keep_asking(n.public_address, "/stats", 200)


@pytest.mark.tsan
def test_too_many_connections_of_one_client(node, peers):
    n = node(peers(1), OPEN)
    host, port = n.public_address.rsplit(":", 1)
    idle = [socket.create_connection((host, int(port))) for _ in range(32)]
    try:
        for s in idle:  # all of them are taken on before one more comes
            s.sendall(b"GET /peers HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in s.recv(100)
        assert status_of(n.public_address, b"GET /peers HTTP/1.1\r\nHost: x\r\n\r\n") == 429
        more = [socket.create_connection((host, int(port))) for _ in range(60)]
        idle.extend(more)
        wait_until(lambda: status_of(n.public_address,
                                     b"GET /peers HTTP/1.1\r\nHost: x\r\n\r\n") is None,
                   "a connection that is just closed")
        assert n.http("/healthz")[0] == 200
    finally:
        for s in idle:
            s.close()
    keep_asking(n.public_address, "/peers", 200)


@pytest.mark.tsan
def test_slow_readers_hold_nobody_up(whole, chain):
    """Answers that nobody reads are kept up to a bound, and what is over it is refused."""
    p = Public(whole)
    host, port = p.address.rsplit(":", 1)
    slow = []
    try:
        for _ in range(20):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect((host, int(port)))
            s.sendall(b"GET /peer/v1/blocks?from=0&count=1000 HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
            slow.append(s)
        assert p.json("/stats")["chain_height"] == 241
        assert p.json("/blocks/240") == chain[240]
    finally:
        for s in slow:
            s.close()
    assert p.json("/blocks/1") == chain[1]


@pytest.mark.tsan
def test_many_read_at_once(whole, chain):
    """Connections that are kept, every path, while the node follows."""
    host, port = whole.public_address.rsplit(":", 1)
    wait_until(lambda: peerwire.get(whole.public_address, "/health")[0] == 200, "its peers")
    paths = ["/stats", "/blocks/7", "/blocks?limit=5&offset=1", "/block/latest", "/health",
             f"/block/{chain[9]['hash']}", "/peer/v1/headers?from=0&count=500&form=compact",
             "/peer/v1/blocks?from=100&count=20", f"/peer/v1/hello?nonce={'00' * 32}",
             f"/peer/v1/checkpoints?nonce={'11' * 32}",
             f"/peer/v1/revocations?nonce={'11' * 32}"]
    failed = []

    def read(turn):
        c = http.client.HTTPConnection(host, int(port), timeout=60)
        for i in range(30):
            c.request("GET", paths[(turn + i) % len(paths)], headers={"Accept-Encoding": "zstd"})
            answer = c.getresponse()
            answer.read()
            if answer.status != 200:
                failed.append((paths[(turn + i) % len(paths)], answer.status))
        c.close()

    threads = [threading.Thread(target=read, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failed == []


def test_where_it_listens(node, peers):
    n = node(peers(1), OPEN)
    file = n.data_dir / "public.address"
    assert file.read_text() == n.public_address + "\n"
    n.stop()
    assert not file.exists()
    closed = node(peers(1))
    assert closed.public_address is None and not (closed.data_dir / "public.address").exists()

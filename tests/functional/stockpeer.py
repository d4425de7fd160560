"""Simulated stock nodes: real HTTP servers that speak a stock node's wire format, serve a
chain that can be changed while they run, and can be told to lie or to fail."""

import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import urlsplit

import xai


def jsonify(value):
    """As Flask spells it: sorted keys, compact, a newline at the end."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self):
        """Without a look at DNS for the address's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


class Answer:
    """What a peer sends back, and how badly."""

    def __init__(self, status=200, body=b"", headers=None, *, length=None,
                 hang=False, stall_after=None, cut_after=None, reset=False, pace=None,
                 endless=False):
        self.status = status
        self.body = body if isinstance(body, bytes) else jsonify(body)
        self.headers = dict(headers or {})
        self.length = length            # a Content-Length that is not true
        self.hang = hang                # no answer at all until the peer stops
        self.stall_after = stall_after  # that many bytes of the body, then silence
        self.cut_after = cut_after      # that many bytes of the body, then close
        self.reset = reset              # close without an answer
        self.pace = pace                # (bytes, seconds): that many, then a pause
        self.endless = endless          # the body again and again, and no length


def error(status, text):
    return Answer(status, {"error": text})


def not_found():
    return error(404, "Block not found")


def rate_limited(seconds=1):
    return Answer(429, {"error": "Rate limit exceeded"}, {"Retry-After": str(seconds)})


def garbage():
    return Answer(200, b"\x00\xff<html>not json at all\n")


class Resource:
    """A file that a peer serves, with Range and ETag."""

    def __init__(self, body, etag=None, ranges=True, pace=None):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.etag = etag or '"' + xai.sha256_hex(self.body)[:16] + '"'
        self.ranges = ranges
        self.pace = pace

    def answer(self, request_headers):
        answer = self._answer(request_headers)
        answer.pace = self.pace
        return answer

    def _answer(self, request_headers):
        headers = {"Content-Type": "application/json", "ETag": self.etag}
        wanted = request_headers.get("Range")
        condition = request_headers.get("If-Range")
        if not (self.ranges and wanted) or (condition and condition != self.etag):
            return Answer(200, self.body, headers)
        total = len(self.body)
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
        if not match or match.groups() == ("", ""):
            return Answer(200, self.body, headers)
        first, last = match.groups()
        if first == "":
            start, end = max(total - int(last), 0), total - 1
        else:
            start, end = int(first), min(int(last or total - 1), total - 1)
        if start > end:
            return Answer(416, b"", {"Content-Range": f"bytes */{total}"})
        headers["Content-Range"] = f"bytes {start}-{end}/{total}"
        return Answer(206, self.body[start : end + 1], headers)


class StockPeer:
    """A node of the simulated network.  Everything may be changed while it serves:

    chain      the blocks it has
    altered    {height: block} served instead at /blocks/<height>
    withheld   heights it denies having, or a function of the height
    tip        a block it claims as its latest, whatever its chain
    files      {path: Resource}
    faults     [(regular expression of the path, Answer or function of the path)]
    """

    def __init__(self, chain, host="127.1.0.1", port=0):
        self.chain = chain
        self.altered = {}
        self.withheld = ()
        self.tip = None
        self.files = {}
        self.faults = []
        self.requests = Counter()
        self.log = []
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._server = Server((host, port), _handler_of(self))
        self.host, self.port = self._server.server_address[:2]
        self.url = f"http://{self.host}:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def stop(self):
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, path, value):
        """Serve value (bytes, or a document) at path; gives its URL."""
        self.files[path] = value if isinstance(value, Resource) else Resource(value)
        return self.url + path

    def fail(self, pattern, answer):
        """Answer so where the whole path matches; the first that matches counts."""
        self.faults.append((pattern, answer))

    def requests_matching(self, pattern):
        with self._lock:
            return sum(n for p, n in self.requests.items() if re.fullmatch(pattern, p))

    # --- answering; on the connection's thread ---

    def _answer(self, target, headers):
        path, query = urlsplit(target).path, urlsplit(target).query
        with self._lock:
            self.requests[path] += 1
            self.log.append((path, headers.get("Range")))
        for pattern, fault in self.faults:
            if re.fullmatch(pattern, path):
                answer = fault(path) if callable(fault) else fault
                if answer is not None:
                    return answer
        if path in self.files:
            return self.files[path].answer(headers)
        for pattern, method in self.ROUTES:
            match = re.fullmatch(pattern, path)
            if match:
                return method(self, *match.groups(), query=query)
        return error(404, "Not found")

    def _denies(self, height):
        withheld = self.withheld
        return withheld(height) if callable(withheld) else height in withheld

    def _block(self, text, query):
        if not re.fullmatch(r"-?\d+", text):
            return error(400, "Block index must be integer")
        height, chain = int(text), self.chain
        if height in self.altered:
            return self._immutable(self.altered[height])
        if not 0 <= height < len(chain) or self._denies(height):
            return not_found()
        return self._immutable(chain[height])

    def _immutable(self, block):
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        if isinstance(block, dict):
            headers["ETag"] = f'"{block.get("hash")}"'
        return Answer(200, block, headers)

    def _by_hash(self, text, query):
        wanted = text.lower().removeprefix("0x")
        if not re.fullmatch(r"[0-9a-f]{64}", wanted):
            return error(400, "Invalid block hash")
        for block in reversed(self.chain):
            if block["hash"] == wanted and not self._denies(block["index"]):
                return self._immutable(self.altered.get(block["index"], block))
        return not_found()

    def _latest(self, query):
        block = self.tip or self.chain[-1]
        answer = {
            "block_number": block["index"],
            "hash": block["hash"],
            "timestamp": block["timestamp"],
            "summary": {
                "difficulty": block["difficulty"],
                "hash": block["hash"],
                "height": block["index"],
                "miner": block["miner"],
                "timestamp": block["timestamp"],
                "transactions": len(block["transactions"]),
            },
        }
        if "summary=1" not in query:
            answer["block"] = block
        return Answer(200, answer, {"Cache-Control": "no-store"})

    def _stats(self, query):
        block = self.tip or self.chain[-1]
        return Answer(200, {
            "chain_height": block["index"] + 1,
            "difficulty": block["difficulty"],
            "latest_block_hash": block["hash"],
            "peers": 0,
            "timestamp": block["timestamp"],
        })

    def _health(self, query):
        return Answer(503, {"error": "no_connected_peers", "status": "degraded"})

    ROUTES = [
        (r"/blocks/([^/]+)", _block),
        (r"/block/latest", _latest),
        (r"/block/([^/]+)", _by_hash),
        (r"/stats", _stats),
        (r"/health", _health),
    ]


def _handler_of(peer):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "Werkzeug/2.2.2"
        disable_nagle_algorithm = True

        def do_GET(self):
            answer = peer._answer(self.path, self.headers)
            if answer.hang:
                peer._stopped.wait()
            if answer.hang or answer.reset:
                self.close_connection = True
                return
            self._send(answer)

        do_HEAD = do_GET

        def _send(self, answer):
            length = len(answer.body) if answer.length is None else answer.length
            self.send_response(answer.status)
            if not answer.endless:
                self.send_header("Content-Length", str(length))
            headers = {"Content-Type": "application/json", **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            body = answer.body
            while answer.endless and not peer._stopped.is_set():
                self.wfile.write(body)  # until whoever asked has had enough
            end = answer.stall_after if answer.cut_after is None else answer.cut_after
            self._write(body if end is None else body[:end], answer.pace)
            if answer.stall_after is not None:
                self.wfile.flush()
                peer._stopped.wait()
            if end is not None or length != len(body):
                self.close_connection = True

        def _write(self, body, pace):
            size, pause = pace or (max(len(body), 1), 0)
            for start in range(0, len(body), size):
                self.wfile.write(body[start : start + size])
                peer._stopped.wait(pause)

        def handle(self):
            try:
                super().handle()
            except OSError:
                pass  # the daemon went away, as it may

        def log_message(self, *args):
            pass

    return Handler

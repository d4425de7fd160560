"""The P2P side of a simulated stock node: a WebSocket server that speaks a stock node's
messages, and can be told to lie or to fail; stockpeer.py is its HTTP side.  Both can serve
one chain:

    http = StockPeer(chain)
    ws = StockWs(chain, http.host, api_endpoint=http.url)
"""

import asyncio
import datetime
import re
import ssl
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import websockets
import xai
import xaip2p

BURST = 1 << 20             # bytes, each way
BYTES_PER_SECOND = 104857
MESSAGES_PER_SECOND = 100
HANDSHAKE_SECONDS = 15


# --- what is sent instead of one message; the items of a list are sent in turn ---


class Wait:
    def __init__(self, seconds):
        self.seconds = seconds


class Close:
    def __init__(self, code=1000):
        self.code = code


class Raw:
    """Bytes past the WebSocket library."""

    def __init__(self, data):
        self.data = data


class Mute:
    """No message any more, though the connection stays."""


class Fragments:
    """One message in several WebSocket frames."""

    def __init__(self, parts):
        self.parts = parts


class Draft:
    """A message before it is sealed.  reply: ends with a newline, as answers do."""

    def __init__(self, peer, payload, reply):
        self.peer, self.payload, self.reply = peer, payload, reply

    @property
    def type(self):
        return self.payload["type"]

    def sealed(self, **options):
        """options: of xaip2p.seal; and payload, another one."""
        payload = options.pop("payload", self.payload)
        options = {**self.peer.seal_options, **options}
        return xaip2p.seal(self.peer.key, payload, **options) + "\n" * self.reply


# Faults: functions of a draft that give the list of what is sent.


def silence():
    return lambda draft: []


def delayed(seconds):
    return lambda draft: [Wait(seconds), draft.sealed()]


def sealed(**options):
    """Sealed so, as good_signature=False, high_s=True, good_pow=False, has_pow=False,
    nonce="00" (the same each time), members={"sender_id": "00"}."""
    return lambda draft: [draft.sealed(**options)]


def dated(seconds):
    """So many seconds off the clock: -301 is stale, 7201 too far ahead for Cairn."""
    return lambda draft: [draft.sealed(timestamp=int(time.time()) + seconds)]


def resent():
    def fault(draft):
        text = draft.sealed()
        return [text, text]

    return fault


def replaced(value):
    """Another payload: a value, or a function of the true one."""

    def fault(draft):
        true = draft.payload.get("payload")
        new = value(true) if callable(value) else value
        return [draft.sealed(payload={**draft.payload, "payload": new})]

    return fault


def text(value):
    """These characters, or bytes (then a binary frame), instead of a message."""
    return lambda draft: [value]


def binary():
    return lambda draft: [draft.sealed().encode()]


def invalid_utf8():
    return lambda draft: [Raw(b"\x81\x04\xc3\x28ab")]


def oversize():
    """A message of more than 2^20 bytes that is good otherwise."""
    return lambda draft: [draft.sealed(payload={**draft.payload, "x": "x" * (1 << 20)})]


def announced(size):
    """The head of a frame of size bytes, and nothing of it."""
    return lambda draft: [Raw(b"\x81\x7f" + size.to_bytes(8, "big"))]


def fragmented(count=7):
    """In count frames of one WebSocket message: that is right, if unusual."""

    def fault(draft):
        whole = draft.sealed()
        step = max(1, len(whole) // count)
        return [Fragments([whole[i : i + step] for i in range(0, len(whole), step)])]

    return fault


def split():
    """Half of it in each of two WebSocket messages: no one is whole."""

    def fault(draft):
        whole = draft.sealed()
        return [whole[: len(whole) // 2], whole[len(whole) // 2 :]]

    return fault


def concatenated():
    """Two in one, with nothing between."""
    return lambda draft: [draft.sealed().strip() + draft.sealed()]


def joined():
    """Two with a newline between, which is right, and a ping besides."""
    return lambda draft: ["\n" + draft.sealed(payload={"type": "ping"}) + "\n\n"
                          + draft.sealed()]


def stalled():
    """Half of a frame, then nothing."""

    def fault(draft):
        body = draft.sealed().encode()
        head = b"\x81\x7e" + len(body).to_bytes(2, "big")
        if len(body) > 0xFFFF:
            head = b"\x81\x7f" + len(body).to_bytes(8, "big")
        return [Raw(head + body[: len(body) // 2]), Mute()]

    return fault


def closed(code=1000):
    return lambda draft: [Close(code)]


# --- the node ---


class Bucket:
    """Stock ends a connection that is over its budget of bytes."""

    def __init__(self, burst, rate):
        self.burst, self.rate, self.left = burst, rate, burst
        self.at = time.monotonic()

    def take(self, size):
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.at) * self.rate) - size
        self.at = now
        return self.left >= 0


class Connection:
    """One WebSocket, whoever opened it.  Lives on the node's loop."""

    def __init__(self, peer, ws, outbound):
        self.peer, self.ws, self.outbound = peer, ws, outbound
        self.task = asyncio.current_task()
        self.shaken = False      # its handshake is in
        self.handshake = None    # its payload
        self.public = None       # the key that it signs with
        self.received = []       # payloads, in order
        self.close_code = None
        self.mute = False
        self.ins, self.outs = (Bucket(peer.burst, peer.bytes_per_second) for _ in "io")
        self.second, self.in_second = 0, 0

    async def send(self, payload, reply=False):
        if self.mute:
            return
        draft = Draft(self.peer, payload, reply)
        fault = self.peer.fault_of(draft.type)
        for item in fault(draft) if fault else [draft.sealed()]:
            await self._send_item(item)

    async def _send_item(self, item):
        if isinstance(item, Wait):
            await asyncio.sleep(item.seconds)
        elif isinstance(item, Close):
            await self.ws.close(item.code)
        elif isinstance(item, Raw):
            self.ws.transport.write(item.data)
        elif isinstance(item, Mute):
            self.mute = True
        elif isinstance(item, Fragments):
            await self.ws.send(iter(item.parts))
        elif self.outs.take(len(item)):
            await self.ws.send(item)
        else:
            self.peer.note("overdraft out")
            await self.ws.close(1008)

    async def run(self):
        peer = self.peer
        try:
            await self.send(peer.handshake())
            for payload in peer.unasked:
                await self.send(payload)
            deadline = asyncio.get_running_loop().call_later(
                peer.handshake_seconds, self._late)
            async for frame in self.ws:
                if not await self._frame(frame):
                    break
            deadline.cancel()
        except websockets.ConnectionClosed:
            pass
        finally:
            await self.ws.close()
            last = self.ws.close_rcvd or self.ws.close_sent
            self.close_code = last.code if last else 1006

    def _late(self):
        if not self.shaken:
            self.peer.note("handshake_missing")
            asyncio.ensure_future(self.ws.close(1008))

    async def _frame(self, frame):
        if not self.ins.take(len(frame)):
            self.peer.note("overdraft in")
            return False
        for piece in xaip2p.pieces(frame):
            if int(time.time()) != self.second:
                self.second, self.in_second = int(time.time()), 0
            self.in_second += 1
            if self.in_second > MESSAGES_PER_SECOND:
                self.peer.note("too many messages")
            elif not await self._message(piece):
                return False
        return True

    async def _message(self, piece):
        peer = self.peer
        try:
            public, message = xaip2p.unseal(piece, testnet=peer.testnet)
            peer.seen.check(public, message, time.time())
        except (xaip2p.Refused, ValueError) as error:
            peer.note(f"refused: {error}")
            return True
        payload = message["payload"]
        if not self.shaken and payload.get("type") != "handshake":
            peer.note("handshake_missing")
            return False
        self.public = public
        if payload["type"] == "handshake":
            self.shaken, self.handshake = True, payload.get("payload")
        self.received.append(payload)
        peer.count(payload["type"])
        for answer in peer.answers(payload):
            await self.send(answer, reply=True)
        return True


class StockWs:
    """A node of the simulated network.  Everything may be changed while it serves:

    chain         the blocks it has
    altered       {height: block} sent instead
    withheld      heights it denies having, or a function of the height
    tip           a block it claims as its latest, whatever its chain
    checkpoint    the metadata it answers with; None: it has none (see checkpoint_of)
    peers         the URIs it tells
    faults        [(regular expression of a message's type, fault)]; the first counts
    unasked       payloads sent after its handshake
    version, api_endpoint    of its handshake
    seal_options  of xaip2p.seal, for all it sends

    requests counts what came by type; refused lists what its rules found wrong.
    """

    def __init__(self, chain, host="127.1.0.1", port=0, *, key=None, tls=False,
                 api_endpoint=None):
        self.chain = chain
        self.altered = {}
        self.withheld = ()
        self.tip = None
        self.checkpoint = None
        self.peers = []
        self.faults = []
        self.unasked = []
        self.version = "1"
        self.api_endpoint = api_endpoint
        self.seal_options = {}
        self.testnet = True
        self.handshake_seconds = HANDSHAKE_SECONDS
        self.burst, self.bytes_per_second = BURST, BYTES_PER_SECOND
        self.requests = Counter()
        self.refused = []
        self.connections = []  # all there ever were
        self.seen = xaip2p.Seen()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        context = _server_context() if tls else None
        self._server = self._run(self._listen(host, port, context))
        self.host, self.port = self._server.sockets[0].getsockname()[:2]
        self.key = key or xai.Key(f"p2p {self.host}:{self.port}")
        self.url = f"{'wss' if tls else 'ws'}://{self.host}:{self.port}"

    def stop(self):
        if self._loop.is_closed():
            return
        self._run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # --- for tests; on their thread ---

    def fail(self, pattern, fault):
        """Do so in place of the messages whose whole type matches."""
        self.faults.append((pattern, fault))

    def wait_for(self, condition, what, seconds=30):
        """Until condition(self) is true, looked at when something came or went."""
        with self._changed:
            done = self._changed.wait_for(lambda: condition(self), seconds)
        assert done, f"waited {seconds} s for {what}; refused: {self.refused}"

    def open_connections(self):
        return [c for c in self.connections if c.ws.open and c.shaken]

    def push(self, payload):
        """To everybody, as a broadcast."""
        for connection in self.open_connections():
            self._run(connection.send(payload))

    def push_block(self, block):
        """As a miner does: the announcement, then the block."""
        self.push({"type": "inv", "payload": {"blocks": [block["hash"]]}})
        self.push({"type": "block", "payload": block})

    def dial(self, url, source=None):
        """Opens a connection, from the address source; its handshake is sent."""
        return self._run(self._dial(url, source))

    def ask(self, connection, payload, answer=None, seconds=30):
        """Sends payload; gives the payload of the next message of type answer."""
        start = len(connection.received)

        def found():
            return [m for m in connection.received[start:] if m["type"] == answer]

        self._run(connection.send(payload))
        if answer is None:
            return None
        self.wait_for(lambda _: found(), f"{answer} to {payload['type']}", seconds)
        return found()[0].get("payload")

    def checkpoint_of(self, height, **changes):
        """The metadata of a checkpoint of its chain, made by itself."""
        block = self.chain[height]
        own = {"block_hash": block["hash"], "height": height, "source": "local",
               "timestamp": block["timestamp"] + 1.5}
        return {**own, **changes}

    # --- what it says ---

    def handshake(self):
        return {"type": "handshake", "payload": {
            "api_endpoint": self.api_endpoint,
            "features": ["quic", "ws"],
            "height": (self.tip or self.chain[-1])["index"] + 1,
            "node_id": xaip2p.sender_id(self.key.compressed),
            "version": self.version,
        }}

    def answers(self, message):
        method = self.ANSWERS.get(message["type"])
        if not method:
            return []
        try:
            return method(self, message.get("payload"))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.note(f"penalty: {message['type']}: {error!r}")
            return []

    def _denies(self, height):
        withheld = self.withheld
        return withheld(height) if callable(withheld) else height in withheld

    def _block(self, height):
        return self.altered.get(height, self.chain[height])

    def _pong(self, payload):
        return [{"type": "pong"}]

    def _peers(self, payload):
        return [{"type": "peers", "payload": list(self.peers)}]

    def _checkpoint(self, payload):
        return [{"type": "checkpoint", "payload": self.checkpoint}]

    def _range(self, payload):
        offset, limit = int(payload.get("offset", 0)), int(payload.get("limit", 100))
        if offset < 0 or limit < 0:
            raise ValueError("negative")
        total = (self.tip["index"] + 1) if self.tip else len(self.chain)
        heights = range(offset, min(offset + limit, len(self.chain)))
        blocks = [self._block(h) for h in heights if not self._denies(h)]
        after = offset + len(blocks)
        more = after < total
        difficulty = (self.tip or self.chain[-1])["difficulty"]
        answer = {
            "chain": blocks,
            "difficulty": difficulty,
            "pagination": {
                "count": len(blocks), "has_more": more, "limit": limit,
                "next_offset": after if more else None, "offset": offset,
                "total_blocks": total,
            },
            "stats": {
                "blocks": total, "difficulty": difficulty,
                "page_transactions": sum(len(b.get("transactions", ())) for b in blocks),
                "total_supply": 61500957.479999825, "total_transactions": 0,
            },
        }
        if payload.get("include_pending", True):
            answer["pending_transactions"] = []
        return [{"type": "chain_range", "payload": answer}]

    def _getdata(self, payload):
        wanted = set(payload.get("blocks") or ())
        return [{"type": "block", "payload": self._block(b["index"])}
                for b in self.chain
                if b["hash"] in wanted and not self._denies(b["index"])]

    def _inv(self, payload):
        known = {b["hash"] for b in self.chain}
        unknown = [h for h in payload.get("blocks") or () if h not in known]
        asked = {"blocks": unknown, "transactions": []}
        return [{"type": "getdata", "payload": asked}] if unknown else []

    ANSWERS = {
        "ping": _pong,
        "get_peers": _peers,
        "get_checkpoint": _checkpoint,
        "get_chain_range": _range,
        "getdata": _getdata,
        "inv": _inv,
    }

    # --- on the loop's thread ---

    def fault_of(self, kind):
        for pattern, fault in self.faults:
            if re.fullmatch(pattern, kind):
                return fault
        return None

    def note(self, what):
        with self._changed:
            self.refused.append(what)
            self._changed.notify_all()

    def count(self, kind):
        with self._changed:
            self.requests[kind] += 1
            self._changed.notify_all()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def _listen(self, host, port, context):
        return await websockets.serve(
            self._accept, host, port, ssl=context, **_options())

    async def _accept(self, ws, path=None):
        await self._live(Connection(self, ws, outbound=False))

    async def _dial(self, url, source):
        options = _options()
        if url.startswith("wss:"):
            options["ssl"] = _client_context()
        if source:
            options["local_addr"] = (source, 0)
        connection = Connection(self, await websockets.connect(url, **options), True)
        connection.task = asyncio.ensure_future(self._live(connection))
        return connection

    async def _live(self, connection):
        with self._changed:
            self.connections.append(connection)
        await connection.run()
        with self._changed:
            self._changed.notify_all()

    async def _shut(self):
        for connection in self.connections:
            connection.task.cancel()  # it may be waiting
            if connection.ws.transport:
                connection.ws.transport.abort()
        self._server.close()
        await self._server.wait_closed()


def _options():
    return {"max_size": xaip2p.FRAME_MAX, "ping_interval": 20, "ping_timeout": 20,
            "close_timeout": 1, "compression": None}


def _client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "peer.pem"
        path.write_bytes(_self_signed())
        context.load_cert_chain(path)
    return context


def _self_signed():
    """As stock makes it: RSA of 2048 bits, its name xai-peer, nothing else."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "xai-peer")])
    now = datetime.datetime.utcnow()
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)

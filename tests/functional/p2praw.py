"""A P2P client made of single frames, for what no WebSocket library would send; and what
hostile connections must not cost a node."""

import base64
import socket
import ssl
import struct
import time

import xai
import xaip2p
from node import wait_until

SECONDS = 30


def frame(data, opcode=1, *, fin=True, masked=True, announced=None):
    """One frame; announced: another length than its own."""
    data = data.encode() if isinstance(data, str) else data
    size = len(data) if announced is None else announced
    mask = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        head += bytes([mask | size])
    elif size < 1 << 16:
        head += bytes([mask | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", size)
    return head + (b"\0\0\0\0" if masked else b"") + data  # a mask of zeros


def handshake(key, **changes):
    return {"type": "handshake", "payload": {
        "api_endpoint": None, "features": ["ws"], "height": 1,
        "node_id": xaip2p.sender_id(key.compressed), "version": "1", **changes}}


class At:
    """Something with an address."""

    def __init__(self, url):
        self.url = url


class RawPeer:
    """A connection to address ("127.4.0.1:1234"), from the address source."""

    def __init__(self, address, source=None, *, tls=False, name="raw"):
        host, port = address.rsplit(":", 1)
        self.key = xai.Key(f"{name} {source} {time.monotonic_ns()}")
        self.socket = socket.create_connection(
            (host, int(port)), SECONDS, (source, 0) if source else None)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.got = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False: the other end has left."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, ssl.SSLError):
            return False
        return True

    def upgrade(self):
        key = base64.b64encode(b"0123456789abcdef").decode()
        return self.send(
            (f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())

    def say(self, payload, **options):
        return self.send(frame(xaip2p.seal(self.key, payload, **options)))

    def join(self):
        self.upgrade()
        self.say(handshake(self.key))
        return self

    def read(self, done, seconds=SECONDS):
        """Until done(what came) or the end; whether done."""
        end = time.monotonic() + seconds
        while not done(self.got):
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"nothing in {seconds} s; got {self.got[-300:]}") from None
            except ConnectionError:
                return False
            if not more:
                return False
            self.got += more
        return True

    def hears(self, kind, seconds=SECONDS):
        """A message of that type; asks nothing."""
        return self.read(lambda got: f'"type":"{kind}"'.encode() in got, seconds)

    def ends(self, seconds=SECONDS):
        """It must be cut off; gives the code of the close frame, if one came last."""
        assert not self.read(lambda _: False, seconds)
        return struct.unpack(">H", self.got[-2:])[0] if self.got[-4:-2] == b"\x88\x02" else None


def memory(node):
    """(resident, virtual) bytes."""
    lines = (open(f"/proc/{node.process.pid}/status").read()).splitlines()
    said = dict(line.split(":", 1) for line in lines)
    return tuple(int(said[name].split()[0]) << 10 for name in ("VmRSS", "VmSize"))


def is_sanitized(node):
    """Sanitizers map terabytes."""
    return memory(node)[1] >= 1 << 40


class Bounded:
    """with Bounded(node, bytes): its memory has not grown by more when the block ends."""

    def __init__(self, node, most):
        self.node, self.most = node, most

    def __enter__(self):
        self.before = memory(self.node)[0]
        return self

    def __exit__(self, kind, *_):
        if kind or is_sanitized(self.node):
            return
        grown = memory(self.node)[0] - self.before
        assert grown <= self.most, f"{grown >> 10} KiB more"


def is_served(node, source=None):
    """The node is up: it answers its operator, and a peer who is honest."""
    assert node.status()["state"] in ("idle", "following")
    with RawPeer(node.p2p, source, name="honest") as peer:
        peer.join()
        peer.say({"type": "ping"})
        assert peer.hears("pong")


def server(**more):
    """The configuration of a node that serves P2P and starts nothing on its own."""
    return {"p2p": {"enabled": True, "listen": "127.4.0.1:0"},
            "transfer": {"allow_networks": ["127.0.0.0/8"], "min_speed": 0},
            "checkpoint": {"bootstrap_at_start": False, **more}}


def wait_fault(node, reason, detail):
    """Until the log has this fault of a peer."""
    said = f'reason="{reason}" detail="{detail}'
    wait_until(lambda: any(said in line for line in node.log().splitlines()
                           if "fault of a peer" in line), said)

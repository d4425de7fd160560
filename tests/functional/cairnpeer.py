"""Simulated Cairns: stock nodes that also speak a Cairn's own HTTP API (docs/peer-protocol.md),
written again in Python and apart from the daemon, honest or lying about headers."""

import re
import struct
from urllib.parse import parse_qs

import xai
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stockpeer import Answer, StockPeer, error

HEADERS_MAX = 10000
RAW = re.compile(r"[0-9a-f]{128}")


# --- the compact form of headers ---


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(change):
    change &= 2**64 - 1
    return (change << 1 ^ (2**64 - 1 if change >> 63 else 0)) & (2**64 - 1)


def text_of(text):
    """(kind, bytes) of a signature or a key."""
    if not text:
        return 0, b""
    if RAW.fullmatch(text):
        return 1, bytes.fromhex(text)
    return 2, bytes([len(text)]) + text.encode()


def compact(headers, low=None, end=True):
    """The answer with these headers, or with as many bytes of it as a liar likes."""
    low = headers[0]["index"] if low is None else low
    out = bytearray(b"CAIRNHD1" + varint(low))
    difficulty, bits, keys = 0, 0, []
    for i, h in enumerate(headers):
        version = h.get("version")
        version_kind = 1 if version is None else 0 if version == 1 else 2
        key_kind, key = text_of(h.get("miner_pubkey"))
        if key_kind and h["miner_pubkey"] in keys[-64:]:
            key_kind, key = 3, varint(keys[::-1].index(h["miner_pubkey"]))
        elif key_kind:
            keys.append(h["miner_pubkey"])
        signature_kind, signature = text_of(h.get("signature"))
        changed = h["difficulty"] != difficulty
        out.append(changed | version_kind << 1 | signature_kind << 3 | key_kind << 5)
        if i == 0:
            out += bytes.fromhex(h["previous_hash"])
        if changed:
            out += varint(h["difficulty"])
        if version_kind == 2:
            out += varint(version)
        now = struct.unpack("<Q", struct.pack("<d", h["timestamp"]))[0]
        out += varint(h["nonce"]) + varint(zigzag(now - bits))
        out += bytes.fromhex(h["merkle_root"]) + key + signature
        difficulty, bits = h["difficulty"], now
    if end:
        out.append(0x80)
        if headers:
            out += bytes.fromhex(headers[-1]["hash"])
    return bytes(out)


LINE = ("difficulty hash index merkle_root miner_pubkey nonce previous_hash signature"
        " timestamp version").split()


def lines(headers):
    return b"".join(xai.canon({k: h[k] for k in LINE if k in h}) + b"\n" for h in headers)


def zstd_bomb(megabytes):
    """A frame (RFC 8878) of so many MiB of zeros in blocks of one byte each."""
    head = b"\x28\xb5\x2f\xfd" + bytes([0x00, 0x58])  # window of 2 MiB
    blocks = bytearray()
    count = megabytes * 8
    for i in range(count):
        size, kind = 128 << 10, 1  # RLE
        blocks += (size << 3 | kind << 1 | (i == count - 1)).to_bytes(3, "little") + b"\0"
    return head + bytes(blocks)


# --- lies about a range ---


def reseal(header, **changes):
    """As if it were so; proof of work is not looked at before the chain is."""
    out = {**header, **changes}
    out["hash"] = xai.header_hash(out)
    return out


def wrong_top(headers):
    """False only in its last header, which nobody's chain has."""
    top = reseal(headers[-1], nonce=headers[-1]["nonce"] + 1)
    return compact([*headers[:-1], {**top, "signature": None, "miner_pubkey": None}])


def broken_link(headers):
    at = len(headers) // 2
    changed = reseal(headers[at], previous_hash="ab" * 32)
    return lines([*headers[:at], changed, *headers[at + 1:]])


def bad_signature(headers):
    at = len(headers) // 2
    signature = headers[at]["signature"]
    changed = signature[:-2] + ("00" if signature[-2:] != "00" else "01")
    return compact([*headers[:at], {**headers[at], "signature": changed}, *headers[at + 1:]])


def truncated(headers):
    return compact(headers)[: -len(headers) * 40]


def fewer(headers):
    """Well-formed, and without the highest one."""
    return compact(headers[:-1], low=headers[0]["index"])


def too_many(headers):
    """10,001 of them."""
    out = list(headers)
    while len(out) <= HEADERS_MAX:
        out.append(reseal(out[-1], index=out[-1]["index"] + 1, previous_hash=out[-1]["hash"]))
    return compact(out)


def garbage(headers):
    return b"\x00\xff<html>no headers at all\n"


def bomb(headers):
    return zstd_bomb(64)


def endless(headers):
    return Answer(200, lines(headers), {"Content-Type": "text/plain"}, endless=True)


def slow(headers):
    return Answer(200, compact(headers), pace=(1, 0.2))


def silent(headers):
    return Answer(hang=True)


def broken(headers):
    return error(500, "Internal Server Error")


class CairnPeer(StockPeer):
    """A Cairn of the simulated network.  What may be changed while it serves, besides
    what a stock node has:

    lie          None, or a function of the range's headers: the bytes or the Answer given instead
    lies_below   only for ranges whose highest header is below that height
    headers_from the lowest header it serves; None: it serves none
    hello        None, or a function that alters the hello's body before it is signed
    network      the name of its network, in whatever it signs
    checkpoints, revocations, snapshots    what it lists
    """

    def __init__(self, chain, host="127.1.0.1", port=0):
        self.lie = None
        self.lies_below = 2**63
        self.headers_from = 0
        self.hello = None
        self.network = "testnet"
        self.checkpoints, self.revocations, self.snapshots = [], [], []
        self.false_signature = False
        self.ranges = []  # of headers that were asked for: (lowest, highest)
        self._key = Ed25519PrivateKey.from_private_bytes(
            bytes.fromhex(xai.sha256_hex(b"cairn test identity " + host.encode())))
        super().__init__(chain, host, port)

    @property
    def identity(self):
        raw = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return raw.hex()

    def _signed(self, what, body):
        text = xai.canon(body)
        message = f"cairn-{what}-v1".encode() + b"\0" + text
        signature = self._key.sign(message).hex()
        if self.false_signature:
            signature = signature[:-2] + ("00" if signature[-2:] != "00" else "01")
        return b'{"' + what.encode() + b'":' + text + b',"signature":"' + \
            signature.encode() + b'"}'

    def _hello(self, query):
        nonce = parse_qs(query).get("nonce", [""])[0]
        if not re.fullmatch(r"[0-9a-f]{64}", nonce):
            return error(400, "nonce")
        tip = self.chain[-1]
        body = {
            "blocks_from": None,
            "genesis": self.chain[0]["hash"],
            "headers_from": self.headers_from,
            "identity": self.identity,
            "network": self.network,
            "nonce": nonce,
            "software": "cairnpeer/1",
            "tip": {"hash": tip["hash"], "height": tip["index"],
                    "work": str(self.chain.work())},
        }
        if self.hello:
            self.hello(body)
        return Answer(200, self._signed("hello", body))

    def _list(self, what, items, query, **more):
        body = {
            "genesis": self.chain[0]["hash"],
            "identity": self.identity,
            "network": self.network,
            "nonce": parse_qs(query).get("nonce", [""])[0],
            what: items,
            **more,
        }
        return Answer(200, self._signed(what, body))

    def _checkpoints(self, query):
        more = {"snapshots": self.snapshots} if self.snapshots else {}
        return self._list("checkpoints", self.checkpoints, query, **more)

    def _revocations(self, query):
        return self._list("revocations", self.revocations, query)

    def _headers(self, query):
        asked = parse_qs(query)
        low, count = int(asked["from"][0]), int(asked["count"][0])
        self.ranges.append((low, low + count - 1))
        assert asked["form"] == ["compact"]
        if not 0 < count <= HEADERS_MAX or self.headers_from is None:
            return error(404, "not served")
        headers = self.chain[low : low + count]
        if not headers or low < self.headers_from:
            return error(404, "not served")
        if self.lie and headers[-1]["index"] < self.lies_below:
            answer = self.lie(headers)
        else:
            answer = compact(headers)
        if isinstance(answer, Answer):
            return answer
        return Answer(200, answer, {"Content-Type": "application/octet-stream"})

    ROUTES = [
        (r"/peer/v1/hello", _hello),
              (r"/peer/v1/checkpoints", _checkpoints),
              (r"/peer/v1/revocations", _revocations),
        (r"/peer/v1/headers", _headers),
    ] + StockPeer.ROUTES

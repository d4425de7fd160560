"""Cairn snapshots (docs/snapshot-format.md) written again in Python and apart from the daemon,
and servers of them that count every byte and can lie about each."""

import ctypes
import hashlib

import re
import struct
import threading

import statements
import xai
from cairnpeer import LINE
from Cryptodome.Hash import keccak
from stockpeer import Resource

CHUNK = 1 << 20
HEAD = 120
FILES = ("manifest.json", "chunks.bin", "base.coins.zst")
ZSTD = ctypes.CDLL("libzstd.so.1")
ZSTD.ZSTD_compress.restype = ctypes.c_size_t
SHORT = re.compile(r"(TXAI|XAI)([0-9a-fA-F]{40})")


def sha(data):
    return hashlib.sha256(data).digest()


def pack(raw, level=3):
    out = ctypes.create_string_buffer(len(raw) + len(raw) // 128 + 1024)
    used = ZSTD.ZSTD_compress(out, ctypes.c_size_t(len(out)), raw,
                              ctypes.c_size_t(len(raw)), level)
    return out.raw[:used]


def in_case(digits):
    """Forty hex digits in checksum case."""
    low = digits.lower()
    mask = keccak.new(digest_bits=256, data=low.encode()).hexdigest()
    return "".join(c.upper() if int(m, 16) >= 8 else c for c, m in zip(low, mask))


def owner(address):
    short = SHORT.fullmatch(address)
    if short and in_case(short[2]) == short[2]:
        return bytes([1 if short[1] == "TXAI" else 2]) + bytes.fromhex(short[2])
    raw = address.encode()
    return bytes([0, len(raw)]) + raw


def record(at, coin):
    (txid, vout), (address, amount) = at, coin
    return bytes.fromhex(txid) + struct.pack(">Id", vout, amount) + owner(address)


def head(network, height, block_hash):
    text = b"CAIRNCF1" + struct.pack("<II", 1, HEAD) + network.encode().ljust(32, b"\0") + \
        struct.pack("<Q", height) + bytes.fromhex(block_hash)
    return text + sha(text)


def chunks_of(records):
    """[(raw, number of coins)] by the chunk rule."""
    out, now, count = [], bytearray(), 0
    for one in records:
        if len(now) + len(one) > CHUNK:
            out.append((bytes(now), count))
            now, count = bytearray(), 0
        now += one
        count += 1
    if now:
        out.append((bytes(now), count))
    return out


def root(chunks, coins, total):
    level = [sha(raw) for raw, _ in chunks]
    while len(level) > 1:
        pairs = [sha(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1:]
    merkle = level[0] if level else bytes(32)
    return sha(b"cairn-state-root-v1\0" + merkle + struct.pack("<Q", coins)
               + total.to_bytes(16, "big"))


def many(count, salt="snapshot"):
    """So many coins that no block made, of addresses that do not pack well: about 5,700 a
    chunk."""
    out = {}
    for i in range(count):
        name = hashlib.sha256(f"{salt} {i}".encode()).hexdigest()
        out[name, i % 3] = (name + hashlib.sha256(name.encode()).hexdigest(), 0.25)
    return out


class Snapshot:
    def __init__(self, chain, height=200, extra=0, coins=None, keys=None, changes=None,
                 network="testnet"):
        self.height, block = height, chain[height]
        coins = dict(coins if coins is not None else chain.coins(height))
        coins.update(many(extra))
        ordered = sorted(coins, key=lambda at: (bytes.fromhex(at[0]), at[1]))
        self.chunks = chunks_of(record(at, coins[at]) for at in ordered)
        self.frames = [pack(raw) for raw, _ in self.chunks]
        self.table = b"CAIRNCT1" + b"".join(
            raw[:36] + struct.pack("<III", len(raw), len(frame), count) + sha(raw) + sha(frame)
            for (raw, count), frame in zip(self.chunks, self.frames))
        self.body = b"".join(self.frames)
        total = sum(int(xai.atto(amount).scaleb(18)) for _, amount in coins.values())
        header = {k: block.get(k) for k in LINE} | {"signature": None, "miner_pubkey": None}
        self.document = {
            "block_hash": block["hash"],
            "bytes": HEAD + sum(len(raw) for raw, _ in self.chunks),
            "chunk_count": len(self.chunks),
            "coin_count": len(coins),
            "format": "cairn-snapshot-1",
            "frames_bytes": len(self.body),
            "genesis_hash": chain[0]["hash"],
            "header": header,
            "height": height,
            "network": network,
            "software": "snapkit",
            "state_root": root(self.chunks, len(coins), total).hex(),
            "table_sha256": sha(self.table).hex(),
            "total": str(total),
            "work": str(chain.work(height)),
            "xai_state_hash": None,
            **(changes or {}),
        }
        self.sign(*(keys if keys is not None else [fixture_signer()]))

    def sign(self, *keys):
        body = {k: v for k, v in self.document.items() if "signatures" not in k}
        self.digest = statements.digest(body, "cairn-manifest-v1")
        signed = [statements.signature(k, self.digest)
                  for k in sorted(keys, key=lambda k: k.text)]
        self.document = {**body, "signatures": signed, "xai_signatures": []}
        self.manifest = xai.canon(self.document)
        self.id = f"{self.height}-{self.digest.hex()[:16]}"
        return self

    @property
    def latest(self):
        return xai.canon({"format": "cairn-latest-1", "height": self.height,
                          "manifest": self.id + "/manifest.json"})

    def file(self, name):
        return dict(zip(FILES, (self.manifest, self.table, self.body)))[name]

    def write(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (directory / name).write_bytes(self.file(name))
        return directory

    def spans(self):
        """(first, last) byte of each frame in the body."""
        out, at = [], 0
        for frame in self.frames:
            out.append((at, at + len(frame) - 1))
            at += len(frame)
        return out

    def written(self, coins_file):
        """Numbers of the chunks that are whole in such a file."""
        if not coins_file.exists():
            return set()
        data, at, found = coins_file.read_bytes(), HEAD, set()
        for i, (raw, _) in enumerate(self.chunks):
            if data[at : at + len(raw)] == raw:
                found.add(i)
            at += len(raw)
        return found


def fixture_signer():
    return statements.SignerKey(xai.fixture_keys()["checkpoint_signer"].secret)


# --- servers ---


class Body(Resource):
    """A file of a snapshot as a server gives it.  lie(first, last, headers, honest) may
    answer in its place; None: honestly.  ranges: what was asked for."""

    def __init__(self, body, lie=None, pace=None, ranges=True):
        super().__init__(body, ranges=ranges, pace=pace)
        self.lie = lie
        self.asked = []
        self.lock = threading.Lock()

    def answer(self, request_headers):
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", request_headers.get("Range") or "")
        first, last = map(int, found.groups()) if found else (0, len(self.body) - 1)
        with self.lock:
            self.asked.append((first, last))
        honest = super().answer(request_headers)
        if self.lie:
            lied = self.lie(first, last, request_headers, honest)
            if lied is not None:
                return lied
        return honest

    @property
    def bytes(self):
        with self.lock:
            return sum(last - first + 1 for first, last in self.asked)


def serve(server, snapshot, prefix="", lie=None, pace=None, table_lie=None):
    """The snapshot at <prefix>/<id>/ of a server; the Body of its frames, and the URL of
    its manifest."""
    base = f"{prefix}/{snapshot.id}"
    server.serve(f"{base}/manifest.json", snapshot.manifest)
    server.files[f"{base}/chunks.bin"] = Body(snapshot.table, lie=table_lie)
    body = server.files[f"{base}/base.coins.zst"] = Body(snapshot.body, lie=lie, pace=pace)
    return body, server.url + base + "/manifest.json"



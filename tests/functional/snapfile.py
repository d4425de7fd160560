"""Snapshots of coins that are made up, written apart from the daemon (docs/snapshot-format.md)."""

import ctypes
import hashlib
import json
import os
import pathlib
import struct

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DATA = pathlib.Path(__file__).parent.parent / "data"
ZSTD = ctypes.CDLL("libzstd.so.1")
CHUNK = 1 << 20
RECORD = 65
AMOUNT = 0.25


def sha(data):
    return hashlib.sha256(data).digest()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def pack(raw):
    out = ctypes.create_string_buffer(2 * len(raw) + 1024)
    used = ZSTD.ZSTD_compress(out, ctypes.c_size_t(len(out)), raw, ctypes.c_size_t(len(raw)), 3)
    return out.raw[:used]


def merkle(level):
    while len(level) > 1:
        level = [sha(b"\x01" + b"".join(level[i:i + 2])) if i + 1 < len(level) else level[i]
                 for i in range(0, len(level), 2)]
    return level[0] if level else bytes(32)


def chunks_of(count):
    """Records that do not compress: a body of about as many bytes as there are coins' bytes."""
    each = CHUNK // RECORD
    for start in range(0, count, each):
        noise = os.urandom(44 * each)
        yield b"".join(
            struct.pack(">Q", i) + noise[44 * (i - start):44 * (i - start) + 24] + struct.pack(">Id", 0, AMOUNT)
            + b"\x01" + noise[44 * (i - start) + 24:44 * (i - start) + 44]
            for i in range(start, min(start + each, count)))


def sign(manifest, seeds):
    """manifest.json with the Ed25519 signatures of these seeds, and the snapshot's id."""
    bare = {k: v for k, v in manifest.items() if k not in ("signatures", "xai_signatures")}
    digest = sha(b"cairn-manifest-v1\0" + canonical(bare))
    signed = []
    for seed in seeds:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        signed.append({"alg": "ed25519", "key": public.hex(), "signature": key.sign(digest).hex()})
    full = dict(bare, signatures=sorted(signed, key=lambda s: s["key"]), xai_signatures=[])
    return canonical(full), f"{manifest['height']}-{digest.hex()[:16]}"


def make(parent, height=200, coins=100, seeds=()):
    """A directory named by its id in parent; its path and manifest."""
    headers = [json.loads(line) for line in (DATA / "chain/headers.jsonl").read_text().splitlines()[:height + 1]]
    work = json.loads((DATA / "checkpoint/payload_200.json").read_text())["work"]
    table, frames, leaves, size = b"CAIRNCT1", [], [], 0
    for raw in chunks_of(coins):
        frame = pack(raw)
        leaves.append(sha(raw))
        frames.append(frame)
        size += len(raw)
        table += raw[:36] + struct.pack("<III", len(raw), len(frame), len(raw) // RECORD) + sha(raw) + sha(frame)
    total = coins * (10**18 // 4)
    root = sha(b"cairn-state-root-v1\0" + merkle(leaves) + struct.pack("<Q", coins) + total.to_bytes(16, "big"))
    manifest = {
        "block_hash": headers[height]["hash"], "bytes": 120 + size, "chunk_count": len(leaves), "coin_count": coins,
        "format": "cairn-snapshot-1", "frames_bytes": sum(map(len, frames)), "genesis_hash": headers[0]["hash"],
        "header": dict(headers[height], signature=None, miner_pubkey=None), "height": height, "network": "testnet",
        "software": "snapfile.py", "state_root": root.hex(), "table_sha256": sha(table).hex(), "total": str(total),
        "work": str(work), "xai_state_hash": None,
    }
    text, name = sign(manifest, seeds)
    path = pathlib.Path(parent) / name
    path.mkdir(parents=True)
    (path / "manifest.json").write_bytes(text)
    (path / "chunks.bin").write_bytes(table)
    (path / "base.coins.zst").write_bytes(b"".join(frames))
    return path, manifest

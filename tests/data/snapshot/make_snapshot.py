#!/usr/bin/python3
"""Writes the snapshot beside it, apart from the daemon: three coins at block 200 of the fixture chain,
signed by the fixtures' checkpoint signer, by the Ed25519 key of seed 00 01 .. 1f, and over XAI's digest
by the signature in payload_200.json."""
import ctypes
import hashlib
import json
import pathlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = pathlib.Path(__file__).parent
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ZSTD = ctypes.CDLL("libzstd.so.1")


def sha(data):
    return hashlib.sha256(data).digest()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def record(txid, vout, amount, kind, owner):
    return txid + struct.pack(">Id", vout, amount) + bytes([kind]) + owner


def pack(raw):
    out = ctypes.create_string_buffer(2 * len(raw) + 1024)
    used = ZSTD.ZSTD_compress(out, ctypes.c_size_t(len(out)), raw, ctypes.c_size_t(len(raw)), 3)
    return out.raw[:used]


def sign_ed25519(digest):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"alg": "ed25519", "key": public.hex(), "signature": key.sign(digest).hex()}


def sign_secp256k1(digest, secret):
    key = ec.derive_private_key(int(secret, 16), ec.SECP256K1())
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
    raw = r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")
    return {"alg": "secp256k1", "key": public.hex(), "signature": raw.hex()}


def main():
    payload = json.loads((HERE / "../checkpoint/payload_200.json").read_text())
    keys = json.loads((HERE / "../keys.json").read_text())
    header = json.loads((HERE / "../chain/headers.jsonl").read_text().splitlines()[200])
    header.update(signature=None, miner_pubkey=None)
    owner = bytes.fromhex("00112233445566778899aabbccddeeff00112233")
    genesis = "GENESIS_\u00e9".encode()
    raw = (record(bytes(32), 1, 12.12, 1, owner) + record(bytes(32), 256, 0.0, 2, owner)
           + record(b"\xff" * 32, 0, 61500000.0, 0, bytes([len(genesis)]) + genesis))
    frame = pack(raw)
    table = b"CAIRNCT1" + raw[:36] + struct.pack("<III", len(raw), len(frame), 3) + sha(raw) + sha(frame)
    total = 12119999999999999218 + 61500000 * 10**18
    root = sha(b"cairn-state-root-v1\0" + sha(raw) + struct.pack("<Q", 3) + total.to_bytes(16, "big"))
    manifest = {
        "block_hash": header["hash"], "bytes": 120 + len(raw), "chunk_count": 1, "coin_count": 3,
        "format": "cairn-snapshot-1", "frames_bytes": len(frame),
        "genesis_hash": json.loads((HERE / "../chain/headers.jsonl").read_text().splitlines()[0])["hash"],
        "header": header, "height": 200, "network": "testnet", "software": "make_snapshot.py",
        "state_root": root.hex(), "table_sha256": sha(table).hex(), "total": str(total),
        "work": str(payload["work"]), "xai_state_hash": payload["state_hash"],
    }
    digest = sha(b"cairn-manifest-v1\0" + canonical(manifest))
    secret = keys["checkpoint_signer"]["private_key"]
    manifest["signatures"] = [sign_secp256k1(digest, secret), sign_ed25519(digest)]
    manifest["xai_signatures"] = [{"pubkey": payload["pubkey"], "signature": payload["signature"]}]
    (HERE / "manifest.json").write_bytes(canonical(manifest))
    (HERE / "chunks.bin").write_bytes(table)
    (HERE / "base.coins.zst").write_bytes(frame)
    print(f"200-{digest.hex()[:16]}", digest.hex())


if __name__ == "__main__":
    main()

"""Signed documents of docs/trust-documents.md, written again in Python.  Run as a program it
makes tests/data/trust/vectors.json; ECDSA is randomised, so every run signs anew."""

import hashlib
import json

import xai
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519


class NodeKey:
    """An Ed25519 key; a text makes one that is the same in every run."""

    alg = "ed25519"

    def __init__(self, secret):
        if isinstance(secret, str):
            secret = hashlib.sha256(b"cairn node key " + secret.encode()).digest()
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.hex = self._key.public_key().public_bytes(*raw).hex()
        self.text = "ed25519:" + self.hex

    def sign_digest(self, digest):
        return self._key.sign(digest).hex()


class SignerKey(xai.Key):
    alg = "secp256k1"

    @property
    def hex(self):
        return self.compressed

    @property
    def text(self):
        return self.compressed


def digest(document, domain=None):
    domain = domain or f"cairn-{document['type']}-v1"
    body = {k: v for k, v in document.items() if k != "signatures"}
    return hashlib.sha256(domain.encode() + b"\0" + xai.canon(body)).digest()


def signature(key, what):
    return {"alg": key.alg, "key": key.hex, "signature": key.sign_digest(what)}


def sign(document, *keys):
    what = digest(document)
    signed = [signature(k, what) for k in sorted(keys, key=lambda k: k.text)]
    return dict(document, signatures=signed)


def text(document):
    return xai.canon(document).decode()


def genesis_hash():
    return xai.fixture_chain()[0]["hash"]


def revocation(height, block_hash, reason, network="testnet"):
    return {"type": "revocation", "network": network, "genesis_hash": genesis_hash(),
            "height": height, "block_hash": block_hash, "reason": reason}


def attestation(height, block_hash, state_root, network="testnet"):
    return {"type": "attestation", "network": network, "genesis_hash": genesis_hash(),
            "height": height, "block_hash": block_hash, "state_root": state_root}


def signer_set(sequence, keys, threshold, previous=None, network="testnet"):
    before = digest(previous).hex() if previous else "00" * 32
    return {"type": "signer-set", "network": network, "genesis_hash": genesis_hash(),
            "sequence": sequence, "keys": sorted(k.text for k in keys),
            "threshold": threshold, "previous": before}


def checkpoint_digest(height, block_hash, state_hash, state_root, network="testnet"):
    return digest({"network": network, "genesis_hash": genesis_hash(), "height": height,
                   "block_hash": block_hash, "state_hash": state_hash,
                   "state_root": state_root}, "cairn-checkpoint-v1")


ROOT = "5a" * 32


def vectors():
    payload = xai.fixture_payload(200)
    block, state = payload["block_hash"], payload["state_hash"]
    fixture = SignerKey(xai.fixture_keys()["checkpoint_signer"].secret)
    signers = [fixture, SignerKey("second"), SignerKey("third"), NodeKey("fourth")]
    nodes = [NodeKey(name) for name in ("node one", "node two", "node three")]
    checkpoints = []
    for name, state_hash, root in (("both", state, ROOT), ("hash", state, None),
                                   ("root", None, ROOT)):
        what = checkpoint_digest(200, block, state_hash, root)
        checkpoints.append({
            "name": name, "state_hash": state_hash, "state_root": root,
            "digest": what.hex(), "signatures": [signature(k, what) for k in signers],
            "high_s": signers[0].sign_digest(what, high_s=True)})
    other = checkpoint_digest(200, block, state, ROOT, network="mainnet")
    sets = [signer_set(0, signers[:2], 2)]
    sets.append(signer_set(1, signers[1:], 2, sets[0]))
    sets.append(signer_set(2, signers[2:], 1, sets[1]))
    statements = {
        "revocation": sign(revocation(200, block, "wrong coins: \u00e9\""), fixture),
        "revocation_ed25519": sign(revocation(200, block, ""), signers[3]),
        "revocation_stranger": sign(revocation(200, block, "spite"), SignerKey("nobody")),
        "revocation_mainnet": sign(revocation(200, block, "no", "mainnet"), fixture),
        "revocation_neighbour": sign(revocation(199, block, "no"), fixture),
        "attestation_0": sign(attestation(200, block, ROOT), nodes[0]),
        "attestation_1": sign(attestation(200, block, ROOT), nodes[1]),
        "attestation_1_other": sign(attestation(200, block, "5b" * 32), nodes[1]),
        "attestation_2": sign(attestation(200, block, ROOT), nodes[2]),
        "attestation_2_other": sign(attestation(200, block, "5b" * 32), nodes[2]),
        "attestation_mainnet": sign(attestation(200, block, ROOT, "mainnet"), nodes[0]),
        "set_0": sign(sets[0]),
        "set_1": sign(sets[1], *signers[:2]),
        "set_1_one_signature": sign(sets[1], signers[0]),
        "set_1_strangers": sign(sets[1], *signers[2:]),
        "set_2": sign(sets[2], *signers[2:]),
        "set_2_by_the_old": sign(sets[2], *signers[:2]),
    }
    return {
        "keys": {"signers": [k.text for k in signers], "nodes": [k.text for k in nodes]},
        "checkpoints": checkpoints,
        "over_mainnet": signers[0].sign_digest(other),
        "statements": {name: {"text": text(s), "digest": digest(s).hex()}
                       for name, s in statements.items()},
    }


if __name__ == "__main__":
    directory = xai.DATA / "trust"
    (directory / "vectors.json").write_text(json.dumps(vectors(), indent=1) + "\n")

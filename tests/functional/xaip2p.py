"""XAI's P2P envelopes as the tests need them, written again in Python and apart from the
daemon.  unseal() refuses what a stock node refuses, and takes what it takes."""

import hashlib
import json
import secrets
import time

import xai
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

AGE_MAX = 300
SEEN_SECONDS = 600
FRAME_MAX = 1 << 20


class Refused(Exception):
    pass


# --- the parts ---


def sender_id(compressed):
    return xai.sha256_hex(bytes.fromhex(compressed))[:16]


def digest_of(message):
    """What is signed: the SHA-256 of the SHA-256 of the canonical message."""
    return hashlib.sha256(hashlib.sha256(xai.canon(message)).digest()).digest()


def pow_base(public, timestamp, nonce, payload):
    return f"{public}:{int(timestamp)}:{nonce}:{xai.sha256_hex(xai.canon(payload))}"


def pow_holds(base, solution, bits):
    found = int(xai.sha256_hex(f"{base}:{solution}".encode()), 16)
    return bits <= 256 and found < 1 << (256 - max(1, bits))


def solve(base, bits, holds=True):
    """A solution of so many bits; holds=False: one that is none."""
    n = 0
    while pow_holds(base, f"{n:032x}", bits) != holds:
        n += 1
    return f"{n:032x}"


def der(key, digest, high_s=False):
    raw = key.sign_digest(digest, high_s)
    return utils.encode_dss_signature(int(raw[:64], 16), int(raw[64:], 16)).hex()


# --- making ---


def seal(key, payload, *, timestamp=None, nonce=None, bits=1, members=None, public=None,
         high_s=False, good_signature=True, good_pow=True, has_pow=True, fallback=False):
    """One message, without a newline.  members are added to the signed message (None
    leaves one out); what is not good fails for that reason alone."""
    message = {
        "nonce": secrets.token_hex(16) if nonce is None else nonce,
        "payload": payload,
        "sender_id": sender_id(key.compressed),
        "timestamp": int(time.time()) if timestamp is None else timestamp,
    }
    public = public or key.compressed
    if fallback:
        message["pow"] = {"difficulty": 0, "fallback": True, "nonce": "00"}
    elif has_pow:
        base = pow_base(public, message["timestamp"], message["nonce"], payload)
        message["pow"] = {"difficulty": bits, "nonce": solve(base, bits, good_pow)}
    for name, value in (members or {}).items():
        message[name] = value
        if value is None:
            del message[name]
    digest = digest_of(message)
    if not good_signature:
        digest = hashlib.sha256(digest).digest()
    signature = f"{public}.{der(key, digest, high_s)}"
    return json.dumps({"message": message, "signature": signature}, sort_keys=True)


# --- reading ---


def _check_signature(signature, message):
    public, _, hexed = signature.partition(".")
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256K1(), bytes.fromhex(public))
        sig = bytes.fromhex(hexed)
        _, s = utils.decode_dss_signature(sig)
        point.verify(sig, digest_of(message), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except (ValueError, InvalidSignature) as error:
        raise Refused("signature") from error
    if s > xai.ORDER // 2:
        raise Refused("high s")
    return public


def _check_pow(message, public, testnet):
    work = message.get("pow")
    if not isinstance(work, dict):
        raise Refused("no pow")
    if testnet and work.get("fallback") is True:
        return
    base = pow_base(public, message["timestamp"], message["nonce"], message["payload"])
    if not pow_holds(base, work["nonce"], work["difficulty"]):
        raise Refused("pow")


def unseal(text, now=None, testnet=True):
    """(public key, message) of one message."""
    if isinstance(text, bytes):
        text = text.decode()
    start = text.find("{")
    if start < 0:
        raise Refused("not json")
    try:
        envelope, _ = json.JSONDecoder().raw_decode(text, start)
        message, signature = envelope["message"], envelope["signature"]
        timestamp = message["timestamp"]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("form") from error
    if (time.time() if now is None else now) - timestamp > AGE_MAX:
        raise Refused("stale")
    if message.get("session_id"):
        raise Refused("session")
    public = _check_signature(signature, message)
    _check_pow(message, public, testnet)
    return public, message


class Seen:
    """Nonces of keys: each passes once in ten minutes."""

    def __init__(self):
        self._seen = {}

    def check(self, public, message, now):
        known = self._seen.get((public, message["nonce"]))
        if known is not None and now - known < SEEN_SECONDS:
            raise Refused("replay")
        self._seen[public, message["nonce"]] = now


def pieces(frame):
    """The messages of a frame."""
    text = frame.decode() if isinstance(frame, bytes) else frame
    return [piece for piece in text.split("\n") if piece.strip()]

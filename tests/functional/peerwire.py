"""The peer protocol (docs/peer-protocol.md) from its page: another implementation of reading
what a Cairn serves."""

import http.client
import json
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import xai


def get(address, path, method="GET", headers=None, body=None, timeout=60):
    """(status, headers, body) of one request on a connection of its own."""
    host, port = address.rsplit(":", 1)
    c = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        c.request(method, path, body=body, headers=headers or {})
        answer = c.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        c.close()


def read_signed(what, text, nonce):
    """The body of a signed answer, its signature checked over the bytes as they stand."""
    begin, end = b'{"%s":' % what.encode(), b',"signature":"'
    assert text.startswith(begin) and text.endswith(b'"}\n')
    body, signature = text[len(begin):-3].rsplit(end, 1)
    value = json.loads(body)
    assert value["nonce"] == nonce
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(value["identity"]))
    key.verify(bytes.fromhex(signature.decode()), b"cairn-%s-v1\0" % what.encode() + body)
    assert xai.canon(value) == body
    return value


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data)
        self.at += n
        return self.data[self.at - n:self.at]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value


def read_compact(data, start):
    """Headers of the compact form, as a block has them."""
    b = Bytes(data)
    assert b.take(8) == b"CAIRNHD1" and b.varint() == start
    headers, keys, bits, difficulty = [], [], 0, 0
    while (flags := b.byte()) != 0x80:
        h = {"index": start + len(headers)}
        h["previous_hash"] = headers[-1]["hash"] if headers else b.take(32).hex()
        if flags & 1:
            difficulty = b.varint()
        h["difficulty"] = difficulty
        version = flags >> 1 & 3
        h["version"] = (1, None)[version] if version < 2 else b.varint()
        h["nonce"] = b.varint()
        zigzag = b.varint()
        bits = (bits + (zigzag >> 1 ^ -(zigzag & 1))) % 2**64
        h["timestamp"] = struct.unpack("<d", struct.pack("<Q", bits))[0]
        h["merkle_root"] = b.take(32).hex()
        h["miner_pubkey"] = read_text(b, flags >> 5 & 3, keys)
        h["signature"] = read_text(b, flags >> 3 & 3, None)
        h["hash"] = xai.header_hash(h)
        headers.append(h)
    if headers:
        assert b.take(32).hex() == headers[-1]["hash"]
    assert b.at == len(data)
    return headers


def read_text(b, kind, keys):
    if kind == 0:
        return None
    if kind == 3:
        return keys[-1 - b.varint()]
    text = b.take(64).hex() if kind == 1 else b.take(b.byte()).decode("ascii")
    if keys is not None:
        keys.append(text)
    return text

#!/usr/bin/env python3
"""Writes asn.mmdb, a small database of AS numbers in the MaxMind DB format 2.0, and
city.mmdb, one of another type.  Run here after changing NETWORKS; the files are kept."""

import ipaddress
import pathlib
import struct

NETWORKS = {
    "192.0.2.0/24": 64496,
    "198.51.100.0/24": 64497,
    "203.0.113.0/24": 64496,
    "100.70.0.0/16": 4200000000,
    "127.1.0.0/16": 64500,
    "127.2.0.0/16": 64501,
    "127.3.0.0/16": 64501,
    "2001:db8::/32": 64499,
    "100.64.0.0/24": "AS64510",  # not a number: unknown
    "100.65.0.0/24": None,  # a record without the field: unknown
}
SEPARATOR = b"\0" * 16
MARKER = b"\xab\xcd\xefMaxMind.com"


def control(kind, size):
    if size >= 29:
        return (bytes([kind << 5 | 29]) if kind < 8 else bytes([29, kind - 7])) + bytes([size - 29])
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])


def encode(value):
    if isinstance(value, str):
        raw = value.encode()
        return control(2, len(raw)) + raw
    if isinstance(value, Small):
        raw = value.to_bytes(2, "big").lstrip(b"\0")
        return control(5, len(raw)) + raw
    if isinstance(value, Big):
        raw = value.to_bytes(8, "big").lstrip(b"\0")
        return control(9, len(raw)) + raw
    if isinstance(value, int):
        raw = value.to_bytes(4, "big").lstrip(b"\0")
        return control(6, len(raw)) + raw
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


class Small(int):
    """Of 16 bits."""


class Big(int):
    """Of 64 bits."""


def bits_of(network):
    net = ipaddress.ip_network(network)
    packed = int(net.network_address)
    # IPv4 lives at ::/96, as the format has it.
    length = net.prefixlen + (96 if net.version == 4 else 0)
    return [packed >> (127 - i) & 1 for i in range(length)]


def build(kind, networks):
    nodes, data = [[None, None]], b""
    for network, number in networks.items():
        record = {"autonomous_system_organization": "Example"}
        if number is not None:
            record["autonomous_system_number"] = number
        offset, data = len(data), data + encode(record)
        at, bits = 0, bits_of(network)
        for bit in bits[:-1]:
            if nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][bits[-1]] = ("data", offset)
    count = len(nodes)

    def record_of(entry):
        if entry is None:
            return count
        return count + 16 + entry[1] if isinstance(entry, tuple) else entry

    tree = b"".join(struct.pack(">I", record_of(e))[1:] for node in nodes for e in node)
    metadata = {
        "binary_format_major_version": Small(2),
        "binary_format_minor_version": Small(0),
        "build_epoch": Big(1795300000),
        "database_type": kind,
        "description": {"en": "for tests"},
        "ip_version": Small(6),
        "languages": ["en"],
        "node_count": count,
        "record_size": Small(24),
    }
    return tree + SEPARATOR + data + MARKER + encode(metadata)


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent
    (here / "asn.mmdb").write_bytes(build("Test-ASN", NETWORKS))
    (here / "city.mmdb").write_bytes(build("Test-City", {"192.0.2.0/24": 64496}))

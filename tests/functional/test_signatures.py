"""Scenarios 8 and 9: who signed, and what exactly."""

import expect
import pytest
import xai


def offer(node, peers, payload, config=None):
    """A node with this configuration, and a URL where payload is offered."""
    three = peers(3)
    return node(three, config), {"url": three[0].serve("/cp.json", payload)}


def test_08_threshold_minus_one(node, peers, payload, signer):
    keys = [signer.compressed, xai.Key("second signer").compressed]
    config = {"checkpoint": {"threshold": 2, "trusted_pubkeys": keys}}
    n, source = offer(node, peers, payload, config)
    expect.refused(n, "threshold_not_met", **source)


def test_08_one_signer_twice_is_one(node, peers, payload, signer):
    keys = [signer.compressed, signer.public, "04" + signer.public]
    config = {"checkpoint": {"threshold": 2, "trusted_pubkeys": keys}}
    three = peers(3)
    url = three[0].serve("/cp.json", payload)
    made = None
    try:
        made = node(three, config)
    except AssertionError as e:  # a configuration that cannot be met may be refused at once
        assert "trusted_pubkeys" in str(e) or "threshold" in str(e)
    if made:
        expect.refused(made, "threshold_not_met", url=url)


def test_08_signer_not_in_the_set(node, peers, payload):
    config = {"checkpoint": {"trusted_pubkeys": [xai.Key("somebody else").compressed]}}
    n, source = offer(node, peers, payload, config)
    expect.refused(n, "untrusted_signer", **source)


def test_08_no_set_configured(node, peers, payload):
    n, source = offer(node, peers, payload, {"checkpoint": {"trusted_pubkeys": []}})
    expect.refused(n, "untrusted_signer", **source)


@pytest.mark.parametrize("spelling", ["compressed", "public", "uncompressed", "upper"])
def test_a_key_counts_however_it_is_spelled(node, peers, chain, payload, signer, spelling):
    text = {
        "compressed": signer.compressed,
        "public": signer.public,
        "uncompressed": "04" + signer.public,
        "upper": signer.compressed.upper(),
    }[spelling]
    n, source = offer(node, peers, payload, {"checkpoint": {"trusted_pubkeys": [text]}})
    expect.bootstrapped(n, chain, **source)


ALTERED = {
    "another height": lambda p, key: {**p, "signature": signed(p, key, height=199)},
    "another hash": lambda p, key: {**p, "signature": signed(p, key, block_hash="0" * 64)},
    "another state": lambda p, key: {**p, "signature": signed(p, key, state_hash="0" * 64)},
    "trailing byte": lambda p, key: {**p, "signature": p["signature"] + "00"},
    "trailing digit": lambda p, key: {**p, "signature": p["signature"] + "0"},
    "one byte short": lambda p, key: {**p, "signature": p["signature"][:-2]},
    "DER": lambda p, key: {**p, "signature": der(p["signature"])},
    "0x before it": lambda p, key: {**p, "signature": "0x" + p["signature"]},
    "a space in it": lambda p, key: {**p, "signature": " " + p["signature"][1:]},
    "not hex": lambda p, key: {**p, "signature": "g" + p["signature"][1:]},
    "r zero": lambda p, key: {**p, "signature": "0" * 64 + p["signature"][64:]},
    "s zero": lambda p, key: {**p, "signature": p["signature"][:64] + "0" * 64},
    "s plus the order": lambda p, key: {**p, "signature": "f" * 64 + p["signature"][64:]},
    "a flipped bit": lambda p, key: {**p, "signature": flipped(p["signature"])},
}


def signed(payload, key, **over):
    return key.sign_digest(xai.checkpoint_digest({**payload, **over}))


def der(signature):
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    r, s = int(signature[:64], 16), int(signature[64:], 16)
    return encode_dss_signature(r, s).hex()


def flipped(signature):
    return f"{int(signature, 16) ^ (1 << 100):0128x}"


def test_09_what_is_not_a_signature_of_this_checkpoint(node, peers, payload, signer):
    three = peers(3)
    n = node(three)
    for name, alter in ALTERED.items():
        path = "/" + name.replace(" ", "_")
        url = three[0].serve(path, alter(payload, signer))
        job = n.sync(url=url)
        assert job["state"] == "failed", name
        assert job["error"]["reason"] == "bad_signature", (name, job["error"])


@pytest.mark.parametrize("high_s", [False, True])
def test_09_both_s_are_accepted(node, peers, chain, payload, signer, high_s):
    n, source = offer(node, peers, xai.sign_payload(payload, signer, high_s))
    expect.bootstrapped(n, chain, **source)

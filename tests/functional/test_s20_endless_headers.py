"""Scenario 20: one peer claims a chain of low work without end.  Meanwhile the others'
blocks are followed, and neither memory nor disk grows with it."""

import os
import time

import expect
import pytest
from miner import light_blocks
from node import wait_until

FULL = bool(os.environ.get("CAIRN_TEST_FULL"))
LENGTH = 24000  # over what a chain that one network claims may have
# The address sanitizer keeps what was freed; here that is not what is measured.
LEAN = {"ASAN_OPTIONS": "abort_on_error=0:exitcode=99:quarantine_size_mb=1"}
SECONDS_BEHIND = 30  # of a loaded machine with the slowest build


def resident_kib(n):
    text = open(f"/proc/{n.process.pid}/status").read()
    return int(text.split("VmRSS:")[1].split()[0])


def stored_bytes(n):
    return sum(f.stat().st_size for f in n.data_dir.rglob("*") if f.is_file())


def follows_for(n, chain, seconds):
    """A block every second or so, each followed in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        chain.mine()
        begun = time.monotonic()
        n.wait_tip(chain.tip["index"], chain.tip["hash"])
        assert time.monotonic() - begun < SECONDS_BEHIND


@pytest.mark.parametrize("fork", [0, 210], ids=["from genesis", "above the checkpoint"])
def test_20_endless_headers_while_following(node, peers, chain, payload, fork):
    three, (liar,) = peers(3), peers(1)
    n = node([liar, *three], environment=LEAN)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    liar.chain = light_blocks(chain.fork(fork), LENGTH)
    before = resident_kib(n)
    wait_until(lambda: liar.requests_matching(r"/blocks/\d+") > 500, "the liar to be asked")
    follows_for(n, chain, 120 if FULL else 12)
    assert resident_kib(n) - before < 128 * 1024
    assert stored_bytes(n) < 100 << 20
    expect.at_tip_of(n, chain)
    assert n.rpc("incidents.list")["incidents"] == []
    for peer in three:
        assert expect.peer_of(n, peer)["banned_until"] is None


def test_20_endless_headers_while_deciding(node, peers, chain, payload):
    (liar,) = peers(1, light_blocks(chain.fork(210), LENGTH))
    three = peers(3)
    n = node([liar, *three])
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    assert liar.requests_matching(r"/blocks/\d+") < LENGTH / 2

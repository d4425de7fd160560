"""Scenario 17: one bad header in the middle of the chain below the checkpoint."""

import copy

import expect
import pytest
import xai

# Difficulty 1 here, and blocks so close that one dated before the median of the eleven
# below is still not too old for its own transactions.
MIDDLE = 69


def set_hash(block):
    """Only the declared hash: the header itself stays as it was."""


def set_link(block):
    block["previous_hash"] = "0" + "ab" * 31 + "c"


def set_height(block):
    block["index"] += 1


def set_version(block):
    block["version"] = 2


def set_target(block):
    block["difficulty"] = 2


def set_timestamp(chain):
    def change(block):
        block["timestamp"] = chain[MIDDLE - 1]["timestamp"]
    return change


def set_median(chain):
    def change(block):
        block["timestamp"] = chain[MIDDLE - 7]["timestamp"] - 1.0
    return change


def changes(chain):
    return {
        "link": set_link,
        "height": set_height,
        "version": set_version,
        "target": set_target,
        "timestamp": set_timestamp(chain),
        "median": set_median(chain),
    }


WHAT_IS_SAID = {
    "link": "no peer serves block 68 with hash 0abab",
    "height": "no peer serves block 69",
    "version": "version is not 1",
    "target": "not the expected difficulty",
    "timestamp": "not after its parent",
    "median": "not after its parent",  # which the median of eleven is never after
}
KINDS = ("link", "height", "version", "target", "timestamp", "median")


def lying_blocks(chain, kind):
    """Every header below the checkpoint made bad, so that whatever the liar is asked for
    shows it: the quorum's vote at 200 is the truth."""
    out = {}
    for height in range(1, 200):
        block = copy.deepcopy(chain[height])
        if kind == "hash":
            block["hash"] = "0" * 4 + block["hash"][4:][::-1]
        elif kind == "signature":
            block["signature"] = block["signature"][:-2] + (
                "00" if block["signature"][-2:] != "00" else "01")
        elif kind == "timestamp":
            block["timestamp"] = chain[height - 1]["timestamp"]
            xai.seal(block)
        elif kind == "median":
            block["timestamp"] = chain[0]["timestamp"]
            xai.seal(block)
        else:
            changes(chain)[kind](block)
            xai.seal(block)
        out[height] = block
    return out


@pytest.mark.parametrize("kind", KINDS + ("hash", "signature"))
def test_17_one_bad_header_from_one_peer(node, peers, chain, payload, kind):
    liar, *honest = peers(4)
    liar.altered = lying_blocks(chain, kind)
    n = node([liar, *honest])
    expect.bootstrapped(n, chain, url=honest[0].serve("/cp.json", payload))
    blamed = expect.peer_of(n, liar)
    assert blamed["faults"] > 0, blamed
    for peer in honest:
        assert expect.peer_of(n, peer)["banned_until"] is None


def test_17_who_lied_below_the_checkpoint_has_no_vote_in_the_quorum(
        node, peers, chain, payload):
    """Three agree on the checkpoint's block, and one of them served false blocks below."""
    liar, *honest = peers(3)
    liar.altered = lying_blocks(chain, "hash")
    n = node([liar, *honest])
    expect.refused(n, "no_quorum", url=honest[0].serve("/cp.json", payload))
    assert expect.peer_of(n, liar)["banned_until"] is not None


@pytest.mark.parametrize("kind", KINDS)
def test_17_one_bad_header_that_all_peers_built_on(node, peers, chain, signer, kind):
    """A whole chain mined on the bad header, with a checkpoint signed on it."""
    bad = chain.remine(MIDDLE, changes(chain)[kind])
    three = peers(3, bad)
    n = node(three)
    payload = xai.make_payload(bad, 200, signer)
    job = expect.refused(n, "header_chain_invalid",
                         url=three[0].serve("/cp.json", payload))
    assert WHAT_IS_SAID[kind] in job["error"]["detail"], job["error"]


@pytest.mark.parametrize("kind", ["hash", "signature"])
def test_17_one_bad_header_from_all_peers(node, peers, chain, payload, kind):
    three = peers(3)
    lies = lying_blocks(chain, kind)
    for peer in three:
        peer.altered = {MIDDLE: lies[MIDDLE]}
    n = node(three)
    expect.refused(n, "header_chain_invalid", url=three[0].serve("/cp.json", payload))


def test_22_headers_end_before_the_checkpoint(node, peers, payload):
    three = peers(3)
    for peer in three:
        peer.withheld = range(1, 120)
    n = node(three)
    expect.refused(n, "header_chain_invalid", url=three[0].serve("/cp.json", payload))


def test_17_peers_that_answer_badly_are_not_needed(node, peers, chain, payload):
    """429, 500, garbage and nothing at all: from one peer each, blocks come from the rest."""
    import stockpeer as s

    good = peers(3)
    answers = [s.rate_limited(), s.error(500, "Internal Server Error"), s.garbage()]
    bad = peers(3)
    for peer, answer in zip(bad, answers):
        peer.fail(r"/blocks/.*", answer)
    n = node([*bad, *good])
    expect.bootstrapped(n, chain, url=good[0].serve("/cp.json", payload))

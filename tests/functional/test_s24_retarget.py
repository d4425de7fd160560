"""Scenario 24: the difficulty of the block at a retarget, wrong in each way that pays."""

import expect
import pytest
import xai

RETARGET = 145  # the first block whose difficulty the window of 144 sets


def cheated(chain, height, difficulty):
    """The chain up to height, with that difficulty there, and on to 210 by the rules;
    gaps that bring difficulty 1 keep the mining short."""
    bad = chain.fork(height - 1)
    bad.append(xai.seal(bad.next_block(difficulty=difficulty)))
    return bad.mine_many(211 - len(bad), gap=1300.0)


def test_24_the_fixture_has_the_retarget_where_this_test_says(chain):
    assert chain[RETARGET - 1]["difficulty"] < chain[RETARGET]["difficulty"]


@pytest.mark.parametrize("off", [-1, 1])
def test_24_a_cheated_retarget_below_the_checkpoint(node, peers, chain, signer, off):
    """A chain on which all agree, and the checkpoint signed on it."""
    bad = cheated(chain, RETARGET, chain[RETARGET]["difficulty"] + off)
    three = peers(3, bad)
    n = node(three)
    payload = xai.make_payload(bad, 200, signer)
    expect.refused(n, "header_chain_invalid", url=three[0].serve("/cp.json", payload))
    (rule,) = (r for r in expect.rejections(n)[0]["rules"] if r["rule"] == "headers")
    assert "145" in rule["detail"] and "difficulty" in rule["detail"], rule


def test_24_stale_timestamps_do_not_move_the_window(node, peers, chain, signer):
    """Blocks dated so that the window looks longer than it is: the rule is followed to the
    letter, so a chain by that letter is accepted, and one difficulty off it is not."""
    slow = chain.fork(RETARGET - 3)
    slow.mine(gap=1190.0)
    slow.mine(gap=1190.0)
    honest = slow.fork(RETARGET - 1).mine_many(211 - RETARGET)
    three = peers(3, honest)
    payload = xai.make_payload(honest, 200, signer)
    n = node(three)
    expect.bootstrapped(n, honest, url=three[0].serve("/cp.json", payload))
    wrong = 1 if honest[RETARGET]["difficulty"] > 1 else 2
    bad = slow.fork(RETARGET - 1)
    bad.append(xai.seal(bad.next_block(difficulty=wrong)))
    bad.mine_many(211 - len(bad))
    liars = peers(3, bad)
    n = node(liars)
    payload = xai.make_payload(bad, 200, signer)
    expect.refused(n, "header_chain_invalid", url=liars[0].serve("/cp.json", payload))


@pytest.mark.parametrize("difficulty", [2, 4])
def test_24_a_cheated_difficulty_above_the_checkpoint(node, peers, chain, payload, difficulty):
    """Most peers follow it, and it has more work: the honest chain is the node's."""
    bad = chain.fork(220)
    bad.append(xai.seal(bad.next_block(difficulty=difficulty)))
    bad.mine_many(2)
    while bad.work() <= chain.work():
        bad.mine()
    liars, honest = peers(3, bad), peers(2)
    n = node([*liars, *honest])
    expect.bootstrapped(n, chain, url=honest[0].serve("/cp.json", payload))
    for peer in honest:
        assert expect.peer_of(n, peer)["banned_until"] is None
    chain.mine()
    expect.at_tip_of(n, chain)


def test_24_a_cheated_retarget_at_288(node, peers, chain, payload):
    """The second retarget is met while following; only half of it is forged."""
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    chain.mine_many(289 - len(chain))  # 288 is the last before the retarget
    expect.at_tip_of(n, chain)
    right = chain.next_block()["difficulty"]
    bad = chain.fork(288)
    bad.append(xai.seal(bad.next_block(difficulty=1 if right > 1 else 2)))
    bad.mine_many(5)
    while bad.work() <= chain.work() + 16 ** 4:
        bad.mine()
    for liar in three[:2]:
        liar.chain = bad
    chain.mine()
    expect.at_tip_of(n, chain)
    assert expect.peer_of(n, three[2])["banned_until"] is None

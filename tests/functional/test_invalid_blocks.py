"""Scenario 53: most peers serve a longer chain with an invalid block right above the
checkpoint; the honest minority's is followed."""

import copy

import expect
import pytest
import xai

CHECKPOINT = 200


def owned_coins(chain):
    """[(key, outpoint, amount)] of the fixture wallets at the checkpoint, largest first."""
    keys = {k.address: k for k in xai.fixture_keys().values()}
    out = [(keys[owner], at, amount)
           for at, (owner, amount) in chain.coins(CHECKPOINT).items() if owner in keys]
    return sorted(out, key=lambda coin: -coin[2])


def spend(chain, coin, nonce=1000, **changes):
    """A transfer of this coin, 0.01 fee, a tenth to itself."""
    key, at, amount = coin
    to = xai.Key("recipient").address
    outputs = [(to, round(amount * 0.5, 8)), (key.address, round(amount * 0.1, 8))]
    when = chain[CHECKPOINT]["timestamp"] + 10.0 + nonce - 1000
    return xai.transfer(key, changes.pop("inputs", [at]), outputs, timestamp=when,
                        nonce=nonce, **changes)


def continued(chain):
    """So long that it has more work than the honest chain to 240."""
    return chain.mine_many(262 - len(chain))


def with_block(chain, transactions=None, **options):
    bad = chain.fork(CHECKPOINT)
    bad.mine(transactions, **options)
    return continued(bad)


def bad_link(chain):
    bad = chain.fork(CHECKPOINT)
    bad.append(xai.seal(bad.next_block(previous_hash="000" + "ab" * 30 + "c")))
    return continued(bad)


def bad_work(chain):
    bad = chain.fork(CHECKPOINT)
    bad.append(xai.seal(bad.next_block(), work=False))
    return continued(bad)


def bad_merkle_root(chain):
    return with_block(chain, merkle_root="ab" * 32)


def coinbase_too_large(chain):
    return with_block(chain, reward=14.41)  # 12 * 1.2 is the most


def bad_signature(chain):
    tx = spend(chain, owned_coins(chain)[0])
    tx["signature"] = xai.Key("a thief").sign(tx["txid"])
    return with_block(chain, [tx])


def not_the_owner(chain):
    key, at, amount = owned_coins(chain)[0]
    return with_block(chain, [spend(chain, (xai.Key("a thief"), at, amount))])


def missing_coin(chain):
    return with_block(chain, [spend(chain, owned_coins(chain)[0], inputs=[("ab" * 32, 0)])])


def double_spend_in_one_block(chain):
    coin = owned_coins(chain)[0]
    return with_block(chain, [spend(chain, coin, 1000), spend(chain, coin, 1001)])


def double_spend_across_blocks(chain):
    bad, coin = chain.fork(CHECKPOINT), owned_coins(chain)[0]
    bad.mine([spend(chain, coin, 1000)])
    bad.mine([spend(chain, coin, 1001)])
    return continued(bad)


def duplicate_txid(chain):
    tx = spend(chain, owned_coins(chain)[0])
    return with_block(chain, [tx, copy.deepcopy(tx)])


def more_out_than_in(chain):
    key, at, amount = owned_coins(chain)[0]
    tx = xai.transfer(key, [at], [(key.address, amount)], fee=0.01, nonce=1000,
                      timestamp=chain[CHECKPOINT]["timestamp"] + 10)
    return with_block(chain, [tx])


def minted_out_of_nothing(chain):
    when = chain[CHECKPOINT]["timestamp"] + 10
    tx = xai.transaction("AIRDROP", [(xai.Key("a friend").address, 1000.0)],
                         timestamp=when)
    return with_block(chain, [tx])


KINDS = [bad_link, bad_work, bad_merkle_root, coinbase_too_large, bad_signature,
         not_the_owner, missing_coin, double_spend_in_one_block, double_spend_across_blocks,
         duplicate_txid, more_out_than_in, minted_out_of_nothing]


def test_a_spend_that_is_right_is_accepted(node, peers, chain, payload):
    """So the kinds below are refused for what is wrong with them, and nothing else."""
    good = with_block(chain, [spend(chain, owned_coins(chain)[0])])
    three = peers(3, good)
    n = node(three)
    expect.bootstrapped(n, good, url=three[0].serve("/cp.json", payload))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_53_invalid_block_above_the_checkpoint(node, peers, chain, payload, kind):
    bad = kind(chain)
    assert bad.work() > chain.work()
    liars, honest = peers(3, bad), peers(2, chain)
    n = node([*liars, *honest])
    expect.bootstrapped(n, chain, url=honest[0].serve("/cp.json", payload))
    assert n.rpc("incidents.list")["incidents"] == []
    for peer in honest:
        assert expect.peer_of(n, peer)["banned_until"] is None
    chain.mine()
    expect.at_tip_of(n, chain)


def altered_copy(chain, change):
    block = copy.deepcopy(chain[CHECKPOINT + 1])
    change(block)
    return block


def declared_hash(block):
    block["hash"] = "000" + "ab" * 30 + "c"


def stripped(block):
    block["transactions"] = block["transactions"][:1]


def coinbase_rewritten(block):
    block["transactions"][0]["outputs"][0]["amount"] = 50000000.0


def transfer_signature(block):
    block["transactions"][1]["signature"] = xai.Key("a thief").sign("anything")


def miner_signature(block):
    block["signature"] = xai.Key("a thief").sign("anything")


def transaction_type(block):
    block["transactions"][1]["tx_type"] = "trade_settlement"


COPIES = [declared_hash, stripped, coinbase_rewritten, transfer_signature, miner_signature,
          transaction_type]


@pytest.mark.parametrize("change", COPIES, ids=lambda change: change.__name__)
def test_53_broken_copy_of_a_good_block(node, peers, chain, payload, change):
    """A relay broke what the hash does not cover: the block is good, the copy is not."""
    liars, honest = peers(3), peers(2)
    for liar in liars:
        liar.altered = {CHECKPOINT + 1: altered_copy(chain, change)}
    n = node([*liars, *honest])
    expect.bootstrapped(n, chain, url=honest[0].serve("/cp.json", payload))
    for peer in honest:
        assert expect.peer_of(n, peer)["banned_until"] is None


def test_52_no_peer_serves_the_block_after_the_checkpoint(node, peers, chain, payload):
    three = peers(3)
    for peer in three:
        peer.withheld = lambda height: height > CHECKPOINT
    n = node(three, {"checkpoint": {"min_confirmations": 0}})
    expect.refused(n, "no_peer_serves_next_block", url=three[0].serve("/cp.json", payload))


def test_54_the_tip_moves_while_catching_up(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    job_id = n.rpc("sync.start", url=three[0].serve("/cp.json", payload))["job_id"]
    for _ in range(5):
        chain.mine()
    assert n.wait_job(job_id)["state"] == "succeeded"
    expect.at_tip_of(n, chain)


def test_56_peers_stop_answering_one_after_another(node, peers, chain, payload):
    four = peers(4)
    n = node(four)
    expect.bootstrapped(n, chain, url=four[3].serve("/cp.json", payload))
    for peer in four[:3]:
        peer.stop()
        chain.mine()
        expect.at_tip_of(n, chain)

"""From nothing to the tip: a checkpoint at 200, then the blocks to 240."""

import json

import expect
import pytest
import xai

pytestmark = pytest.mark.tsan


def test_bootstrap_from_a_url(node, peers, chain, payload):
    three = peers(3)
    url = three[0].serve("/cp.json", payload)
    n = node(three)
    expect.bootstrapped(n, chain, url=url)
    for peer in three:
        asked = peer.requests_matching(r"/blocks/200")
        assert asked >= 1, f"{peer.url} was not asked for its block"


def test_bootstrap_from_the_configured_url(node, peers, chain, payload):
    three = peers(3)
    url = three[0].serve("/cp.json", payload)
    n = node(three, {"checkpoint": {"url": url}})
    expect.at_tip_of(n, chain)
    assert expect.accepted(n) == [200]


def test_bootstrap_from_a_file(node, peers, chain, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "cp.json").write_bytes((xai.DATA / "checkpoint/payload_200.json").read_bytes())
    n = node(peers(3), {"transfer": {"allow_paths": [str(allowed)]}})
    expect.bootstrapped(n, chain, path=str(allowed / "cp.json"))


def test_a_file_outside_allow_paths_is_refused(node, peers, tmp_path):
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    allowed.mkdir()
    other.mkdir()
    (other / "cp.json").write_text("{}")
    (allowed / "link.json").symlink_to(other / "cp.json")
    n = node(peers(3), {"transfer": {"allow_paths": [str(allowed)]}})
    for path in (other / "cp.json", allowed / "../other/cp.json", allowed / "link.json"):
        assert reason_of(n, path=str(path)) == "source_forbidden"


def reason_of(n, **source):
    """Whether the call itself is refused or its job fails."""
    import node as under_test

    try:
        return n.sync(**source)["error"]["reason"]
    except under_test.RpcError as e:
        return e.reason


def test_bootstrap_from_an_inline_payload(node, peers, chain, payload):
    n = node(peers(3))
    expect.bootstrapped(n, chain, payload=payload)


def test_provenance_says_who_vouched_and_what_was_proven(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    p = n.rpc("checkpoint.provenance", height=200)
    text = json.dumps(p)
    for peer in three:
        assert peer.url in text
    for group in ("127.1.0.0/16", "127.2.0.0/16", "127.3.0.0/16"):
        assert group in text
    signer = xai.fixture_keys()["checkpoint_signer"]
    assert signer.compressed in text or signer.public in text
    assert payload["state_hash"] in text
    assert chain[200]["hash"] in text
    assert str(chain.work(200)) in text
    results = {r["rule"]: r["result"] for r in p["provenance"]["verdict"]["rules"]}
    for rule in ("metadata", "quorum", "diversity", "signatures", "work", "headers",
                 "best_chain", "confirmations", "servable", "payload", "source"):
        assert results[rule] == "pass", (rule, results)
    assert "fail" not in results.values()


def test_coins_and_blocks_are_those_of_the_chain(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    coins, old = chain.coins(), chain.coins(200)
    kept = next(at for at in coins if at in old)
    made = next(at for at in coins if at not in old)
    spent = next(at for at in old if at not in coins)
    for at in (kept, made):
        coin = n.rpc("chain.coin", txid=at[0], vout=at[1])
        assert coin["unspent"] is True
        assert coin["address"] == coins[at][0]
        assert float(coin["amount"]) == coins[at][1]
    assert n.rpc("chain.coin", txid=spent[0], vout=spent[1])["unspent"] is False
    for height in (200, 201, 240):
        assert n.rpc("chain.header", height=height)["block_hash"] == chain[height]["hash"]
    block = n.rpc("chain.block", height=230)
    assert block["block_hash"] == chain[230]["hash"]
    assert block["block"]["transactions"] == chain[230]["transactions"]


def test_a_new_block_is_followed(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    chain.mine()
    expect.at_tip_of(n, chain)


def test_restart_goes_on_where_it_was(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    n.restart()
    expect.at_tip_of(n, chain)
    assert expect.accepted(n) == [200]
    chain.mine()
    expect.at_tip_of(n, chain)

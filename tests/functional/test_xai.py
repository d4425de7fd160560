"""The tests' own rules, held against data that stock software made."""

import json

import xai


def test_fixture_chain_is_what_the_rules_give():
    chain = xai.fixture_chain()
    for height, block in enumerate(chain):
        assert block["index"] == height
        assert block["hash"] == xai.header_hash(block)
        assert block["hash"].startswith("0" * block["difficulty"])
        ids = [tx["txid"] for tx in block["transactions"]]
        assert block["merkle_root"] == xai.merkle_root(ids)
        if height == 0:
            continue
        assert block["previous_hash"] == chain[height - 1]["hash"]
        before = chain.fork(height - 1)
        assert block["difficulty"] == xai.next_difficulty(before, block["timestamp"])
        for tx in block["transactions"]:
            assert tx["txid"] == xai.txid(tx)
            if tx["sender"] != "COINBASE":
                assert tx["sender"] == xai.address_of(tx["public_key"])


def test_coins_and_work_are_those_recorded():
    chain = xai.fixture_chain()
    recorded = (xai.DATA / "chain/utxo_state_by_height.jsonl").read_text().splitlines()
    for height in (0, 1, 100, 200, 240):
        state = json.loads(recorded[height])
        assert len(chain.coins(height)) == state["total_utxos"]
        assert abs(float(chain.supply(height)) - state["total_value"]) < 1e-6
    assert chain.work() == 460815


def test_checkpoint_hashes_are_those_recorded():
    for height in (50, 100, 150, 200):
        payload = xai.fixture_payload(height)
        vectors = json.loads((xai.DATA / "checkpoint/vectors.json").read_text())
        (vector,) = (v for v in vectors["checkpoints"] if v["height"] == height)
        assert xai.state_hash(payload["data"]) == payload["state_hash"]
        assert xai.checkpoint_digest(payload).hex() == vector["digest_hex"]


def test_keys_make_the_recorded_addresses():
    keys = json.loads((xai.DATA / "keys.json").read_text())
    for name, key in xai.fixture_keys().items():
        assert key.public == keys[name]["public_key"]
        if "txai_address" in keys[name]:
            assert key.address == keys[name]["txai_address"]

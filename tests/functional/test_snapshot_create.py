"""snapshot.create: which coins, which bytes, and what becomes of one that is interrupted."""

import contextlib

import crash
import expect
import publisher
import pytest
import stockpeer
import xai
from node import RpcError


@pytest.fixture
def derived(node, peers, tmp_path):
    """A node that validated everything to 240, held at the first coin of a snapshot; its
    peer."""
    hold = publisher.Hold(tmp_path)
    (peer,) = peers(1)
    n = node([peer])
    n.restart(hold.environment)
    assert n.sync(mode="full")["state"] == "succeeded"
    return n, peer, hold


@pytest.fixture
def whole(derived):
    """The same, held nowhere."""
    n, _, hold = derived
    hold.release()
    return n


def root_at_200(node, chain):
    """The state root of height 200 as a node says that stands there."""
    source = stockpeer.StockPeer(xai.Chain(chain[:201]), "127.8.0.1")
    try:
        n = node([source])
        n.sync(mode="full")
        n.wait_tip(200)
        return n.rpc("attestations.make")["state_root"]
    finally:
        source.stop()


def xai_state_hash(chain, height, key):
    """Of the payload of these coins: lists in outpoint order, the exact total."""
    data = xai.make_payload(chain, height, key)["data"]
    snapshot = data["utxo_snapshot"]
    for coins in snapshot["utxo_set"].values():
        coins.sort(key=lambda c: (c["txid"], c["vout"]))
    snapshot["total_value"] = float(chain.supply(height))
    return xai.state_hash(data)


def test_a_recent_height_has_the_coins_it_had(whole, node, chain, signer):
    made = publisher.create(whole, height=200, block_hash=chain[200]["hash"])
    assert made["height"] == 200 and made["block_hash"] == chain[200]["hash"]
    assert made["coin_count"] == len(chain.coins(200))
    assert made["longest_writer_pause_ms"] >= 0 and made["existed"] is False
    assert made["state_root"] == root_at_200(node, chain)
    got = publisher.shaped(whole, "snapshot.get", id=made["id"])
    manifest = got["manifest"]
    assert got["digest"] == made["digest"] == publisher.digest(manifest).hex()
    assert made["id"] == f"200-{made['digest'][:16]}"
    assert manifest["total"] == str(int(chain.supply(200) * 10**18))
    assert manifest["header"]["hash"] == chain[200]["hash"]
    assert manifest["genesis_hash"] == chain[0]["hash"]
    assert manifest["xai_state_hash"] == xai_state_hash(chain, 200, signer)
    verified = publisher.shaped(whole, "snapshot.verify", id=made["id"])
    job = whole.wait_job(verified["job_id"])
    assert job["state"] == "succeeded" and job["result"]["id"] == made["id"], job
    expect.audit_is_whole(whole)


def test_blocks_arrive_while_one_is_made(derived, chain):
    n, _, hold = derived
    job_id = hold.begin(n)
    tip = chain.mine_many(3).tip
    n.wait_tip(243, tip["hash"])
    with pytest.raises(RpcError) as second:
        n.rpc("snapshot.create", height=100)
    assert second.value.code == -32005
    job = publisher.shaped(n, "jobs.get", job_id=job_id)
    assert job["state"] == "running" and job["progress"]["unit"] == "coins"
    assert n.status()["state"] == "following"
    hold.release()
    made = n.wait_job(job_id)["result"]
    assert made["height"] == 240 and made["coin_count"] == len(chain.coins(240))
    assert publisher.create(n)["coin_count"] == len(chain.coins(243))
    assert [s["height"] for s in publisher.shaped(n, "snapshot.list")["snapshots"]] == [243, 240]
    assert publisher.shelf(n) == sorted(publisher.ids(n))


def test_two_ways_lead_to_the_same_bytes(whole, node, peers, chain, payload):
    three = peers(3)
    other = node(three)
    expect.bootstrapped(other, chain, url=three[0].serve("/cp.json", payload))
    for height in (240, 230, 200):
        here, there = (publisher.create(n, height=height) for n in (whole, other))
        assert here["id"] == there["id"]
        assert publisher.files(whole, here["id"]) == publisher.files(other, there["id"])
    for height, n in ((199, other), (241, other), (241, whole)):
        with pytest.raises(RpcError) as outside:
            n.rpc("snapshot.create", height=height)
        assert outside.value.code == -32003, height
    with pytest.raises(RpcError) as another:
        job = whole.wait_job(whole.rpc("snapshot.create", height=220,
                                       block_hash=chain[221]["hash"])["job_id"])
        raise RpcError({"code": 0, "message": "", "data": job["error"]})
    assert another.value.reason == "conflict"
    assert publisher.create(whole, height=200)["existed"] is True


def test_the_same_key_is_the_same_job(whole):
    first = whole.rpc("snapshot.create", idempotency_key="one")["job_id"]
    whole.wait_job(first)
    assert whole.rpc("snapshot.create", idempotency_key="one")["job_id"] == first


def test_after_a_reorganisation_it_is_of_the_other_branch(node, peers):
    one, two = xai.fixture_branch(1, "a"), xai.fixture_branch(1, "b")
    (peer,) = peers(1)
    peer.chain = one
    n = node([peer])
    assert n.sync(mode="full")["state"] == "succeeded"
    expect.at_tip_of(n, one)
    made = publisher.create(n, height=205)
    assert made["coin_count"] == len(one.coins(205))
    peer.chain = two
    expect.at_tip_of(n, two)
    again = publisher.create(n, height=205)
    assert again["coin_count"] == len(two.coins(205)) and again["block_hash"] == two[205]["hash"]
    assert publisher.create(n, height=195)["coin_count"] == len(two.coins(195))


def test_a_block_that_goes_while_it_is_made_leaves_nothing(node, peers, tmp_path):
    one, two = xai.fixture_branch(1, "a"), xai.fixture_branch(1, "b")
    hold = publisher.Hold(tmp_path)
    (peer,) = peers(1)
    peer.chain = one
    n = node([peer])
    n.restart(hold.environment)
    assert n.sync(mode="full")["state"] == "succeeded"
    job_id = hold.begin(n)
    peer.chain = two
    n.wait_tip(two.tip["index"], two.tip["hash"])
    hold.release()
    job = n.wait_job(job_id)
    assert job["state"] == "failed" and job["error"]["reason"] == "conflict", job
    assert "replaced" in job["error"]["detail"]
    assert publisher.shelf(n) == []


# --- interrupted ---


def test_cancelled(derived):
    n, _, hold = derived
    job_id = hold.begin(n)
    job = publisher.shaped(n, "sync.cancel", job_id=job_id)
    assert job["state"] == "cancelled" and job["error"]["reason"] == "cancelled", job
    assert publisher.shelf(n) == [] and publisher.ids(n) == []
    with pytest.raises(RpcError) as ended:
        n.rpc("sync.cancel", job_id=job_id)
    assert ended.value.code == -32004
    hold.release()
    publisher.create(n)
    expect.audit_is_whole(n)


@pytest.mark.parametrize("how", ["kill -9", "SIGTERM"])
def test_a_restart_in_the_middle_leaves_nothing(derived, how):
    n, _, hold = derived
    job_id = hold.begin(n)
    if how == "SIGTERM":
        n.stop()
        assert publisher.shelf(n) == []
    else:
        n.kill9()
        assert [name.rsplit(".", 1)[1] for name in publisher.shelf(n)] == ["incomplete"]
    hold.release()
    n.start()
    job = n.rpc("jobs.get", job_id=job_id)
    assert job["state"] == "failed" and job["error"]["reason"] == "shutting_down", job
    assert publisher.shelf(n) == [] and publisher.ids(n) == []
    n.wait_state("following")
    assert publisher.create(n)["height"] == 240
    expect.audit_is_whole(n)


@pytest.mark.parametrize("point", crash.POINTS)
def test_killed_at_each_passage_it_is_there_whole_or_not_at_all(whole, tmp_path, point):
    n, trace = whole, tmp_path / "trace"
    n.stop()
    n.start(crash.hooks(CAIRN_FAILPOINT_TRACE=str(trace)))
    n.wait_state("following")
    before = crash.traced(trace)[point]
    made = publisher.create(n, height=230)
    passages = crash.traced(trace)[point] - before
    assert passages > 0
    n.rpc("snapshot.delete", id=made["id"])
    for number in crash.chosen(point, passages, crash.dice()):
        n.stop()
        with contextlib.suppress(*crash.LOST, RpcError, AssertionError):
            n.start(crash.hooks(CAIRN_FAILPOINT=f"{point}:{before + number}"))
            n.wait_job(n.rpc("snapshot.create", height=230)["job_id"])
        if n.process.poll() is None:
            n.kill9()
        else:
            n.reap()
        n.start()
        assert publisher.shelf(n) == publisher.ids(n)
        assert publisher.create(n, height=230)["id"] == made["id"]
        verified = n.wait_job(n.rpc("snapshot.verify", id=made["id"])["job_id"])
        assert verified["state"] == "succeeded", verified
        expect.audit_is_whole(n)
        n.rpc("snapshot.delete", id=made["id"])


# --- damage ---


@pytest.mark.parametrize("name", publisher.FILES)
def test_a_flipped_bit_is_found(whole, name):
    made = publisher.create(whole)
    path = whole.data_dir / "snapshots" / made["id"] / name
    text = bytearray(path.read_bytes())
    text[len(text) // 2] ^= 1
    path.write_bytes(text)
    job_id = None
    with contextlib.suppress(RpcError):
        job_id = whole.rpc("snapshot.verify", id=made["id"])["job_id"]
    job = whole.wait_job(job_id)
    assert job["state"] == "failed", job
    assert job["error"]["reason"] in ("payload_hash_mismatch", "metadata_malformed"), job["error"]
    assert whole.status()["state"] == "following"

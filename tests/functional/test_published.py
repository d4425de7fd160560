"""A node that makes snapshots, publishes them and watches them; and one that begins from the store."""

import json

import objectstore
import publisher
import pytest
import statements
import xai
from node import RpcError, wait_until
from objectstore import ObjectStore, Proxy

PREFIX = "snapshots/test"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    running = ObjectStore(tmp_path_factory.mktemp("store"))
    yield running
    running.stop()


@pytest.fixture
def bucket(store, request):
    return store.make_bucket("b-" + request.node.name.replace("_", "-")[-50:].lower())


@pytest.fixture
def signing():
    return statements.SignerKey(xai.fixture_keys()["checkpoint_signer"].secret)


@pytest.fixture
def maker(node, peers, tmp_path):
    """maker(bucket, store, more) is a node with all blocks that publishes there; its peer is the second."""
    secret = tmp_path / "credentials"
    secret.write_text(f"aws_access_key_id={objectstore.KEY}\naws_secret_access_key={objectstore.SECRET}\n")
    secret.chmod(0o600)

    def start(bucket, endpoint, **more):
        (peer,) = peers(1)
        n = node([peer], {"publish": {"endpoint": endpoint, "bucket": bucket, "prefix": PREFIX,
                                      "region": objectstore.REGION, "credentials_file": str(secret), **more}})
        assert n.sync(mode="full")["state"] == "succeeded"
        return n
    return start


def sign(n, snapshot, key):
    manifest = n.rpc("snapshot.get", id=snapshot)["manifest"]
    merged = n.rpc("snapshot.merge", id=snapshot, manifest=publisher.signed(manifest, key))
    assert merged["trusted"] == 1, merged


def carried_out(n, method, **params):
    job = n.wait_job(publisher.shaped(n, method, **params)["job_id"])
    assert job["state"] == "succeeded", job
    return job["result"]


def latest(store, bucket):
    text = store.get(bucket, f"{PREFIX}/latest.json")
    return json.loads(text)["manifest"].partition("/")[0] if text else None


def incidents(n):
    return [(i["kind"], i["subject"]) for i in n.rpc("incidents.list")["incidents"]]


def test_a_node_publishes_and_another_begins_from_the_store(maker, node, peers, chain, store, bucket, signing):
    n = maker(bucket, store.endpoint)
    made = publisher.create(n, height=200)["id"]
    sign(n, made, signing)
    result = carried_out(n, "snapshot.publish", id=made)
    assert result["id"] == made and result["is_latest"] is True
    assert {name: store.get(bucket, f"{PREFIX}/{made}/{name}") for name in publisher.FILES} == publisher.files(n, made)
    assert carried_out(n, "snapshot.publish", id=made)["sent_bytes"] == 0
    assert "with+signs" not in n.log() + json.dumps(n.rpc("daemon.info"))
    base = store.publish_to_all(bucket)
    fresh = node(peers(3))
    job = fresh.sync(url=f"{base}/{PREFIX}/latest.json")
    assert job["state"] == "succeeded", job
    fresh.wait_tip(chain.tip["index"], chain.tip["hash"])
    assert fresh.rpc("checkpoint.provenance", height=200)["state_root"] == \
        n.rpc("snapshot.get", id=made)["state_root"]


def test_what_has_its_signatures_is_published_by_itself(maker, store, bucket, signing):
    n = maker(bucket, store.endpoint, auto=True)
    made = publisher.create(n, height=200)["id"]
    assert latest(store, bucket) is None
    sign(n, made, signing)
    wait_until(lambda: latest(store, bucket) == made, "latest.json to name the snapshot")
    wait_until(lambda: [j for j in n.rpc("jobs.list")["jobs"]
                        if j["kind"] == "snapshot_publish" and j["state"] == "succeeded"], "the job's end")


def test_a_withdrawal_reaches_the_store(maker, store, bucket, signing):
    n = maker(bucket, store.endpoint)
    ids = [publisher.create(n, height=height)["id"] for height in (200, 220)]
    for made in ids:
        sign(n, made, signing)
        carried_out(n, "snapshot.publish", id=made)
    assert latest(store, bucket) == ids[1]
    for made, then in ((ids[1], ids[0]), (ids[0], None)):
        with pytest.raises(RpcError, match="was not withdrawn"):
            n.rpc("snapshot.unpublish", id=made)
        n.rpc("snapshot.withdraw", id=made, reason="a test")
        wait_until(lambda made=made: store.get(bucket, f"{PREFIX}/{made}/withdrawn.json"), "withdrawn.json")
        wait_until(lambda then=then: latest(store, bucket) == then, f"latest.json to name {then}")
        told = json.loads(store.get(bucket, f"{PREFIX}/{made}/withdrawn.json"))
        assert told == {"format": "cairn-withdrawn-1", "id": made, "reason": "a test", "revocation": None}
        with pytest.raises(RpcError, match="was withdrawn"):
            n.rpc("snapshot.publish", id=made)
        wait_until(lambda: not [j for j in n.rpc("jobs.list")["jobs"] if j["state"] == "running"], "no job")
        carried_out(n, "snapshot.unpublish", id=made)


def test_what_is_published_is_watched(maker, store, bucket, signing):
    n = maker(bucket, store.endpoint, watch_seconds=1)
    made = publisher.create(n, height=200)["id"]
    carried_out(n, "snapshot.publish", id=made)
    wait_until(lambda: ("published_unsigned", made) in incidents(n), "an incident: nobody signed")
    sign(n, made, signing)
    carried_out(n, "snapshot.publish", id=made)
    key = f"{PREFIX}/{made}/base.coins.zst"
    store.put(bucket, key, bytes(len(publisher.files(n, made)["base.coins.zst"])))
    wait_until(lambda: ("published_broken", "latest.json") in incidents(n), "an incident: another frame")
    diagnosis = n.rpc("health.diagnose")
    assert diagnosis["cause"] == "incident_open", diagnosis
    (found,) = (i for i in n.rpc("incidents.list")["incidents"] if i["kind"] == "published_broken")
    assert "base.coins.zst" in found["evidence"]["detail"]


def test_a_job_says_what_the_store_said(maker, node, store, bucket, tmp_path):
    n = maker("nobody-made-this", store.endpoint)
    made = publisher.create(n, height=200)["id"]
    job = n.wait_job(n.rpc("snapshot.publish", id=made)["job_id"])
    assert job["state"] == "failed" and job["error"]["reason"] == "store_no_bucket", job


def test_a_job_is_cancelled_while_the_store_stands_still(maker, store, bucket):
    import threading
    released = threading.Event()
    proxy = Proxy(store.port, lambda r: released.wait(60) and None)
    try:
        n = maker(bucket, proxy.endpoint, watch_seconds=0)
        made = publisher.create(n, height=200)["id"]
        job_id = n.rpc("snapshot.publish", id=made)["job_id"]
        wait_until(lambda: proxy.seen, "a request")
        n.rpc("sync.cancel", job_id=job_id)
        assert n.wait_job(job_id)["state"] == "cancelled"
        n.rpc("snapshot.publish", id=made)
        wait_until(lambda: len(proxy.seen) > 1, "another request")
        n.stop()  # within its deadline, though the store stands still
    finally:
        released.set()
        proxy.stop()


def test_without_a_store_nothing_is_published(node, peers):
    n = node(peers(1))
    n.sync(mode="full")
    made = publisher.create(n, height=200)["id"]
    with pytest.raises(RpcError, match="publish.endpoint is not set"):
        n.rpc("snapshot.publish", id=made)


def test_one_withdrawn_there_by_another_publisher_is_neither_named_nor_published(maker, store, bucket):
    n = maker(bucket, store.endpoint, watch_seconds=0)
    ids = [publisher.create(n, height=height)["id"] for height in (200, 220)]
    for made in ids:
        carried_out(n, "snapshot.publish", id=made)
    store.put(bucket, f"{PREFIX}/{ids[0]}/withdrawn.json", b"{}")
    job = n.wait_job(n.rpc("snapshot.publish", id=ids[0])["job_id"])
    assert job["state"] == "failed" and job["error"]["reason"] == "revoked", job
    n.rpc("snapshot.withdraw", id=ids[1], reason="a test")
    wait_until(lambda: latest(store, bucket) is None, "latest.json to go")

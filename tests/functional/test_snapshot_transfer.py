"""Bootstrap from Cairn snapshots: over HTTP, from directories, from many sources at once."""

import expect
import pytest
import snapkit
from cairnpeer import CairnPeer
from snapkit import Snapshot

HOSTS = ("127.21.0.1", "127.22.0.1", "127.23.0.1", "127.24.0.1")
EXTRA = 46000  # coins that no block made: nine chunks


@pytest.fixture
def cairns(chain):
    """cairns(n) starts n Cairns in n networks: with headers alone to be had from them, the
    coins rest on the signatures, so a state may be as large as a test likes."""
    started = []

    def start(count=3):
        new = [CairnPeer(chain, HOSTS[len(started) + i]) for i in range(count)]
        started.extend(new)
        return new

    yield start
    for peer in started:
        peer.stop()


@pytest.fixture(scope="session")
def large(_chain):
    return Snapshot(_chain, extra=EXTRA)


def arrived(n, chain, snapshot, **source):
    """The node is at the tip of chain, with the snapshot's coins below."""
    job = n.sync(**source)
    assert job["state"] == "succeeded", job
    assert expect.accepted(n) == [200]
    n.wait_tip(chain.tip["index"], chain.tip["hash"])
    made = n.rpc("checkpoint.provenance", height=200)
    assert made["state_root"] == snapshot.document["state_root"]
    assert made["provenance"]["snapshot"]["manifest_digest"] == snapshot.digest.hex()
    expect.audit_is_whole(n)
    return job


def source(job, manifest):
    """What the job says of the source with that manifest."""
    (found,) = (s for s in job["sources"] if s["url"] == manifest.rpartition("/")[0])
    return found


def test_bootstrap_from_a_manifest(node, peers, chain):
    """Three stock peers: blocks are walked, and the coins are compared with them."""
    three = peers(3)
    snapshot = Snapshot(chain)
    n = node(three)
    _, url = snapkit.serve(three[0], snapshot, "/snapshots")
    job = expect.bootstrapped(n, chain, url=url)
    state = n.rpc("checkpoint.provenance", height=200)["provenance"]["state"]
    assert state["equals_outputs_of_proven_blocks"] is True
    (only,) = job["sources"]
    assert only["kind"] == "url" and only["blamed"] is False and only["errors"] == 0
    assert only["verified_bytes"] == len(snapshot.body)


def test_many_chunks_from_one_source(node, cairns, chain, large):
    three = cairns(3)
    n = node(three)
    body, url = snapkit.serve(three[0], large)
    job = arrived(n, chain, large, url=url)
    assert body.bytes == len(large.body), "each byte once"
    assert source(job, url)["verified_bytes"] == len(large.body)


def test_the_latest_one_is_followed_to(node, cairns, chain, large):
    three = cairns(3)
    n = node(three)
    snapkit.serve(three[0], large, "/pub")
    arrived(n, chain, large, url=three[0].serve("/pub/latest.json", large.latest))


def test_bootstrap_from_a_directory(node, cairns, chain, large, tmp_path):
    allowed = tmp_path / "allowed"
    n = node(cairns(3), {"transfer": {"allow_paths": [str(allowed)]}})
    made = large.write(allowed / large.id)
    (allowed / "latest.json").write_bytes(large.latest)
    job = arrived(n, chain, large, path=str(made))
    assert [s["kind"] for s in job["sources"][:1]] == ["directory"]


def listed(snapshot):
    """As a Cairn lists it."""
    d = snapshot.document
    return {"block_hash": d["block_hash"], "bytes": d["bytes"], "coin_count": d["coin_count"],
            "digest": snapshot.digest.hex(), "frames_bytes": d["frames_bytes"],
            "height": d["height"], "id": snapshot.id, "signatures": 1,
            "state_root": d["state_root"]}


def test_the_snapshot_of_a_peer_is_found_and_taken(node, cairns, chain, large):
    """No URL at all: what peers list is on offer, is judged, and comes from all who have it."""
    three = cairns(3)
    for peer in three:
        snapkit.serve(peer, large, "/snapshots")
        peer.snapshots = [listed(large)]
    n = node(three)
    n.wait_tip(chain.tip["index"], chain.tip["hash"])
    job = n.rpc("jobs.list")["jobs"][0]
    assert job["state"] == "succeeded" and job["request"]["kind"] == "peers"
    assert sum(s["verified_bytes"] for s in job["sources"]) == len(large.body)
    made = n.rpc("checkpoint.provenance", height=200)
    assert made["state_root"] == large.document["state_root"]
    expect.audit_is_whole(n)


def test_a_snapshot_goes_from_node_to_node(node, cairns, chain, large):
    """Who bootstrapped from it serves it."""
    three = cairns(3)
    _, url = snapkit.serve(three[0], large)
    first = node(three, {"public": {"listen": "127.0.0.1:0"}})
    arrived(first, chain, large, url=url)
    for path in list(three[0].files):
        del three[0].files[path]
    url = f"http://{first.public_address}/snapshots/{large.id}/manifest.json"
    job = arrived(node(three), chain, large, url=url)
    assert source(job, url)["verified_bytes"] == len(large.body)

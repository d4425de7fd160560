"""The whole story of a snapshot: made by a node that follows, signed by two keys that were
never near a network, published to an object store and served by two peers; and a new node
that takes it from all three at once, while one of them corrupts and one crawls."""

import hashlib
import json
import struct

import expect
import publisher
import pytest
from crowd import crowded
from node import wait_until
from objectstore import ObjectStore
from sourceway import SourceWay
from test_offline import Signer, offline, passphrase  # noqa: F401
from test_publish import publish
from test_s34_snapshot_resume import building

CRAWL, SLOW = (500, 0.1), (8192, 0.1)
MIN_SPEED = 16 << 10
OPEN = {"public": {"listen": "127.0.0.1:0"}}
HEAD = 120


class Table:
    """The chunk table of a snapshot's directory."""

    def __init__(self, directory):
        rows = (directory / "chunks.bin").read_bytes()[8:]
        self.chunks, self.spans, at = [], [], 0
        for row in (rows[i : i + 112] for i in range(0, len(rows), 112)):
            raw, frame, _ = struct.unpack_from("<III", row, 36)
            self.chunks.append((raw, row[48:80]))
            self.spans.append((at, at + frame - 1))
            at += frame
        self.frames_bytes = at

    def written(self, coins_file):
        """Numbers of the chunks that are whole in such a file."""
        data = coins_file.read_bytes() if coins_file.exists() else b""
        at, found = HEAD, set()
        for i, (size, digest) in enumerate(self.chunks):
            if hashlib.sha256(data[at : at + size]).digest() == digest:
                found.add(i)
            at += size
        return found

    def bytes_of(self, chunks):
        return sum(self.spans[i][1] - self.spans[i][0] + 1 for i in chunks)


@pytest.fixture
def store(tmp_path):
    running = ObjectStore(tmp_path / "store")
    yield running
    running.stop()


@pytest.fixture
def ways():
    """ways(port, host, ...) starts a SourceWay."""
    started = []

    def start(*arguments, **more):
        started.append(SourceWay(*arguments, **more))
        return started[-1]

    yield start
    for way in started:
        way.stop()


@pytest.fixture
def signers(tmp_path, passphrase):  # noqa: F811
    return (Signer(tmp_path, "one", "ed25519", passphrase),
            Signer(tmp_path, "two", "secp256k1", passphrase))


def trusting(signers, **more):
    keys = {"trusted_pubkeys": [s.public for s in signers], "threshold": 2, "quorum": 3}
    return {"checkpoint": {**keys, **more}}


def derived(node, stock, signers, chain, serve):
    """A node that validated everything and follows."""
    n = node(stock, {**OPEN, **trusting(signers), "snapshots": {"serve": serve}})
    assert n.sync(mode="full")["state"] == "succeeded"
    expect.at_tip_of(n, chain)
    return n


def signed(tmp_path, manifest, signers):
    """The manifest with the signatures of both, each given where there is no network."""
    copies = [s.sign(manifest)[0] for s in signers]
    merged = tmp_path / "merged.json"
    offline("snapshot", "merge", *copies, "--out", merged)
    return json.loads(merged.read_text())


def brought_back(n, made, manifest):
    merged = n.rpc("snapshot.merge", id=made["id"], manifest=manifest)
    assert (merged["added"], merged["trusted"], merged["threshold"]) == (2, 2, 2)


def source_of(n, way):
    """What the newest job says of the source behind a way; None: nothing yet."""
    found = [s for job in n.rpc("jobs.list")["jobs"][:1]
             for s in n.rpc("jobs.get", job_id=job["job_id"])["sources"]
             if "state" in s and s["url"].startswith(way.endpoint)]
    assert len(found) <= 1, found
    return found[0] if found else None


def is_dropped(n, way, reason):
    """The job gave up the source behind a way for this reason: what it says of it."""
    found = source_of(n, way)
    if not found or found["state"] != "dropped":
        return None
    assert found["reason"] == reason, found
    return found


def nothing_twice(ways, table, verified):
    """verified: numbers of the chunks that were whole before each run.  Nobody was asked for
    one of them, and in each run none came whole twice from those who do not spoil."""
    for way in ways:
        for fetch in way.fetches:
            again = [i for i in verified[fetch.run] if fetch.touches(table.spans[i])]
            assert not again, (way.endpoint, fetch, again)
    for run in range(len(verified)):
        honest = [f for w in ways if not w.spoils for f in w.fetches if f.run == run]
        for i, span in enumerate(table.spans):
            assert sum(f.brought(span) for f in honest) <= 1, (run, i, honest)


@pytest.fixture
def published(node, peers, chain, store, signers, tmp_path):
    """A snapshot made by a node that follows, signed by both, published, and served by two
    nodes that made the same; where latest.json is, its directory, those nodes, and the
    simulated peers."""
    stock = peers(3)
    crowded(chain, 6)
    maker = derived(node, stock, signers, chain, serve=False)
    height = chain.mine_many(1, gap=1200.0).tip["index"]
    maker.wait_tip(height, chain.tip["hash"])
    made = publisher.create(maker, height=height)
    chain.mine_many(7, gap=1200.0)
    servers = [derived(node, stock, signers, chain, serve=True) for _ in range(2)]
    directory = maker.data_dir / "snapshots" / made["id"]
    manifest = signed(tmp_path, directory / "manifest.json", signers)
    brought_back(maker, made, manifest)
    for server in servers:
        own = publisher.create(server, height=height)
        assert own["id"] == made["id"]
        brought_back(server, own, manifest)
        assert publisher.files(server, made["id"]) == publisher.files(maker, made["id"])
    bucket = store.make_bucket("snapshots")
    publish(directory, store.endpoint, bucket)
    path = store.publish_to_all(bucket).removeprefix(store.endpoint)
    return path + "/snapshots/test/latest.json", directory, servers, stock


def port(n):
    return int(n.public_address.rpartition(":")[2])


def test_three_sources_one_corrupts_one_crawls_killed_twice(
        node, published, chain, store, ways, signers):
    latest, directory, servers, stock = published
    manifest, table = json.loads((directory / "manifest.json").read_text()), Table(directory)
    assert len(table.chunks) >= 10
    good = ways(store.port, "127.31.0.1", pace=SLOW)
    corrupt = ways(port(servers[0]), "127.32.0.1", spoils=True)
    crawl = ways(port(servers[1]), "127.33.0.1", pace=CRAWL)
    good.quick = 2
    n = node([], {
        "peers": [corrupt.endpoint, crawl.endpoint, *(p.url for p in stock)],
        "transfer": {"connections": 1, "min_speed": MIN_SPEED},
        **trusting(signers, url=good.endpoint + latest),
    })
    mismatch = "payload_hash_mismatch"
    blamed = wait_until(lambda: is_dropped(n, corrupt, mismatch), "who corrupts to be dropped")
    assert blamed["blamed"] and blamed["verified_bytes"] == 0
    wait_until(lambda: any(f.sent for f in crawl.fetches), "who crawls to begin")
    assert good.fetches and corrupt.fetches, "all three at once"

    verified = [set()]
    for run in (1, 2):
        wait_until(lambda: len(table.written(building(n))) >= len(verified[-1]) + 2, "chunks")
        assert n.rpc("jobs.list")["jobs"][0]["stage"] == "fetching"
        n.kill9()
        verified.append(table.written(building(n)))
        for way in (good, corrupt, crawl):
            way.run = run
        good.quick = 2
        n.start()

    wait_until(lambda: is_dropped(n, crawl, "source_too_slow"), "who crawls to be dropped")
    good.pace = None
    (job,) = n.rpc("jobs.list")["jobs"]
    assert n.wait_job(job["job_id"])["state"] == "succeeded"
    expect.at_tip_of(n, chain)
    assert expect.accepted(n) == [manifest["height"]]
    why = n.rpc("checkpoint.provenance", height=manifest["height"])
    assert why["state_root"] == manifest["state_root"]

    nothing_twice((good, corrupt, crawl), table, verified)
    left = table.frames_bytes - table.bytes_of(verified[-1])
    assert source_of(n, good)["verified_bytes"] == left
    assert is_dropped(n, crawl, "source_too_slow")["verified_bytes"] == 0
    assert {f.run for f in corrupt.fetches} == {0}, "a banned peer was asked"
    banned = next(p for p in n.rpc("peers.list")["peers"] if p["address"] == corrupt.endpoint)
    assert banned["ban_reason"] == mismatch and banned["ban_evidence"]

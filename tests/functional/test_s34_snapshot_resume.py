"""Scenarios 33 to 36 for a snapshot's body: killed at every chunk, and what a run left behind."""

import threading

import expect
import pytest
import snapkit
from node import wait_until
from snapkit import Snapshot
from stockpeer import Answer
from test_snapshot_transfer import arrived, cairns, large, source  # noqa: F401


class Gate:
    """A source that answers so many requests for frames, and then none until it is opened
    again.  delivered: what it gave in full."""

    def __init__(self, requests):
        self.left = requests
        self.delivered = []
        self.lock = threading.Lock()

    def __call__(self, first, last, asked, honest):
        with self.lock:
            if self.left <= 0:
                return Answer(hang=True)
            self.left -= 1
            self.delivered.append((first, last))
        return None


def building(n):
    """The coin file of the newest generation."""
    found = sorted((n.data_dir / "generations").glob("*/base.coins"))
    return found[-1] if found else n.data_dir / "none"


def overlap(ranges, spans):
    return [(r, s) for r in ranges for s in spans if r[0] <= s[1] and s[0] <= r[1]]


def test_34_killed_at_every_chunk(node, cairns, chain, large):  # noqa: F811
    three = cairns(3)
    gate = Gate(1)
    _, url = snapkit.serve(three[0], large, lie=gate)
    n = node(three)
    n.rpc("sync.start", url=url)
    kills, had = 0, set()
    while len(had) < len(large.chunks) - 1:
        wait_until(lambda: len(large.written(building(n))) > len(had), "another chunk")
        n.kill9()
        kills += 1
        had = large.written(building(n))
        spans = [large.spans()[i] for i in had]
        before = len(gate.delivered)
        gate.left = 1
        n.start()
        if len(had) < len(large.chunks):
            wait_until(lambda: len(gate.delivered) > before, "a request")
        again = overlap(gate.delivered[before:], spans)
        assert again == [], "a verified byte was fetched again"
    gate.left = 1000
    n.wait_tip(chain.tip["index"], chain.tip["hash"])
    assert kills >= 3
    assert n.rpc("checkpoint.provenance", height=200)["state_root"] == \
        large.document["state_root"]
    assert expect.accepted(n) == [200]
    expect.audit_is_whole(n)


def stopped_half_way(node, cairns, large, config=None):  # noqa: F811
    """A node that was killed with some chunks and not all."""
    three = cairns(3)
    gate = Gate(2)
    _, url = snapkit.serve(three[0], large, lie=gate)
    n = node(three, config)
    n.rpc("sync.start", url=url)
    wait_until(lambda: len(large.written(building(n))) >= 2, "two chunks")
    n.kill9()
    return n, three, gate, url


def finished(n, chain, snapshot):
    n.wait_tip(chain.tip["index"], chain.tip["hash"])
    made = n.rpc("checkpoint.provenance", height=200)
    assert made["state_root"] == snapshot.document["state_root"]
    expect.audit_is_whole(n)


def test_35_another_snapshot_at_the_same_place(node, cairns, chain, large):  # noqa: F811
    n, three, gate, url = stopped_half_way(node, cairns, large)
    other = Snapshot(chain, extra=9000)
    path = url.removeprefix(three[0].url).rpartition("/")[0]
    three[0].serve(path + "/manifest.json", other.manifest)
    three[0].files[path + "/chunks.bin"] = snapkit.Body(other.table)
    three[0].files[path + "/base.coins.zst"] = snapkit.Body(other.body)
    n.start()
    finished(n, chain, other)
    assert "source_changed" in n.log()


def test_33_the_body_changes_half_way(node, cairns, chain, large):  # noqa: F811
    """The manifest is as it was: whose bytes are others is blamed, a good one takes over."""
    n, three, gate, url = stopped_half_way(node, cairns, large)
    other = Snapshot(chain, extra=46001)
    path = url.removeprefix(three[0].url).rpartition("/")[0]
    three[0].files[path + "/base.coins.zst"] = snapkit.Body(other.body)
    good, _ = snapkit.serve(three[1], large, "/snapshots")
    n.start()
    finished(n, chain, large)
    job = n.rpc("jobs.list")["jobs"][0]
    assert source(job, url)["reason"] in ("payload_hash_mismatch", "source_changed")


def test_the_manifest_is_gone_and_others_have_the_body(node, cairns, chain, large):  # noqa: F811
    n, three, gate, url = stopped_half_way(node, cairns, large)
    for path in list(three[0].files):
        del three[0].files[path]
    snapkit.serve(three[1], large, "/snapshots")
    n.start()
    finished(n, chain, large)


@pytest.mark.parametrize("what", ["coins", "parts", "table", "manifest", "all of incoming"])
def test_what_rotted_meanwhile_is_fetched_again(node, cairns, chain, large, what):  # noqa: F811
    n, three, gate, url = stopped_half_way(node, cairns, large)
    coins, incoming = building(n), n.data_dir / "incoming/1"
    if what == "coins":
        raw = bytearray(coins.read_bytes())
        raw[200] ^= 1
        coins.write_bytes(bytes(raw))
    elif what == "parts":
        (incoming / "index.parts").write_bytes(b"x" * 5000)
    elif what == "table":
        (incoming / "chunks.bin").write_bytes(b"y" * 500)
    elif what == "manifest":
        (incoming / "manifest.json").write_bytes(b"{}")
    else:
        for path in incoming.iterdir():
            path.unlink()
    gate.left = 1000
    n.start()
    finished(n, chain, large)


def test_cancelled_and_begun_anew(node, cairns, chain, large):  # noqa: F811
    three = cairns(3)
    gate = Gate(2)
    _, url = snapkit.serve(three[0], large, lie=gate)
    n = node(three)
    job = n.rpc("sync.start", url=url)["job_id"]
    wait_until(lambda: len(large.written(building(n))) >= 2, "two chunks")
    n.rpc("sync.cancel", job_id=job)
    wait_until(lambda: not any((n.data_dir / "incoming").iterdir()), "its files to go")
    gate.left = 1000
    arrived(n, chain, large, url=url)


def test_three_sources_one_corrupts_one_crawls_killed_twice(  # noqa: F811
        node, cairns, chain, large):
    three = cairns(4)  # one will be banned, and three are to agree
    good_gate = Gate(2)
    good, url = snapkit.serve(three[0], large, lie=good_gate)

    def corrupt(first, last, asked, honest):
        body = bytearray(honest.body)
        body[len(body) // 2] ^= 16
        honest.body = bytes(body)
        return honest

    snapkit.serve(three[1], large, "/snapshots", lie=corrupt)
    snapkit.serve(three[2], large, "/snapshots", pace=(100, 0.1))
    n = node(three)
    n.rpc("sync.start", url=url)
    had = set()
    for _ in range(2):
        wait_until(lambda: len(large.written(building(n))) > len(had), "chunks")
        n.kill9()
        had = large.written(building(n))
        before = len(good_gate.delivered)
        good_gate.left = 2
        n.start()
        wait_until(lambda: len(good_gate.delivered) > before, "more requests")
        assert overlap(good_gate.delivered[before:], [large.spans()[i] for i in had]) == []
    good_gate.left = 1000
    finished(n, chain, large)
    assert expect.peer_of(n, three[1])["ban_reason"] == "payload_hash_mismatch"


PUBLIC = {"public": {"listen": "127.0.0.1:0"}}


def test_what_was_fetched_can_be_served(node, cairns, chain, large):  # noqa: F811
    """Kept as it came, though the node was killed on the way, and what it had not kept yet
    is packed again."""
    n, three, gate, url = stopped_half_way(node, cairns, large, PUBLIC)
    shelf = n.data_dir / "snapshots"
    (part,) = shelf.iterdir()
    assert part.name == large.id + ".incomplete"
    (part / "base.coins.zst").unlink()
    gate.left = 1000
    n.start()
    finished(n, chain, large)
    assert [p.name for p in shelf.iterdir()] == [large.id]
    for name in snapkit.FILES:
        assert (shelf / large.id / name).read_bytes() == large.file(name), name


def test_what_was_refused_is_not_kept(node, cairns, chain, large):  # noqa: F811
    three = cairns(3)
    n = node(three, PUBLIC)

    def lie(first, last, asked, honest):
        if first == 0:
            return None
        honest.body = bytes(len(honest.body))
        return honest

    _, url = snapkit.serve(three[0], large, lie=lie)
    expect.refused(n, "payload_hash_mismatch", url=url)
    assert not any((n.data_dir / "snapshots").iterdir())

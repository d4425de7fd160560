"""Other shapes of XAI's checkpoints: chunked snapshots and a node's own checkpoint files."""

import base64
import json
import os
import threading

import chunked
import expect
import pytest
import stockpeer
import xai
from node import wait_until

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("compress", [True, False])
def test_bootstrap_from_a_directory_of_chunks(node, peers, chain, payload, tmp_path, compress):
    at = chunked.Snapshot(payload, compress=compress).write(tmp_path / "in" / "snapshot")
    n = node(peers(3), {"transfer": {"allow_paths": [str(tmp_path / "in")]}})
    expect.bootstrapped(n, chain, path=str(at))


def test_a_chunk_of_another_snapshot_in_the_directory(node, peers, payload, tmp_path):
    at = chunked.Snapshot(payload).write(tmp_path / "in" / "snapshot")
    os.replace(at / "chunk_000003.bin", at / "chunk_000004.bin")
    n = node(peers(3), {"transfer": {"allow_paths": [str(tmp_path / "in")]}})
    expect.refused(n, "source_unreachable", path=str(at))  # 3 is missing
    (at / "chunk_000003.bin").write_bytes((at / "chunk_000004.bin").read_bytes())
    expect.refused(n, "peer_bad_answer", path=str(at))


@pytest.mark.parametrize("name", ["cp_200.plain.json", "cp_200.encrypted.json"])
def test_bootstrap_from_a_checkpoint_file(node, peers, chain, tmp_path, name):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes((xai.DATA / "checkpoint" / name).read_bytes())
    (tmp_path / "key").write_text(KEY + "\n")
    n = node(peers(3), {"transfer": {"allow_paths": [str(tmp_path / "in")]},
                        "checkpoint": {"threshold": 0, "file_key": str(tmp_path / "key")}})
    expect.bootstrapped(n, chain, path=str(tmp_path / "in" / name))


def test_a_checkpoint_file_at_a_url(node, peers, chain):
    three = peers(3)
    url = three[0].serve("/cp_200.json", (xai.DATA / "checkpoint/cp_200.plain.json").read_bytes())
    expect.bootstrapped(node(three, {"checkpoint": {"threshold": 0}}), chain, url=url)


def test_an_encrypted_file_without_its_key(node, peers, tmp_path):
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "cp.json"
    file.write_bytes((xai.DATA / "checkpoint/cp_200.encrypted.json").read_bytes())
    n = node(peers(3), {"transfer": {"allow_paths": [str(tmp_path / "in")]}})
    job = expect.refused(n, "metadata_malformed", path=str(file))
    assert "checkpoint.file_key" in job["error"]["detail"]


def test_a_checkpoint_file_is_not_signed(node, peers, tmp_path):
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "cp.json"
    file.write_bytes((xai.DATA / "checkpoint/cp_200.plain.json").read_bytes())
    n = node(peers(3), {"transfer": {"allow_paths": [str(tmp_path / "in")]}})
    expect.refused(n, "unsigned", path=str(file))


# --- chunks over HTTP ---


@pytest.mark.parametrize("compress", [True, False])
def test_chunks_come_from_every_peer_that_has_them(node, peers, chain, payload, compress):
    three = peers(3)
    snapshot = chunked.Snapshot(payload, chunk_size=2000, compress=compress)
    url = [snapshot.serve(p) for p in three][0]
    n = node(three)
    expect.bootstrapped(n, chain, url=url)
    got = [p.requests_matching(r"/sync/snapshot/[^/]*/chunk/[0-9]*") for p in three]
    assert all(got) and sum(got) == len(snapshot.raw), got


def test_a_chunk_that_only_one_peer_has(node, peers, chain, payload):
    three = peers(3)
    snapshot = chunked.Snapshot(payload, chunk_size=20000)
    url = snapshot.serve(three[0])
    snapshot.serve(three[1])
    three[0].faults.insert(0, (r"/sync/snapshot/[^/]*/chunk/7", stockpeer.not_found()))
    expect.bootstrapped(node(three), chain, url=url)
    assert three[1].requests_matching(r"/sync/snapshot/[^/]*/chunk/7") >= 1


def test_a_peer_with_a_snapshot_of_another_state_gives_nothing(node, peers, chain, payload):
    three = peers(3)
    url = chunked.Snapshot(payload, chunk_size=20000).serve(three[0])
    other = chunked.Snapshot(dict(payload, state_hash="ab" * 32), chunk_size=20000)
    other.serve(three[1])
    expect.bootstrapped(node(three), chain, url=url)
    assert three[1].requests_matching(r"/sync/snapshot/[^/]*/chunk/[0-9]*") == 0


def test_a_damaged_chunk_is_told_at_once_and_had_elsewhere(node, peers, chain, payload):
    three = peers(3)
    snapshot = chunked.Snapshot(payload, chunk_size=20000, compress=False)
    url = snapshot.serve(three[0])
    snapshot.serve(three[1])

    def damaged(path):
        answer = snapshot.chunk(int(path.rsplit("/", 1)[1]))
        answer.body = b"x" + answer.body[1:]
        return answer

    three[1].faults.insert(0, (r"/sync/snapshot/[^/]*/chunk/[0-9]*", damaged))
    n = node(three)
    expect.bootstrapped(n, chain, url=url)
    assert "is not what its checksum says" in n.log()


def test_a_wrong_chunk_with_a_right_checksum_is_everybodys(node, peers, chain, payload):
    three = peers(3)
    lying = json.loads(json.dumps(payload))
    entries = next(iter(lying["data"]["utxo_snapshot"]["utxo_set"].values()))
    entries[0]["vout"] = 7
    snapshots = [chunked.Snapshot(payload, chunk_size=5000), chunked.Snapshot(lying, chunk_size=5000)]
    assert snapshots[0].id == snapshots[1].id and len(snapshots[0].body) == len(snapshots[1].body)
    url = snapshots[0].serve(three[0])
    snapshots[1].serve(three[1])
    n = node(three)
    at = next(i for i, raw in enumerate(snapshots[0].raw) if raw != snapshots[1].raw[i])
    three[0].faults.insert(0, (rf"/sync/snapshot/[^/]*/chunk/{at}", stockpeer.not_found()))
    job = expect.refused(n, "payload_hash_mismatch", url=url)
    assert "a chunk of one of 2 sources is wrong, and nothing says whose" in job["error"]["detail"]


def test_a_body_of_one_source_is_its_own_fault(node, peers, payload):
    three = peers(3)
    lying = json.loads(json.dumps(payload))
    lying["data"]["utxo_snapshot"]["total_utxos"] += 1
    url = chunked.Snapshot(lying, chunk_size=5000).serve(three[0])
    job = expect.refused(node(three), "payload_hash_mismatch", url=url)
    assert "sources" not in job["error"]["detail"]


def test_no_chunk_anywhere(node, peers, payload):
    three = peers(3)
    url = chunked.Snapshot(payload, chunk_size=5000).serve(three[0])
    three[0].faults.insert(0, (r"/sync/snapshot/[^/]*/chunk/[0-9]*", stockpeer.not_found()))
    expect.refused(node(three), "source_unreachable", url=url)


def test_a_description_over_the_limit(node, peers, payload):
    three = peers(3)
    url = chunked.Snapshot(payload).serve(three[0])
    n = node(three, {"transfer": {"max_bytes": 100000}})
    expect.refused(n, "payload_too_large", url=url)
    assert three[0].requests_matching(r"/sync/snapshot/[^/]*/chunk/[0-9]*") == 0


def test_killed_on_the_way_and_no_chunk_twice(node, peers, chain, payload):
    three = peers(3)
    snapshot = chunked.Snapshot(payload, chunk_size=4000)
    url = snapshot.serve(three[0])
    hold = threading.Event()
    asked = []

    def slow(path):
        asked.append(path)
        if len(asked) > len(snapshot.raw) // 2 and not hold.is_set():
            return stockpeer.Answer(503, {"error": "later"}, {"Retry-After": "30"})
        return None

    three[0].faults.insert(0, (r"/sync/snapshot/[^/]*/chunk/[0-9]*", slow))
    n = node(three)
    job = n.rpc("sync.start", url=url)["job_id"]
    notes = n.data_dir / "incoming" / "1" / "payload.chunks"
    half = len(snapshot.raw) // 2
    wait_until(lambda: notes.exists() and notes.stat().st_size >= 32 + 36 * half, "half of them")
    n.kill9()
    before = set(asked[:half])
    hold.set()
    del asked[:]
    n.restart()
    assert n.wait_job(job)["state"] == "succeeded"
    expect.at_tip_of(n, chain)
    assert not before & set(asked), "a chunk was had twice"

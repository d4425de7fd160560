"""Other shapes of XAI's checkpoints: chunked snapshots and a node's own checkpoint files."""

import base64
import os

import chunked
import expect
import pytest
import xai

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

"""snapshot.export and snapshot.delta: XAI's shapes of a snapshot, given to others too."""

import base64
import gzip
import hashlib
import json

import expect
import p2praw
import publisher
import pytest
import test_cli
import xai
from node import RpcError
from test_public import Public


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def maker(node, peers, out):
    """A node that validated everything to 240 and may write in out."""
    n = node(peers(1), {"transfer": {"allow_paths": [str(out)]},
                        "public": {"listen": "127.0.0.1:0"}})
    assert n.sync(mode="full")["state"] == "succeeded"
    return n


def finished(n, method, **params):
    job = n.wait_job(publisher.shaped(n, method, **params)["job_id"])
    assert job["state"] == "succeeded", job
    return job["result"]


def test_the_payload_is_what_a_node_bootstraps_from(maker, node, peers, chain, out):
    made = publisher.create(maker, height=200)
    path = out / "payload.json"
    result = finished(maker, "snapshot.export", id=made["id"], format="payload", path=str(path))
    manifest = maker.rpc("snapshot.get", id=made["id"])["manifest"]
    assert result["state_hash"] == manifest["xai_state_hash"]
    text = path.read_bytes()
    payload = json.loads(text)
    assert text == xai.spaced(payload)  # canonical
    assert xai.state_hash(payload["data"]) == payload["state_hash"] == result["state_hash"]
    assert payload["work"] == chain.work(200) and "signature" not in payload
    other = node(peers(3), {"checkpoint": {"threshold": 0},
                            "transfer": {"allow_paths": [str(out)]}})
    expect.bootstrapped(other, chain, path=str(path))


def test_where_it_may_not_be_written(maker, tmp_path, out):
    made = publisher.create(maker, height=200)
    (out / "here").write_text("mine")
    (out / "link").symlink_to(tmp_path)
    for path, reason in ((tmp_path / "elsewhere", "source_forbidden"),
                         (out / "../elsewhere", "source_forbidden"),
                         (out / "link/elsewhere", "source_forbidden"),
                         (out / "here", "conflict"), (out / "no/such", "not_found"),
                         ("payload.json", "invalid")):
        with pytest.raises(RpcError) as e:
            maker.rpc("snapshot.export", id=made["id"], format="payload", path=str(path))
        assert e.value.reason == reason, path
    with pytest.raises(RpcError) as e:
        maker.rpc("snapshot.export", id=made["id"], format="payload")
    assert e.value.reason == "invalid"
    assert (out / "here").read_text() == "mine"


def test_a_node_bootstraps_from_the_chunks_of_a_cairn(maker, node, peers, chain):
    public = Public(maker)
    assert public.json("/sync/snapshot/latest", 503)["error"] == "Chunked sync not enabled"
    made = publisher.create(maker, height=200)
    finished(maker, "snapshot.export", id=made["id"], format="chunks")
    name = f"height_200_{chain[200]['hash'][:8]}"
    told = public.json("/sync/snapshot/latest")
    assert told["status"] == "ok" and told["snapshot"]["snapshot_id"] == name
    assert public.json(f"/sync/snapshot/{name}") == told
    assert public.json("/sync/snapshots") == {
        "count": 1, "snapshots": [told["snapshot"]], "status": "ok"}
    assert public.json(f"/sync/snapshot/{name}/chunks")["chunks"] == [
        {"chunk_index": 0, "priority": 2, "url": f"/sync/snapshot/{name}/chunk/0"}]
    status, headers, body = public.get(f"/sync/snapshot/{name}/chunk/0")
    assert status == 200 and headers["x-compressed"] == "false"
    assert headers["x-chunk-index"] == "0" and headers["x-total-chunks"] == "1"
    assert headers["x-chunk-checksum"] == hashlib.sha256(body).hexdigest()
    for path in ("height_200_00000000", "..", f"{name}/chunk/1", f"{name}/chunk/x", f"{name}/x"):
        public.json(f"/sync/snapshot/{path}", 404)
    other = node(peers(3), {"checkpoint": {"threshold": 0}})
    expect.bootstrapped(other, chain, url=f"http://{public.address}/sync/snapshot/latest")
    maker.rpc("snapshot.delete", id=made["id"])
    public.json("/sync/snapshot/latest", 503)


def test_a_stock_nodes_directory(maker, node, peers, chain, out):
    made = publisher.create(maker, height=200)
    finished(maker, "snapshot.export", id=made["id"], format="stock", path=str(out / "stock"))
    cp = json.loads((out / "stock/checkpoints/cp_200.json").read_bytes())
    assert cp["block_hash"] == chain[200]["hash"] and cp["previous_hash"] == chain[199]["hash"]
    want = {k: cp[k] for k in ("block_hash", "difficulty", "height", "merkle_root", "nonce",
                               "previous_hash", "timestamp", "total_supply")}
    assert cp["checkpoint_hash"] == xai.sha256_hex(xai.spaced(want))
    assert cp["utxo_snapshot"]["total_utxos"] == len(chain.coins(200))
    chunks = out / "stock/chunked_sync/snapshots" / f"height_200_{chain[200]['hash'][:8]}"
    other = node(peers(3), {"checkpoint": {"threshold": 0},
                            "transfer": {"allow_paths": [str(out)]}})
    expect.bootstrapped(other, chain, path=str(chunks))


def test_a_delta_between_two_of_them(maker, out):
    first = publisher.create(maker, height=150)
    second = publisher.create(maker, height=200)
    result = finished(maker, "snapshot.delta", base=first["id"], id=second["id"],
                      path=str(out / "delta"))
    assert result["bytes"] == (out / "delta").stat().st_size
    assert (out / "delta").read_bytes()[:8] == b"CAIRNDL1"
    assert second["coin_count"] == first["coin_count"] - result["removed"] + result["added"]
    with pytest.raises(RpcError):
        maker.rpc("snapshot.delta", base="150-0000000000000000", id=second["id"],
                  path=str(out / "other"))


def test_a_chunk_over_p2p(node, peers, out):
    n = node(peers(1), {"p2p": {"enabled": True, "listen": "127.0.0.1:0"}})
    assert n.sync(mode="full")["state"] == "succeeded"
    made = publisher.create(n, height=200)
    finished(n, "snapshot.export", id=made["id"], format="chunks")
    (kept,) = (n.data_dir / "chunked").iterdir()
    with p2praw.RawPeer(n.p2p) as peer:
        peer.join()
        peer.say({"type": "chunk_request", "payload": {"snapshot_id": kept.name, "chunk_index": 1}})
        peer.say({"type": "chunk_request", "payload": {"snapshot_id": kept.name, "chunk_index": 0}})
        assert peer.hears("chunk_response")
        peer.read(lambda got: b'"total_chunks":1' in got)
        said = peer.got.decode("latin-1")
    assert said.count("chunk_response") == 1
    told = json.loads(said[said.index('{"checksum"'):said.index('"total_chunks":1') + 16] + "}")
    data = gzip.decompress(base64.b64decode(told["data"]))
    assert data == (kept / "chunk_000000.bin").read_bytes()
    assert told["checksum"] == hashlib.sha256(data).hexdigest()
    assert told["snapshot_id"] == kept.name and told["size_bytes"] == len(data)


def test_a_delta_made_and_applied_without_a_daemon(maker, out):
    ids = [publisher.create(maker, height=h)["id"] for h in (150, 200)]
    first, second = (maker.data_dir / "snapshots" / i for i in ids)

    def cairn(*words):
        ran = test_cli.run(*words)
        return ran.code, ran.out + ran.err

    delta = out / "delta"
    assert cairn("snapshot", "delta", first, second, "--out", delta)[0] == 0
    code, said = cairn("snapshot", "apply", first, delta, "--out", out)
    assert code == 0 and ids[1] in said, said
    for name in publisher.FILES:
        assert (out / ids[1] / name).read_bytes() == (second / name).read_bytes(), name
    assert cairn("snapshot", "verify", out / ids[1])[0] == 0
    assert cairn("snapshot", "apply", second, delta, "--out", out)[0] != 0  # another base
    assert cairn("snapshot", "apply", first, delta)[0] == test_cli.USAGE  # where to?
    broken = bytearray(delta.read_bytes())
    broken[len(broken) // 2] ^= 1
    (out / "broken").write_bytes(broken)
    (out / "here").mkdir()
    code, said = cairn("snapshot", "apply", first, out / "broken", "--out", out / "here")
    assert code != 0 and "a frame has another hash" in said, said
    assert list((out / "here").iterdir()) == []

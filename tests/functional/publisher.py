"""What tests do with a node that makes snapshots."""

import hashlib
import json

import shape
import xai
from node import wait_until

FILES = ("base.coins.zst", "chunks.bin", "manifest.json")


def create(n, **what):
    """The result of snapshot.create, carried to its end."""
    job = n.wait_job(n.rpc("snapshot.create", **what)["job_id"])
    assert job["state"] == "succeeded", job
    assert job["kind"] == "snapshot" and job["stage"] == "done"
    return job["result"]


def shelf(n):
    """What is in the directory of snapshots, whole or not."""
    return sorted(p.name for p in (n.data_dir / "snapshots").iterdir())


def ids(n):
    return [s["id"] for s in n.rpc("snapshot.list")["snapshots"]]


def files(n, snapshot):
    return {name: (n.data_dir / "snapshots" / snapshot / name).read_bytes() for name in FILES}


def digest(manifest):
    """What is signed of a manifest: docs/snapshot-format.md."""
    body = {k: v for k, v in manifest.items() if k not in ("signatures", "xai_signatures")}
    return hashlib.sha256(b"cairn-manifest-v1\0" + xai.canon(body)).digest()


def signed(manifest, *keys):
    what = digest(manifest)
    made = [{"alg": k.alg, "key": k.hex, "signature": k.sign_digest(what)}
            for k in sorted(keys, key=lambda k: k.text)]
    return dict(manifest, signatures=made)


def shaped(n, method, **params):
    """The result, which has the shape that openrpc.json tells."""
    result = n.rpc(method, **params)
    document = n.rpc("rpc.discover")
    (described,) = (m for m in document["methods"] if m["name"] == method)
    shape.check(result, described["result"]["schema"], document, method)
    return result


class Hold:
    """A file: as long as it is there, a snapshot that is made stops at its first coin."""

    def __init__(self, directory):
        self.file = directory / "hold"
        self.file.write_text("")
        self.environment = {"CAIRN_TEST_HOOKS": "1", "CAIRN_TEST_HOLD": str(self.file)}

    def release(self):
        self.file.unlink()

    def begin(self, n, **what):
        """A snapshot.create that stands at its first coin: its job."""
        job_id = n.rpc("snapshot.create", **what)["job_id"]
        wait_until(lambda: any(name.endswith(".incomplete") for name in shelf(n)),
                   "the snapshot's directory")
        wait_until(lambda: (n.rpc("jobs.get", job_id=job_id)["progress"] or {}).get("total"),
                   "the job to know how many coins there are")
        return job_id


def text(manifest):
    return json.dumps(manifest)

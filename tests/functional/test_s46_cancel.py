"""Scenario 46: a job cancelled, and the daemon told to end, in every stage; what can be held
still is held still by a peer or a source that does not answer, the rest is met by chance."""

import contextlib
import json
import os
import random
import time

import expect
import pytest
import stockpeer as s
import wire
from node import RpcError, wait_until

END_SECONDS = 15  # for SIGTERM, on a loaded machine


class Held:
    """Three peers and a source, of which something hangs until let_go()."""

    def __init__(self, three, body, stage):
        self.three, self.body, self.stage = three, body, stage
        self.holding = True
        self.tips = 0
        if stage == "deciding":
            for peer in three:
                peer.fail(r"/blocks/1?\d?\d", self.hang)
        if stage == "headers":
            for peer in three:
                peer.fail(r"/block/latest", self.hang_second)

    def let_go(self):
        self.holding = False

    def hang(self, path):
        return s.Answer(hang=True) if self.holding else None

    def hang_second(self, path):
        """Each is asked for its tip when the job begins, and when its state is mounted."""
        self.tips += 1
        return self.hang(path) if self.tips > len(self.three) else None

    def source(self, request):
        ends = request.range and request.range.startswith(("bytes=0-", "bytes=-"))
        hangs = {"discovering": True, "fetching": not ends}.get(self.stage, False)
        text = wire.honest(self.body)(request)
        if not (self.holding and hangs):
            yield text
            return
        yield text[: 0 if self.stage == "discovering" else len(text) // 2]
        while self.holding and not self.wire.stopped.wait(0.05):
            pass


STAGES = ("discovering", "deciding", "fetching", "headers")


@pytest.fixture(params=STAGES)
def held(request, node, peers, payload):
    """A node whose job stands still in that stage."""
    hold = Held(peers(3), json.dumps(payload).encode(), request.param)
    n = node(hold.three)
    with wire.Wire(hold.source) as w:
        hold.wire = w
        job_id = n.rpc("sync.start", url=w.url, idempotency_key="the one")["job_id"]
        wait_until(lambda: n.rpc("sync.wait", job_id=job_id, timeout_ms=1)["stage"] == hold.stage,
                   hold.stage)
        yield n, hold, job_id
        hold.let_go()


def leftovers(n):
    return [str(p.relative_to(n.data_dir)) for d in ("incoming", "generations")
            for p in (n.data_dir / d).iterdir()]


def only_what_lives(n, live):
    """No download; the live generation, and perhaps the one before it."""
    left = leftovers(n)
    return len(left) in ((1, 2) if live else (0,)) and not any("incoming" in x for x in left)


@pytest.mark.tsan
def test_46_cancelled_in(held, chain):
    n, hold, job_id = held
    begun = time.monotonic()
    n.rpc("sync.cancel", job_id=job_id)
    job = n.wait_job(job_id)
    assert time.monotonic() - begun < 5
    assert job["state"] == "cancelled", job
    with pytest.raises(RpcError) as again:
        n.rpc("sync.cancel", job_id=job_id)
    assert again.value.reason == "conflict"
    kinds = n.http("/api/v1/audit.ndjson")[1].decode()
    assert "sync.cancel" in kinds
    expect.audit_is_whole(n)
    hold.let_go()
    if hold.stage == "headers":
        # The checkpoint was accepted before; the node follows without the job.
        assert expect.accepted(n) == [200]
    else:
        assert n.status()["tip"] is None
        assert leftovers(n) == []
        assert expect.accepted(n) == []
        job = n.sync(url=hold.wire.url)
        assert job["state"] == "succeeded", job
    expect.at_tip_of(n, chain)


def test_46_sigterm_in(held, chain):
    """It ends with 0 and in time, and the next start goes on to the job's end."""
    n, hold, job_id = held
    begun = time.monotonic()
    n.stop()
    assert time.monotonic() - begun < END_SECONDS
    hold.let_go()
    n.start()
    job = n.wait_job(job_id)
    assert job["state"] == "succeeded", job
    expect.at_tip_of(n, chain)
    assert expect.accepted(n) == [200]
    assert leftovers(n) == [f"generations/{n.status()['generation']}"]


def test_46_a_second_start_while_one_runs(held, chain):
    n, hold, job_id = held
    for method in ("sync.start", "sync.rebootstrap"):
        with pytest.raises(RpcError) as refused:
            n.rpc(method, url=hold.wire.url, **({"reason": "x"} if "re" in method else {}))
        assert refused.value.reason == "conflict"
        assert job_id in str(refused.value)
    same = n.rpc("sync.start", url="http://127.0.0.1:1/other", idempotency_key="the one")
    assert same["job_id"] == job_id
    hold.let_go()
    if hold.stage in ("discovering", "fetching"):
        assert n.wait_job(job_id, 120)["state"] == "succeeded"
        expect.at_tip_of(n, chain)
    assert len(n.rpc("jobs.list")["jobs"]) == 1


def test_46_what_a_download_leaves_behind_its_job_goes(node, peers, payload, tmp_path):
    """The transfer opens its file when the job's directory has just gone.  Here a FIFO
    without a reader keeps it in that open, until it is let go by the FIFO's other name."""
    (peer,) = peers(1)
    n = node(peers(2), {"checkpoint": {"quorum": 0, "min_peers": 0}})
    own = n.data_dir / "incoming" / "1"
    own.mkdir()
    os.mkfifo(own / "payload.part")
    os.link(own / "payload.part", tmp_path / "again")
    source = s.Resource(payload, ranges=False)
    job_id = n.rpc("sync.start", url=peer.serve("/cp.json", source))["job_id"]
    wait_until(lambda: peer.requests["/cp.json"] >= 3, "the whole body to be asked for")
    n.rpc("sync.cancel", job_id=job_id)
    assert n.wait_job(job_id)["state"] == "cancelled"
    assert leftovers(n) == []
    own.mkdir()
    (own / "payload.part").write_bytes(b"of a job that has ended")
    reader = os.open(tmp_path / "again", os.O_RDONLY | os.O_NONBLOCK)

    def gone():
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 1 << 20)
        return leftovers(n) == []

    wait_until(gone, "the transfer's leftovers to go")
    os.close(reader)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_46_cancelled_at_any_moment(node, peers, chain, payload, seed):
    """Cancelled or done, never between: no leftovers, and the next one succeeds."""
    three = peers(3)
    n = node(three)
    url = three[0].serve("/cp.json", payload)
    dice = random.Random(seed)
    for _ in range(8):
        job_id = n.rpc("sync.rebootstrap", url=url, reason="test")["job_id"]
        time.sleep(dice.uniform(0, 0.6))  # the moment is the point: any will do
        try:
            n.rpc("sync.cancel", job_id=job_id)
        except RpcError as e:
            assert e.reason == "conflict"
        job = n.wait_job(job_id)
        assert job["state"] in ("cancelled", "succeeded"), job
        live = n.status()["generation"]
        wait_until(lambda live=live: only_what_lives(n, live), "what the job left to go")
    assert n.rebootstrap(url=url)["state"] == "succeeded"
    expect.at_tip_of(n, chain)
    expect.audit_is_whole(n)

"""Disk full, read-only and out of descriptors: said in so many words, survived, and over
once there is room again.  The data directory is a small tmpfs of the test's own."""

import contextlib
import os
import shutil
import socket
import subprocess
import time

import crash
import expect
import kept
import publisher
import pytest
from node import wait_until

SIZE = 80 << 20  # preflight wants 64 MiB and the payload


def mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mount {' '.join(arguments)}: {done.stderr.strip()} (needs root)")


@pytest.fixture
def small_disk(node, peers):
    """A node that is not running, with its data on a small tmpfs; and its peers."""
    three = peers(3)
    n = node(three)
    n.stop()
    shutil.rmtree(n.data_dir)
    n.data_dir.mkdir()
    mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(n.data_dir))
    yield n, three
    n.close()
    subprocess.run(["umount", "-l", str(n.data_dir)], check=True)


def fill(n, leave=0):
    """Takes all room but that many bytes."""
    free = os.statvfs(n.data_dir)
    size = free.f_bavail * free.f_frsize - leave
    if size > 0:
        with open(n.data_dir / "filler", "ab") as f:
            os.posix_fallocate(f.fileno(), f.seek(0, 2), size)


def free(n):
    (n.data_dir / "filler").unlink()


def full(job):
    assert job["state"] == "failed", job
    assert job["error"]["reason"] == "disk_full", job["error"]
    assert "free space" in job["error"]["hint"]


def test_no_room_at_preflight(small_disk, chain, payload):
    n, three = small_disk
    n.start()
    fill(n, 30 << 20)
    full(n.sync(url=three[0].serve("/cp.json", payload)))
    expect.audit_is_whole(n)
    free(n)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


@pytest.mark.parametrize("leave", [0, 100, 240, 280, 400, 600, 1000, 1500])
def test_no_room_from_the_body_on(small_disk, chain, payload, leave):
    """Fetching, verifying, mounting, catching up: wherever so many KiB run out."""
    n, three = small_disk
    n.start()
    url = three[0].serve("/cp.json", payload)

    def close(_):  # after preflight has looked
        if three[0].log[-1][1] is None and not (n.data_dir / "filler").exists():
            fill(n, leave << 10)

    three[0].fail("/cp.json", close)
    job_id = n.rpc("sync.start", url=url)["job_id"]
    fails_or_ends(n, job_id)
    print([line for line in n.log().splitlines() if "disk" in line])
    assert n.running
    code, _ = n.http("/healthz")
    assert code in (200, 503)
    three[0].faults.clear()
    free(n)
    n.restart()
    crash.consistent(n, chain)
    wait_until(lambda: n.status()["state"] in ("idle", "following"), "the job's end")
    if not expect.accepted(n):
        assert n.sync(url=url)["state"] == "succeeded"
    expect.at_tip_of(n, chain)


def fails_or_ends(n, job_id):
    def over():
        status = n.status()
        if status["state"] == "halted":
            assert "disk_full" in status["waiting_for"], status
            return True
        job = n.rpc("jobs.get", job_id=job_id)
        if job["state"] == "failed":
            full(job)
        return job["state"] in ("failed", "succeeded") or "disk_full" in n.log()
    wait_until(over, "disk_full or the end")


def test_no_room_to_follow(small_disk, chain, payload):
    """The old state is served; with room again it goes on by itself."""
    n, three = small_disk
    n.config["follow"] = {"poll_seconds": 1}
    n.start()
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    old = chain.tip
    fill(n)
    chain.mine_many(60)
    wait_until(lambda: "disk_full" in n.log() or "disk full" in n.log(), "the complaint", 30)
    tip = n.rpc("chain.tip")
    assert old["index"] <= tip["height"] < chain.tip["index"]
    assert n.rpc("chain.header", height=220)["block_hash"] == chain[220]["hash"]
    crash.consistent(n, chain)
    free(n)
    if n.status()["state"] == "halted":
        n.restart()
    expect.at_tip_of(n, chain)


def test_no_room_for_a_snapshot(small_disk, chain, payload, tmp_path):
    """It fails, leaves nothing, and the node follows on once there is room."""
    n, three = small_disk
    hold = publisher.Hold(tmp_path)
    n.environment = hold.environment
    n.start()
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    job_id = hold.begin(n)
    fill(n)
    hold.release()
    wait_until(lambda: publisher.shelf(n) == [], "the snapshot's end")
    assert n.status()["state"] in ("following", "halted")
    free(n)
    full(n.wait_job(job_id))
    assert n.status()["state"] == "following"
    chain.mine()
    expect.at_tip_of(n, chain)
    assert publisher.create(n)["height"] == chain.tip["index"]


def test_a_full_disk_at_start(small_disk, chain, payload):
    n, three = small_disk
    n.start()
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    n.stop()
    fill(n)
    n.launch()
    try:
        n.address = n._ready_address()
    except AssertionError:
        assert n.reap() == 1
        assert 'reason="disk_full"' in n.log(), n.log()
    else:
        crash.consistent(n, chain)
        n.stop()
    free(n)
    n.start()
    expect.at_tip_of(n, chain)


# --- read-only ---


def test_a_read_only_data_directory_is_refused(small_disk, chain, payload):
    n, three = small_disk
    n.start()
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    n.stop()
    mount("-o", "remount,ro", str(n.data_dir))
    n.launch()
    assert n.reap() == 1
    (line,) = [x for x in n.log().splitlines() if "cannot start" in x]
    assert "Read-only file system" in line and 'reason="storage_failed"' in line, line
    mount("-o", "remount,rw", str(n.data_dir))
    n.start()
    expect.at_tip_of(n, chain)


# --- descriptors ---


@pytest.mark.parametrize("limit", [12, 40])
def test_too_few_descriptors_are_refused(node, peers, limit):
    n = node(peers(1))
    n.stop()
    n.under = ["prlimit", f"--nofile={limit}:{limit}"]
    line = kept.refuses_to_start(n)
    assert f"at most {limit} files" in line and "ulimit -n" in line, line


def test_few_descriptors_are_enough(node, peers, chain, payload):
    """The least it starts with, while clients hold connections too."""
    three = peers(3)
    n = node(three)
    n.stop()
    n.under = ["prlimit", "--nofile=64:64"]
    n.start()
    host, port = n.address.split(":")
    with contextlib.ExitStack() as held:
        for _ in range(50):
            held.enter_context(socket.create_connection((host, int(port))))
        time.sleep(1)
        assert n.running
    job = n.sync(url=three[0].serve("/cp.json", payload))
    assert job["state"] == "succeeded" or "Too many open files" in job["error"]["detail"], job
    n.under = []
    n.restart()
    if not expect.accepted(n):
        assert n.sync(url=three[0].serve("/cp.json", payload))["state"] == "succeeded"
    expect.at_tip_of(n, chain)

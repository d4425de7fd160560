"""Killing a daemon at a chosen passage or moment, and what must hold afterwards."""

import contextlib
import http.client
import os
import random
import shutil
import signal
import sqlite3
import time
import urllib.error
from collections import Counter
from decimal import Decimal

import expect
from node import RpcError, wait_until

FULL = os.environ.get("CAIRN_TEST_FULL") == "1"
POINTS = ("sync_before", "sync_after", "rename_before", "rename_after",
          "commit_before", "commit_after")
VERIFIED = (0, 1)  # header rows on disk: anchored by their hash, verified by the rules
LOST = (urllib.error.URLError, http.client.HTTPException, ConnectionError, OSError)


def dice():
    """Random numbers whose seed a failed test shows; CAIRN_TEST_SEED repeats it."""
    seed = int(os.environ.get("CAIRN_TEST_SEED") or time.time_ns() % 2**32)
    print(f"CAIRN_TEST_SEED={seed}")
    return random.Random(seed)


def hooks(**names):
    return {"CAIRN_TEST_HOOKS": "1", **names}


# --- passages of failpoints ---


def traced(path):
    """How often each point was passed."""
    return Counter(path.read_text().split())


def chosen(point, count, rng):
    """Passages of a point to die at: all, or the first, the last and two between."""
    numbers = range(1, count + 1)
    if FULL or count <= 4:
        return list(numbers)
    return [1, *sorted(rng.sample(numbers[1:-1], 2)), count]


def dies(node):
    """Whether the daemon, started with a failpoint, was killed by it."""
    if node.process.poll() is None:
        return False
    code = node.reap()
    assert code == -signal.SIGKILL, f"exit code {code}\n{node.log()}"
    return True


def started_or_dead(node, environment):
    """Starts; False when the failpoint struck before the daemon was ready."""
    node.launch(environment)
    try:
        node.address = node._ready_address()
    except AssertionError:
        code = node.reap()
        assert code == -signal.SIGKILL, f"exit code {code}\n{node.log()}"
        return False
    return True


def until_dead(node, ended, seconds=60):
    """True: it died.  False: ended() came first; passages differ a little between runs."""
    def over():
        if dies(node):
            return "died"
        with contextlib.suppress(*LOST, RpcError, FileNotFoundError):
            return "ended" if ended() else None
        return None
    return wait_until(over, "the failpoint or the end", seconds) == "died"


# --- what was on the disk when it died ---


class Remains:
    """What the dead daemon had stored, read from a copy."""

    def __init__(self, node, scratch):
        shutil.rmtree(scratch, ignore_errors=True)
        if node.data_dir.exists():
            shutil.copytree(node.data_dir, scratch)
        self.root = scratch
        self.known = {}  # generation: {hash: height} of the headers that count as fetched
        for chain_db in scratch.glob("generations/*/chain.db"):
            rows = self._rows(chain_db, "SELECT lower(hex(hash)), height FROM header"
                                        " WHERE status IN (0, 1)")
            self.known[int(chain_db.parent.name)] = dict(rows)
        self.headers = {h for known in self.known.values() for h in known.values()}
        self.whole_payload = any(scratch.glob("incoming/*/payload.json"))
        live = self._rows(scratch / "control.db", "SELECT id FROM generation WHERE state = 2")
        self.live = live[0][0] if live else None
        self.tip = None  # hash, of the state that is live
        if self.live:
            chain_db = scratch / "generations" / str(self.live) / "chain.db"
            rows = self._rows(chain_db, "SELECT lower(hex(tip_hash)) FROM state")
            self.tip = rows[0][0] if rows else None
        # (id, state, generation) of every job, oldest first
        self.jobs = self._rows(scratch / "control.db",
                               "SELECT id, state, generation FROM job ORDER BY id")

    @staticmethod
    def _rows(path, query):
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(path)) as db:
            try:
                return db.execute(query).fetchall()
            except sqlite3.OperationalError:
                return []  # died before the schema was there


class Asked:
    """Requests of the peers from now on."""

    def __init__(self, peers):
        self.peers = peers
        self.before = [len(p.log) for p in peers]

    def since(self):
        return [entry for p, n in zip(self.peers, self.before) for entry in p.log[n:]]

    def heights(self):
        paths = (path.removeprefix("/blocks/") for path, _ in self.since()
                 if path.startswith("/blocks/"))
        return {int(text) for text in paths if text.isdigit()}


def nothing_again(remains, asked, checkpoint, payload="/cp.json"):
    """What was verified before the kill was not fetched after it.  The block of the
    checkpoint is asked of everybody as a vote, and the next one to see it is served."""
    again = remains.headers & asked.heights() - {checkpoint, checkpoint + 1}
    assert not again, f"fetched again: {sorted(again)}"
    if remains.whole_payload or remains.live:
        assert payload not in [path for path, _ in asked.since()]


# --- what must hold ---


def consistent(node, *chains):
    """Whatever it serves now is the state of one of these chains at some height."""
    audit = node.rpc("audit.verify")
    assert audit["ok"] is True, audit
    generation = node.status()["generation"]
    if not generation:
        return None
    supply = node.rpc("chain.supply")
    height = supply["height"]
    known = [(c.supply(height), len(c.coins(height))) for c in chains if height < len(c)]
    assert (Decimal(supply["supply"]), supply["coins"]) in known, supply
    return height


def start_job(node, url):
    """sync.start under one key; None when the answer was lost with the daemon."""
    try:
        return node.rpc("sync.start", url=url, idempotency_key="the one")["job_id"]
    except (*LOST, FileNotFoundError):
        return None


def ends_well(node, chain, url, height=200):
    job = node.wait_job(node.rpc("sync.start", url=url, idempotency_key="the one")["job_id"])
    assert job["state"] == "succeeded", job
    expect.at_tip_of(node, chain)
    assert expect.accepted(node) == [height]
    assert [j["state"] for j in node.rpc("jobs.list")["jobs"]] == ["succeeded"]
    nothing_left(node)


def nothing_left(node):
    """One generation, no downloads, no half-written files."""
    live = node.status()["generation"]
    assert [p.name for p in (node.data_dir / "generations").iterdir()] == [str(live)]
    assert list((node.data_dir / "incoming").iterdir()) == []
    assert list(node.data_dir.rglob("*.part")) == []

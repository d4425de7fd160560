"""./dev soak SECONDS: kill -9 at random moments of bootstraps, downloads, reorganisations and
re-bootstraps, for that long.  After every restart the state must be an old or the new one, the
audit log whole and nothing verified fetched again; every job must end well, with one live
generation and nothing left over.  The first thing that needs explaining ends it with 1, and
everything of it is kept.  CAIRN_TEST_SEED repeats the moments.
"""

import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import crash
import expect
import stockpeer
import xai
from node import Node

HOSTS = ("127.1.0.1", "127.2.0.1", "127.3.0.1")
SHARE = 0.5         # of one core: other work may go on beside it
KILLS_A_PHASE = 8   # at most; then it is left alone to its end
PACED = (6000, 0.01)
STAGES = ("", "queued", "discovering", "deciding", "preflight", "fetching", "verifying",
          "mounting", "headers", "blocks", "ended", "failed", "cancelled")
MOUNTED = STAGES.index("headers")


def heavier(chain, branch_point, gap):
    """With a gap of its own, since its blocks would be those of chain again."""
    branch = chain.fork(branch_point)
    while branch.work() <= chain.work():
        branch.mine(gap=gap)
    return branch


class Phase:
    """One thing that the node is to do, killed on its way."""

    def __init__(self, name, chain, jobs):
        self.name = name
        self.chain = chain      # what the peers have
        self.jobs = jobs        # there must have been, at its end
        self.height = None      # of the checkpoint that a job of it brings
        self.path = self.url = self.call = None
        self.old = self.fork = None  # of a reorganisation: the chain that was, where it leaves

    def begin(self, node):
        """Asks for the job; again if a kill took the answer: the key makes it one job."""
        if self.call is None:
            return
        params = {"url": self.url, "idempotency_key": f"job {self.jobs}"}
        if self.call == "sync.rebootstrap":
            params["reason"] = "soak"
        node.rpc(self.call, **params)

    def verified(self, remains):
        """Heights whose blocks need no fetching after this death."""
        if self.call is None:
            lowest, known = self.fork, remains.known.get(remains.live, {})
        elif len(remains.jobs) < self.jobs:
            return set()  # it died before it knew of the job
        else:
            _, state, generation = remains.jobs[-1]
            lowest = -1
            known = remains.known.get(remains.live if state >= MOUNTED else generation, {})
        # The block of the checkpoint is asked of everybody as a vote, and the next one to
        # see that it is served.
        return {h for digest, h in known.items() if h > lowest and h < len(self.chain)
                and self.chain[h]["hash"] == digest and h - (self.height or -9) not in (0, 1)}

    def stage(self, remains):
        """Where the death found it."""
        tip = self.chain.tip["hash"]
        if self.call is None:
            assert remains.tip in (self.old.tip["hash"], tip), remains.tip
            if remains.tip == tip:
                return "done"
            walked = tip in remains.known[remains.live]
            return "walking or applying" if walked else "before"
        if len(remains.jobs) < self.jobs:
            return "before its job"
        state = STAGES[remains.jobs[-1][1]]
        return "done" if state == "ended" and remains.tip == tip else state

    def has_body(self, remains):
        mounted = len(remains.jobs) == self.jobs and remains.jobs[-1][1] >= MOUNTED
        return remains.whole_payload or mounted

    def part_size(self, remains):
        """Bytes of the download that can be gone on with."""
        for part in remains.root.glob("incoming/*/payload.part"):
            if (part.parent / "payload.etag").exists():
                return part.stat().st_size
        return 0


class Soak:
    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.rng = crash.dice()
        self.began = time.monotonic()
        self.spoken = self.began
        self.kills, self.rounds = Counter(), 0
        self.directory = Path(tempfile.mkdtemp(prefix="cairn-soak-"))
        self.peers = [stockpeer.StockPeer(xai.fixture_chain(), host) for host in HOSTS]
        self.payloads = {h: xai.fixture_payload(h) for h in (150, 200)}
        self.chains = [xai.fixture_chain()]
        for gap in (31.0, 37.0, 41.0, 43.0):
            last = self.chains[-1]
            self.chains.append(heavier(last, self.rng.randint(205, len(last) - 2), gap))
        self.seconds = {}  # a phase's, without a kill
        self.node = None

    # --- time ---

    def over(self):
        return time.monotonic() >= self.end

    def rest(self):
        """Keeps its own work and the daemons' under the share of a core."""
        spent = sum(os.times()[:4])
        time.sleep(max(0, min(spent / SHARE - (time.monotonic() - self.began), 5)))

    def say(self, force=False):
        now = time.monotonic()
        if now - self.spoken < 60 and not force:
            return
        self.spoken = now
        print(f"{int(now - self.began):6d} s  {self.rounds} rounds, "
              f"{sum(self.kills.values())} kills", flush=True)

    # --- a life of the daemon ---

    def live(self, phase, remains):
        """Starts; what must hold at once; then it dies at a random moment."""
        node, rng = self.node, self.rng
        asked = crash.Asked(self.peers)
        moment = time.monotonic() + rng.uniform(0, self.seconds.get(phase.name, 1.0))
        node.launch()
        if time.monotonic() + 0.03 < moment:
            node.address = node._ready_address()
            if rng.random() < 0.5:
                self.holds(remains)
            phase.begin(node)
        time.sleep(max(moment - time.monotonic(), 0))
        node.kill9()
        self.nothing_again(phase, remains, asked)
        remains = crash.Remains(node, self.directory / "remains")
        stage = phase.stage(remains)
        self.kills[f"{phase.name}: {stage}"] += 1
        return remains, stage == "done"

    def holds(self, remains):
        crash.consistent(self.node, *self.chains)
        live = remains.live if remains else None
        if live:
            assert self.node.status()["generation"] >= live

    def nothing_again(self, phase, remains, asked):
        if not remains:
            return
        again = phase.verified(remains) & asked.heights()
        assert not again, f"fetched again: {sorted(again)}"
        if phase.call is None:
            return
        ranges = [wanted for path, wanted in asked.since() if path == phase.path]
        if phase.has_body(remains):
            assert not ranges, f"a body that was whole was asked for again: {ranges}"
        part = phase.part_size(remains)
        if part > 1 and len(remains.jobs) == phase.jobs:
            begins = [int(m[1]) for r in ranges if (m := re.fullmatch(r"bytes=(\d+)-", r or ""))]
            assert None not in ranges and all(n >= part - 1 for n in begins), (part, ranges)

    # --- a phase ---

    def run(self, phase):
        remains, done = None, False
        for peer in self.peers:
            peer.chain = phase.chain
            peer.log.clear()
        for _ in range(self.rng.randint(1, KILLS_A_PHASE) if phase.name in self.seconds else 0):
            remains, done = self.live(phase, remains)
            self.rest()
            self.say()
            if done:
                break
        asked, began = crash.Asked(self.peers), time.monotonic()
        self.node.start()
        self.holds(remains)
        phase.begin(self.node)
        self.ends_well(phase)
        self.seconds.setdefault(phase.name, time.monotonic() - began)
        self.nothing_again(phase, remains, asked)
        self.node.stop()

    def ends_well(self, phase):
        node = self.node
        jobs = node.rpc("jobs.list")["jobs"]
        assert len(jobs) == phase.jobs, jobs
        for job in jobs:
            ended = node.wait_job(job["job_id"])
            assert ended["state"] == "succeeded", ended
        expect.at_tip_of(node, phase.chain)
        crash.consistent(node, phase.chain)
        assert expect.accepted(node) == [200, 150][2 - phase.jobs:]
        assert node.rpc("incidents.list")["incidents"] == []
        self.nothing_left()

    def nothing_left(self):
        node = self.node
        rows = node.rpc("generations.list")["generations"]
        states = Counter(g["state"] for g in rows)
        assert states["live"] == 1 and not states["building"] + states["quarantined"], rows
        kept = {str(g["generation"]) for g in rows if g["state"] in ("live", "retired")}
        there = {p.name for p in (node.data_dir / "generations").iterdir()}
        assert there <= kept and str(node.status()["generation"]) in there, (there, rows)
        assert list((node.data_dir / "incoming").iterdir()) == []
        assert list(node.data_dir.rglob("*.part")) == []

    # --- a round: a node from nothing to its second checkpoint and beyond ---

    def job(self, call, height, chain, number):
        paced = self.rng.random() < 0.4
        name = ("download" if paced else
                "bootstrap" if call == "sync.start" else "re-bootstrap")
        phase = Phase(name, chain, number)
        phase.call, phase.height, phase.path = call, height, f"/{height}.json"
        resource = stockpeer.Resource(json.dumps(self.payloads[height]).encode(),
                                      pace=PACED if paced else None)
        phase.url = self.peers[0].serve(phase.path, resource)
        return phase

    def reorganisation(self, number, jobs):
        old, new = self.chains[number - 1 : number + 1]
        phase = Phase("reorganisation", new, jobs)
        phase.old = old
        phase.fork = next(h for h in range(len(old)) if old[h]["hash"] != new[h]["hash"]) - 1
        return phase

    def round(self):
        self.node = Node(self.directory / f"node{self.rounds}", self.peers)
        self.run(self.job("sync.start", 150, self.chains[0], 1))
        self.run(self.reorganisation(1, 1))
        self.run(self.reorganisation(2, 1))
        self.run(self.job("sync.rebootstrap", 200, self.chains[2], 2))
        self.run(self.reorganisation(3, 2))
        self.run(self.reorganisation(4, 2))
        self.node.close()
        shutil.rmtree(self.node.directory)
        self.rounds += 1

    def close(self):
        if self.node and self.node.running:
            self.node.kill9()
        for peer in self.peers:
            peer.stop()

    def summary(self):
        self.say(force=True)
        for what, count in sorted(self.kills.items()):
            print(f"{count:6d}  {what}")


def main():
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        raise SystemExit("usage: soak.py SECONDS")
    soak = Soak(int(sys.argv[1]))
    try:
        while not soak.over():
            soak.round()
    except (Exception, KeyboardInterrupt):
        soak.close()
        soak.summary()
        traceback.print_exc()
        print(f"kept: {soak.directory}", flush=True)
        raise SystemExit(1) from None
    soak.close()
    soak.summary()
    shutil.rmtree(soak.directory)
    print("nothing to explain")


if __name__ == "__main__":
    main()

"""A snapshot over HTTP: as fast as the slowest of its stages alone?

bench_snapshot.py [--full] [COINS], with CAIRN_BIN and MAKE_SNAPSHOT naming the programs.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / "tests/functional"))

import cairnpeer  # noqa: E402
import snapkit  # noqa: E402
import statements  # noqa: E402
import xai  # noqa: E402
from node import Node, wait_until  # noqa: E402

ROUNDS, HEIGHT, SLOWER, PEAK_MIB, FOUR = 3, 200, 1.3, 128, 3.6
ONE_SECONDS = 40  # of the whole body from one source, when four are compared with it
failed = False


def judge(name, value, unit, ratio, limit, good):
    global failed
    failed = failed or not good
    print(f"{name:28} {value:14.4g} {unit:8} {ratio:6.2f} {limit} {'PASS' if good else 'FAIL'}",
          flush=True)


def tell(name, value, unit):
    print(f"{name:28} {value:14.4g} {unit}", flush=True)


def median(values):
    return sorted(values)[len(values) // 2]


def make(directory, chain, coins):
    """The directory of a signed snapshot at the chain's tip."""
    block = chain.tip
    header = {k: block.get(k) for k in cairnpeer.LINE} | {"signature": None, "miner_pubkey": None}
    (directory / "header").write_bytes(xai.canon(header) + b"\n")
    made = subprocess.run(
        [os.environ["MAKE_SNAPSHOT"], str(directory), str(directory / "header"),
         str(chain.work()), str(coins)], check=True, capture_output=True, text=True)
    path = Path(made.stdout.strip())
    document = json.loads((path / "manifest.json").read_text())
    body = {k: v for k, v in document.items() if "signatures" not in k}
    key = snapkit.fixture_signer()
    document["signatures"] = [
        statements.signature(key, statements.digest(body, "cairn-manifest-v1"))]
    (path / "manifest.json").write_bytes(xai.canon(document))
    return path


class Served:
    def __init__(self, directory, speed=0):
        self.process = subprocess.Popen(
            [sys.executable, str(REPO / "tests/bench/rangeserver.py"), str(directory),
             str(speed)], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def plain(url, directory):
    """Seconds of a plain download to disk."""
    to = directory / "plain"
    begun = time.monotonic()
    subprocess.run(["curl", "-sf", "-o", str(to), url], check=True)
    with open(to, "rb") as f:
        os.fsync(f.fileno())
    seconds = time.monotonic() - begun
    to.unlink()
    return seconds


def raw(path):
    """Seconds of one thread for hashes and unpacking."""
    made = subprocess.run([os.environ["MAKE_SNAPSHOT"], str(path)], check=True,
                          capture_output=True, text=True)
    return float(made.stdout)


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def peak_mib(node):
    text = Path(f"/proc/{node.process.pid}/status").read_text()
    (line,) = (one for one in text.splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def download(directory, peer, url, mirrors=()):
    """(seconds from the first byte of the body to the live state, MiB at most)."""
    node = Node(directory / "node", [peer], {
        "log": {"level": "info"},
        "checkpoint": {"quorum": 1, "min_peers": 1, "min_confirmations": 0,
                       "mirrors": list(mirrors)},
        "transfer": {"min_speed": 0},
    }).start()
    try:
        job = node.rpc("sync.start", url=url)["job_id"]
        live = lambda: (node.rpc("checkpoint.list")["checkpoints"] or  # noqa: E731
                        node.rpc("jobs.get", job_id=job)["error"])
        wait_until(live, "the live state", 600)
        job = node.rpc("jobs.get", job_id=job)
        stages = {s["name"]: s for s in job["stages"]}
        if "headers" not in stages:
            raise SystemExit(f"the job failed: {job['error']}\n{node.log()[-3000:]}")
        return (time_of(stages["mounting"]["ended_at"])
                - time_of(stages["fetching"]["started_at"])), peak_mib(node)
    finally:
        node.close()
        shutil.rmtree(directory / "node")


def against_its_stages(directory, peer, path):
    server = Served(path.parent)
    base = f"{server.url}/{path.name}"
    ratios, walls, peak = [], [], 0
    try:
        for _ in range(ROUNDS):
            alone = max(plain(base + "/base.coins.zst", directory), raw(path))
            wall, memory = download(directory, peer, base + "/manifest.json")
            ratios.append(wall / alone)
            walls.append(wall)
            peak = max(peak, memory)
    finally:
        server.close()
    ratio, size = median(ratios), json.loads((path / "manifest.json").read_text())["bytes"]
    judge("snapshot_download", size / median(walls) / 2**20, "MiB/s", ratio, "<=1.30",
          ratio <= SLOWER)
    judge("snapshot_peak", peak, "MiB", peak / PEAK_MIB, "<=1.00", peak <= PEAK_MIB)


def four_against_one(directory, peer, path):
    size = (path / "base.coins.zst").stat().st_size
    speed = size / ONE_SECONDS
    servers = [Served(path.parent, speed) for _ in range(4)]
    url = f"{servers[0].url}/{path.name}/manifest.json"
    try:
        one, _ = download(directory, peer, url)
        four, _ = download(directory, peer, url, [s.url for s in servers[1:]])
    finally:
        for server in servers:
            server.close()
    judge("snapshot_four_sources", one / four, "times", one / four / FOUR, ">=1.00",
          one / four >= FOUR)


def main():
    args = [a for a in sys.argv[1:] if a != "--full"]
    coins = int(args[0]) if args else 10_000_000 if "--full" in sys.argv else 1_000_000
    directory = Path(tempfile.mkdtemp(prefix="cairn-bench-"))
    chain = xai.fixture_chain().fork(HEIGHT)
    peer = cairnpeer.CairnPeer(chain, "127.1.0.1")
    try:
        path = make(directory, chain, coins)
        tell("snapshot_size", sum(f.stat().st_size for f in path.iterdir()) / 2**20, "MiB")
        against_its_stages(directory, peer, path)
        four_against_one(directory, peer, path)
    finally:
        peer.stop()
        shutil.rmtree(directory)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

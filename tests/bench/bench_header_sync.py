"""Header sync from a Cairn: as fast as the headers can be verified?

bench_header_sync.py [--full] [HEADERS], with CAIRN_BIN and MAKE_CHAIN naming the programs.
The peer is a stand-in that has its answers ready, so that what is measured is the daemon.
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
from urllib.parse import parse_qs

REPO = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / "tests/functional"))

import cairnpeer  # noqa: E402
import stockpeer  # noqa: E402
import xai  # noqa: E402
from node import Node, wait_until  # noqa: E402

ROUNDS, STOCK_BLOCKS, LIMIT, LEAST = 3, 2000, 0.5, 40000


class ChainPeer(cairnpeer.CairnPeer):
    """A Cairn whose blocks and answers are the files of a directory."""

    def __init__(self, directory, host):
        self.directory = directory
        self.text = open(directory / "blocks", "rb")
        chain, self.at = xai.Chain(), []
        for line in (directory / "heads").read_text().splitlines():
            height, block_hash, timestamp, at = line.split()
            self.at.append(int(at))
            chain.append({"index": int(height), "hash": block_hash, "difficulty": 1,
                          "timestamp": float(timestamp), "miner": "bench",
                          "transactions": []})
        self.at.append((directory / "blocks").stat().st_size)
        super().__init__(chain, host)
        self.network = "bench"

    def _block(self, text, query):
        height = int(text)
        if not 0 <= height < len(self.chain):
            return stockpeer.not_found()
        start, end = self.at[height], self.at[height + 1]
        return stockpeer.Answer(200, os.pread(self.text.fileno(), end - start, start))

    def _ready(self, query):
        asked = parse_qs(query)
        name = f"headers-{asked['from'][0]}-{asked['count'][0]}"
        return stockpeer.Answer(200, (self.directory / name).read_bytes())

    ROUTES = [(r"/blocks/(\d+)", _block), (r"/peer/v1/headers", _ready)] + [
        route for route in cairnpeer.CairnPeer.ROUTES
        if "headers" not in route[0] and "/blocks" not in route[0]]


def cpu_seconds(node):
    fields = Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(node):
    (line,) = (text for text in Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
               if text.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def write_payload(directory, chain, signer):
    """Nothing but what is looked at before the body: the jobs are dry runs."""
    payload = {"height": chain.tip["index"], "block_hash": chain.tip["hash"],
               "state_hash": "", "data": {}}
    path = directory / "payload.json"
    path.write_text(json.dumps(xai.reseal_payload(payload, signer)))
    return path


def start(directory, name, peer, signer, compare):
    return Node(directory / name, [peer], {
        "network": str(directory / "params.json"),
        "log": {"level": "info"},
        "checkpoint": {"quorum": 1, "min_peers": 1, "min_confirmations": 0,
                       "trusted_pubkeys": [signer.compressed], "compare_coins": compare},
        "transfer": {"allow_paths": [str(directory)]},
    }).start()


def from_cairn(node, payload):
    """(seconds by the clock, of the processor) to have all headers proven."""
    before = cpu_seconds(node)
    job = node.sync(path=str(payload), dry_run=True)
    if job["state"] != "succeeded":
        raise SystemExit(f"the dry run failed: {job['error']}\n{node.log()[-2000:]}")
    (stage,) = (s for s in job["stages"] if s["name"] == "deciding")
    return time_of(stage["ended_at"]) - time_of(stage["started_at"]), cpu_seconds(node) - before


def from_stock(node, payload):
    """Blocks a second, one after another, over the first few."""
    job = node.rpc("sync.start", path=str(payload), dry_run=True)["job_id"]

    def done():
        progress = node.status()["progress"] or {}
        return progress["done"] if progress.get("unit") == "headers" else 0

    first = wait_until(done, "the first headers")
    begin = time.monotonic()
    last = wait_until(lambda: (n := done()) >= first + STOCK_BLOCKS and n, "blocks", 600)
    rate = (last - first) / (time.monotonic() - begin)
    node.rpc("sync.cancel", job_id=job)
    return rate


def tell(name, value, unit):
    print(f"{name:28} {value:14.4g} {unit}", flush=True)


def median(values):
    return sorted(values)[len(values) // 2]


def bench(headers):
    directory = Path(tempfile.mkdtemp(prefix="cairn-bench-"))
    make = os.environ["MAKE_CHAIN"]
    peer = node = None
    try:
        subprocess.run([make, str(directory), str(headers)], check=True)
        peer = ChainPeer(directory, "127.1.0.1")
        signer = xai.Key("bench signer")
        payload = write_payload(directory, peer.chain, signer)
        ratios, rates = [], []
        node = start(directory, "alone", peer, signer, "auto")
        for _ in range(ROUNDS):
            wall, spent = from_cairn(node, payload)
            alone = subprocess.run([make, str(directory)], check=True, capture_output=True)
            ratios.append(float(alone.stdout) / spent)
            rates.append(headers / wall)
        peak = peak_mib(node)
        node.close()
        ratio, rate = median(ratios), median(rates)
        good = ratio >= LIMIT
        print(f"{'header_sync':28} {rate:14.4g} {'1/s':8} {ratio:6.2f} >={LIMIT:.2f} "
              f"{'PASS' if good else 'FAIL'}", flush=True)
        tell("header_sync_peak", peak, "MiB")
        node = start(directory, "by-block", peer, signer, "always")
        stock = from_stock(node, payload)
        tell("header_sync_blocks", stock, "1/s")
        tell("header_sync_faster", rate / stock, "times")
        return good
    finally:
        if node is not None:
            node.close()
        if peer is not None:
            peer.stop()
        shutil.rmtree(directory, ignore_errors=True)


def main(arguments):
    headers = 1_000_000 if "--full" in arguments else 100_000
    for word in arguments:
        headers = int(word) if word != "--full" else headers
    if headers < LEAST:
        sys.exit(f"at least {LEAST} headers: a shorter way is asked for in other pieces")
    sys.exit(not bench(headers))


main(sys.argv[1:])

"""The daemon as a whole: answers while it verifies and mounts, its memory, its start.

bench_daemon.py [--full] [COINS], with CAIRN_BIN and MAKE_NETWORK naming the programs.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / "tests/functional"))

import stockpeer  # noqa: E402
from node import Node  # noqa: E402

RATE, CONNECTIONS, LOAD_SECONDS_MAX, IDLE_SECONDS = 1000, 16, 600, 3
JOB_SECONDS_MAX = 600
failed = False


def report(name, value, unit, limit):
    global failed
    good = value <= limit
    failed = failed or not good
    print(f"{name:28} {value:14.4g} {unit:8} {value / limit:6.2f} <=1.00 "
          f"{'PASS' if good else 'FAIL'}", flush=True)


def tell(name, value, unit):
    print(f"{name:28} {value:14.4g} {unit}", flush=True)


class FilePeer(stockpeer.StockPeer):
    """A stock node whose blocks are the files of a directory."""

    def __init__(self, directory, host):
        self.directory = directory
        self.heights = {}
        chain = []
        for line in (directory / "heads").read_text().splitlines():
            height, block_hash, timestamp = line.split()
            self.heights[block_hash] = int(height)
            chain.append({"index": int(height), "hash": block_hash, "difficulty": 1,
                          "timestamp": float(timestamp), "miner": "bench",
                          "transactions": []})
        super().__init__(chain, host)

    def _file(self, height):
        if not 0 <= height < len(self.chain):
            return stockpeer.not_found()
        headers = {"ETag": f'"{self.chain[height]["hash"]}"'}
        return stockpeer.Answer(200, (self.directory / str(height)).read_bytes(), headers)

    def _block(self, text, query):
        return self._file(int(text) if text.isdigit() else -1)

    def _by_hash(self, text, query):
        return self._file(self.heights.get(text.lower(), -1))

    ROUTES = [(r"/blocks/([^/]+)", _block), (r"/block/([0-9a-f]{64})", _by_hash)] + [
        route for route in stockpeer.StockPeer.ROUTES if "latest" in route[0] or
        "stats" in route[0] or "health" in route[0]]


class Load:
    """sync.status asked at a steady rate over kept connections.  A request that waited for
    the answer before it is timed from when it was due, but that this program woke up late
    is not the daemon's time.  In a process of its own; bounded in time."""

    def __init__(self, node):
        host, port = node.address.rsplit(":", 1)
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--load", host, port, node.token],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self):
        """[(seconds since the epoch, milliseconds taken)]"""
        out, _ = self.process.communicate("stop\n")
        return [tuple(map(float, line.split())) for line in out.splitlines()]


def answer_of(connection):
    text = b""
    while b"\r\n\r\n" not in text:
        more = connection.recv(65536)
        if not more:
            raise EOFError
        text += more
    head, body = text.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(head.decode())


def load_main(host, port, token):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sync.status", "params": {}})
    request = (f"POST /rpc HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
               f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
               ).encode()
    stop, taken = threading.Event(), []
    start = time.time() + 0.1
    end = start + LOAD_SECONDS_MAX

    def ask(number):
        connection = socket.create_connection((host, int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        due, last = start + number / RATE, 0
        while not stop.is_set() and due < end:
            time.sleep(max(due - time.time(), 0))
            begin = due if last > due else time.time()
            connection.sendall(request)
            answer_of(connection)
            last = time.time()
            taken.append((due, (last - begin) * 1000))
            due += CONNECTIONS / RATE

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    sys.stdin.readline()
    stop.set()
    for thread in threads:
        thread.join()
    print("\n".join(f"{due} {ms}" for due, ms in taken))


def percentile(values, part):
    return sorted(values)[int(len(values) * part)]


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def mount(node, payload):
    load = Load(node)
    job = node.wait_job(node.rpc("sync.start", path=str(payload))["job_id"], JOB_SECONDS_MAX)
    taken = load.stop()
    if job["state"] != "succeeded":
        raise SystemExit(f"the bootstrap failed: {job['error']}\n{node.log()[-2000:]}")
    stages = {stage["name"]: stage for stage in job["stages"]}
    for stage in job["stages"]:
        tell("daemon_" + stage["name"],
             time_of(stage["ended_at"]) - time_of(stage["started_at"]), "s")
    first, last = (time_of(stages["verifying"]["started_at"]),
                   time_of(stages["mounting"]["ended_at"]))
    busy = [ms for due, ms in taken if first <= due <= last]
    tell("daemon_status_rate", len(busy) / (last - first), "1/s")
    tell("daemon_status_median", percentile(busy, 0.5), "ms")
    report("daemon_status_p99", percentile(busy, 0.99), "ms", 5.0)


def resident_mib(node, key):
    """RssAnon is the daemon's own; the rest of VmRSS is files in the page cache."""
    for line in Path(f"/proc/{node.process.pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(key)


def idle_load(node):
    """The same requests when nothing goes on: what the machine and this program add."""
    load = Load(node)
    time.sleep(IDLE_SECONDS)
    taken = [ms for _, ms in load.stop()]
    tell("daemon_status_p99_idle", percentile(taken, 0.99), "ms")


def restart(node):
    taken = []
    for _ in range(5):
        node.stop()
        begin = time.monotonic()
        node.start()
        taken.append((time.monotonic() - begin) * 1000)
    report("daemon_start", sorted(taken)[len(taken) // 2], "ms", 200.0)
    time.sleep(IDLE_SECONDS)  # what idle is: some polls of the peers
    report("daemon_idle", resident_mib(node, "VmRSS"), "MiB", 32.0)


def bench(coins):
    directory = Path(tempfile.mkdtemp(prefix="cairn-bench-"))
    network = directory / "network"
    network.mkdir()
    peer = node = None
    try:
        begin = time.monotonic()
        subprocess.run([os.environ["MAKE_NETWORK"], str(network), str(coins)], check=True)
        tell("daemon_network_generate", time.monotonic() - begin, "s")
        peer = FilePeer(network, "127.1.0.1")
        node = Node(directory / "node", [peer], {
            "network": str(network / "params.json"),
            "log": {"level": "info"},
            "checkpoint": {"quorum": 1, "min_peers": 1, "threshold": 0},
            "transfer": {"allow_paths": [str(network)]},
        }).start()
        mount(node, network / "payload.json")
        tell("daemon_coins", int(node.rpc("chain.supply")["coins"]), "coins")
        idle_load(node)
        restart(node)
    finally:
        if node is not None:
            node.close()
        if peer is not None:
            peer.stop()
        shutil.rmtree(directory, ignore_errors=True)


def main(arguments):
    if arguments[:1] == ["--load"]:
        load_main(*arguments[1:])
        return
    coins = 10_000_000 if "--full" in arguments else 1_000_000
    for word in arguments:
        coins = int(word) if word != "--full" else coins
    bench(coins)
    sys.exit(failed)


main(sys.argv[1:])

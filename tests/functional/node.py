"""A cairnd process under test: its configuration, its RPC and its end."""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import xai
import yaml

REPO = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 30
WAIT_SECONDS = 60
STOP_SECONDS = 30
SANITIZER_WORDS = (
    "AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:",
    "UndefinedBehaviorSanitizer",
)


def binary():
    path = os.environ.get("CAIRN_BIN")
    if path:
        return str(Path(path).resolve())
    for preset in ("dev", "release"):
        found = REPO / "build" / preset / "cairnd"
        if found.exists():
            return str(found)
    raise RuntimeError("no cairnd: set CAIRN_BIN or run ./dev build")


def wait_until(condition, what, seconds=WAIT_SECONDS):
    """The first true answer of condition(); AssertionError when the time is up."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']} {error['message']} {error.get('data')}")
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data") or {}

    @property
    def reason(self):
        return self.data.get("reason")


def merged(base, over):
    out = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = merged(out[key], value) if both else value
    return out


def default_config(peers):
    """A node that trusts the fixtures' signer and the word of three peers of two networks."""
    return {
        "network": "testnet",
        "log": {"level": "debug", "format": "logfmt"},
        "rpc": {"listen": "127.0.0.1:0"},
        "peers": [p.url for p in peers],
        "checkpoint": {
            "quorum": 3,
            "min_peers": 2,
            "threshold": 1,
            "trusted_pubkeys": [xai.fixture_keys()["checkpoint_signer"].compressed],
            "min_confirmations": 6,
            "min_delta": 0,
        },
        "transfer": {"min_speed": 0},
        "follow": {"poll_seconds": 1},
    }


class Node:
    def __init__(self, directory, peers=(), config=None, environment=None):
        self.directory = Path(directory)
        self.config_file = self.directory / "cairn.yaml"
        self.log_file = self.directory / "cairnd.log"
        self.config = merged(default_config(peers), config or {})
        self.data_dir = self.directory / self.config.setdefault("data_dir", "data")
        self.environment = environment or {}
        self.under = []  # a command that runs the daemon: its name and arguments
        self.process = None
        self.address = None
        self.public_address = None  # of the public plane, when it is configured
        self.p2p = None  # where it serves P2P, if it does

    # --- the process ---

    def start(self, environment=None):
        self.launch(environment)
        self.address = self._ready_address()
        return self

    def launch(self, environment=None):
        """Start without waiting for what becomes of it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config_file.write_text(yaml.safe_dump(self.config, sort_keys=False))
        env = {**os.environ, **self.environment, **(environment or {})}
        env.setdefault("ASAN_OPTIONS", "abort_on_error=0:exitcode=99")
        env.setdefault("TSAN_OPTIONS", "exitcode=99:halt_on_error=0")
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [*self.under, binary(), "--config", str(self.config_file)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=env,
                cwd=self.directory,
            )

    def _ready_address(self):
        lines = []
        reader = threading.Thread(
            target=lambda: lines.extend(self.process.stdout.readline().decode().split()),
            daemon=True,
        )
        reader.start()
        reader.join(START_SECONDS)
        if lines[:1] == ["ready"]:
            said = dict(word.split("=", 1) for word in lines[1:])
            self.public_address, self.p2p = said.get("public"), said.get("p2p")
            return said["rpc"]
        code = self.process.poll()
        self.process.kill()
        raise AssertionError(f"cairnd did not get ready (exit code {code})\n{self.log()}")

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill9(self):
        self.process.send_signal(signal.SIGKILL)
        self.reap()

    def reap(self, seconds=WAIT_SECONDS):
        """Wait for the process to end by itself; its exit code."""
        code = self.process.wait(seconds)
        self.process.stdout.close()
        return code

    def stop(self, killed=False):
        """SIGTERM; the daemon must end well and in time.  killed: or of the failpoint that
        it was started with, on its way out."""
        if not self.running:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.reap(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"no end {STOP_SECONDS} s after SIGTERM") from None
        assert code == 0 or (killed and code == -signal.SIGKILL), (
            f"exit code {code} after SIGTERM\n{self.log()}")

    def restart(self, environment=None):
        self.stop()
        return self.start(environment)

    def close(self):
        """End of a test: nothing may be left running, no sanitizer may have complained."""
        if self.process is not None and not self.running:
            self.process.stdout.close()
        try:
            self.stop()
        finally:
            if self.running:
                self.kill9()
        found = [line for line in self.log().splitlines()
                 if any(word in line for word in SANITIZER_WORDS)]
        assert not found, "sanitizer report:\n" + self.log()

    def log(self):
        if not self.log_file.exists():
            return ""
        return self.log_file.read_text(errors="replace")

    # --- RPC ---

    @property
    def token(self):
        return (self.data_dir / "rpc.cookie").read_text().strip()

    def http(self, path, body=None, headers=None, timeout=WAIT_SECONDS + 10):
        """(status, body) of a plain request with the cookie's token."""
        request = urllib.request.Request(
            f"http://{self.address}{path}", data=body,
            headers={"Authorization": f"Bearer {self.token}",
                     "Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read()

    def rpc(self, method, **params):
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        _, text = self.http("/rpc", json.dumps(call).encode())
        answer = json.loads(text)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def status(self):
        return self.rpc("sync.status")

    def wait_state(self, *states):
        seen = lambda: (s := self.status())["state"] in states and s
        return wait_until(seen, f"state {' or '.join(states)}")

    def wait_tip(self, height, block_hash=None):
        def at_tip():
            tip = self.status()["tip"]
            return tip and tip["height"] == height and block_hash in (None, tip["block_hash"])
        wait_until(at_tip, f"tip {height} {block_hash or ''}")
        return self.rpc("chain.tip")

    def wait_job(self, job_id, seconds=WAIT_SECONDS):
        """The job, when it has ended."""
        end = time.monotonic() + seconds
        while True:
            left = int(max(end - time.monotonic(), 0.001) * 1000)
            job = self.rpc("sync.wait", job_id=job_id, timeout_ms=min(left, 10000))
            if job["state"] in ("succeeded", "failed", "cancelled"):
                return job
            assert time.monotonic() < end, f"job {job_id} has not ended: {job}"

    def sync(self, **source):
        """sync.start with this source, carried to the job's end."""
        return self.wait_job(self.rpc("sync.start", **source)["job_id"])

    def rebootstrap(self, **source):
        source.setdefault("reason", "test")
        return self.wait_job(self.rpc("sync.rebootstrap", **source)["job_id"])

"""./dev demo: a node bootstraps from a simulated network in which one peer lies.

With --keep the node and its peers stay up in the background until they are told to stop.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import stockpeer
import xai
from node import Node

HEIGHT = 200
LIAR = "127.4.0.1"


def say(text=""):
    print(text, flush=True)


def title(text):
    say(f"\n== {text}")


def forged(payload, key, thief):
    """The checkpoint with a coin nobody mined, hashed anew and signed by key."""
    out = json.loads(json.dumps(payload))
    snapshot = out["data"]["utxo_snapshot"]
    snapshot["utxo_set"][thief.address] = [{
        "address": thief.address,
        "amount": 5000.0,
        "script_pubkey": "P2PKH " + thief.address,
        "spent": False,
        "txid": "fa" * 32,
        "vout": 0,
    }]
    snapshot["total_utxos"] += 1
    snapshot["total_value"] += 5000.0
    return xai.reseal_payload(out, key)


def facts_of(rule):
    facts = [f"{word} {rule[word]}" for word in ("saw", "wanted") if rule[word]]
    detail = [f"({rule['detail']})"] if rule["detail"] else []
    return " ".join([", ".join(facts), *detail] if facts else detail)


def show_every_rule(rules):
    for rule in rules:
        result = rule["result"].replace("_", " ")
        say(f"   {result:16}{rule['rule']:15}{facts_of(rule)}")


def show_what_decided(rules):
    for result in ("pass", "fail", "skipped"):
        these = [rule for rule in rules if rule["result"] == result]
        if result == "fail":
            for rule in these:
                say(f"   FAIL     {rule['rule']}: {facts_of(rule)}")
        elif these:
            say(f"   {result:9}{', '.join(rule['rule'] for rule in these)}")


class Demo:
    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="cairn-demo-"))
        self.peers, self.node = [], None
        self.chain = xai.fixture_chain()
        self.payload = xai.fixture_payload(HEIGHT)

    def close(self):
        if self.node is not None and self.node.process is not None:
            self.node.close()
        for peer in self.peers:
            peer.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        title("A network: three honest stock nodes and a liar, each in a network of its own")
        for host in ("127.1.0.1", "127.2.0.1", "127.3.0.1", LIAR):
            self.peers.append(stockpeer.StockPeer(self.chain, host))
            word = "lies about the state" if host == LIAR else "honest"
            say(f"   {self.peers[-1].url:28}{word}")
        self.node = Node(self.directory, self.peers, {"log": {"level": "info"}}).start()
        policy = self.node.config["checkpoint"]
        say(f"   http://{self.node.address:21}the node: wants {policy['quorum']} peers in "
            f"{policy['min_peers']} networks, {policy['threshold']} trusted signature,")
        say(f"   {'':28}headers proven from genesis, "
            f"{policy['min_confirmations']} confirmations")

    def lie(self, name, words, key):
        title(f"The liar offers {words}")
        url = self.peers[3].serve(name, forged(self.payload, key, xai.Key("the liar")))
        job = self.node.sync(url=url)
        if job["state"] != "failed":
            raise SystemExit(f"the lie was not refused: {job}")
        (last,) = self.node.rpc("rejections.list", limit=1)["rejections"]
        show_what_decided(last["rules"])
        say(f"   REFUSED: {last['reason']}: {job['error']['hint']}")

    def bootstrap(self):
        title(f"An honest peer hosts the publisher's checkpoint at height {HEIGHT}")
        url = self.peers[0].serve(f"/payload_{HEIGHT}.json", self.payload)
        from_time = time.monotonic()
        job = self.node.sync(url=url)
        if job["state"] != "succeeded":
            raise SystemExit(f"the bootstrap failed: {job['error']}")
        self.node.wait_tip(self.chain.tip["index"], self.chain.tip["hash"])
        seconds = time.monotonic() - from_time
        provenance = self.node.rpc("checkpoint.provenance", height=HEIGHT)["provenance"]
        show_every_rule(provenance["verdict"]["rules"])
        say(f"   ACCEPTED, mounted and followed to the tip in {seconds:.1f} s. The block is "
            "proven by work;\n   the state is signed, and every coin of it is one that the "
            "proven blocks made and did not spend.")

    def show_node(self):
        title("The node now")
        status = self.node.status()
        supply = self.node.rpc("chain.supply")
        (txid, vout), (owner, _) = list(self.chain.coins().items())[-1]
        coin = self.node.rpc("chain.coin", txid=txid, vout=vout)
        audit = self.node.rpc("audit.verify")
        say(f"   state      {status['state']}, checkpoint {status['checkpoint']['height']} "
            f"({status['checkpoint']['trust']})")
        say(f"   tip        {status['tip']['height']} {status['tip']['block_hash']}")
        say(f"   work       {status['tip']['work']}, every header of it verified")
        say(f"   supply     {supply['supply']} XAI in {supply['coins']} coins")
        say(f"   a coin     {txid}:{vout}")
        say(f"              {coin['amount']} XAI of {coin['address']}")
        say(f"   audit log  {audit['entries']} entries, unbroken: {audit['ok']}")
        assert coin["address"] == owner

    def show_curl(self, keep):
        title("Look further" if keep else
              "To look further, ./dev demo --keep leaves the node up for calls like these")
        address, cookie = self.node.address, self.node.data_dir / "rpc.cookie"
        say(f"   call() {{ curl -s -H \"Authorization: Bearer $(cat {cookie})\" \\\n"
            f"       --json '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"'$1'\","
            f"\"params\":'\"${{2:-{{\\}}}}\"'}}' \\\n"
            f"       http://{address}/rpc; echo; }}")
        for line in ("sync.status", "rejections.list '{\"limit\":1}'",
                     f"checkpoint.provenance '{{\"height\":{HEIGHT}}}'", "peers.list",
                     "audit.verify"):
            say(f"   call {line}")

    def run(self, keep):
        self.start()
        self.lie("/unknown.json", "that checkpoint with 5000 XAI of its own, signed by itself",
                 xai.Key("the liar"))
        self.lie("/stolen.json", "the same, signed with the publisher's stolen key",
                 xai.fixture_keys()["checkpoint_signer"])
        self.bootstrap()
        self.show_node()
        self.show_curl(keep)


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt(number, frame):
    raise KeyboardInterrupt


def in_background():
    """The demo in a session of its own; this process shows what it says and leaves."""
    child = subprocess.Popen([sys.executable, __file__, "--kept"], start_new_session=True,
                             stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        for line in child.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        return 130
    try:
        return child.wait(1)  # it failed
    except subprocess.TimeoutExpired:
        return 0


def main(arguments):
    if arguments not in ([], ["--keep"], ["--kept"]):
        raise SystemExit("usage: ./dev demo [--keep]")
    if arguments == ["--keep"]:
        return in_background()
    keep = arguments == ["--kept"]
    for number in SIGNALS:
        signal.signal(number, interrupt)
    demo = Demo()
    try:
        demo.run(keep)
        if keep:
            say(f"\nThe node and its peers stay up. To stop them: kill {os.getpid()}")
            with open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), 1)
                os.dup2(nothing.fileno(), 2)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        if not keep:
            say("\nstopped")
        return 130
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        demo.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

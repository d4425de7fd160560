"""Scenarios 1, 52 and 54: too few peers or none, nobody who serves what comes after the
checkpoint, and a network that moves on while the node catches up."""

import threading
import time

import expect
import pytest
import stockpeer as s
from node import wait_until

CHECKPOINT = 200


# --- 1 ---


def test_01_no_peers(node, payload):
    n = node([])
    expect.refused(n, "no_quorum", payload=payload)
    assert n.rpc("peers.list")["peers"] == []


def test_01_only_one_peer(node, peers, chain, payload):
    (only,) = peers(1)
    n = node([only])
    url = only.serve("/cp.json", payload)
    expect.refused(n, "no_quorum", url=url)
    n.stop()
    # The operator may lower what is asked for; then one is enough.
    n.config["checkpoint"].update(quorum=1, min_peers=1)
    n.start()
    expect.bootstrapped(n, chain, url=url)


@pytest.mark.parametrize("how", ["gone", "reset", "silent", "errors"])
def test_01_all_peers_dead(node, peers, chain, payload, how):
    four = peers(4)
    source, three = four[0], four[1:]
    url = source.serve("/cp.json", payload)
    answers = {"reset": s.Answer(reset=True), "silent": s.Answer(hang=True),
               "errors": s.error(500, "no")}
    for peer in three:
        if how == "gone":
            peer.stop()
        else:
            peer.fail(r"/block.*", answers[how])
    n = node(three)
    expect.refused(n, "no_quorum", url=url)
    if how == "gone":
        return
    for peer in three:
        peer.faults.clear()

    def retried():
        """They are left alone for a while first, and come back one after another."""
        time.sleep(0.5)
        job = n.sync(url=url)
        return job["state"] == "succeeded" or seen.append(job["error"]["reason"])

    seen = []
    wait_until(retried, "the peers to be asked again", 120)
    assert set(seen) <= {"no_quorum", "insufficient_confirmations", "insufficient_diversity",
                         "no_peer_serves_next_block"}, seen
    expect.at_tip_of(n, chain)


def test_01_all_peers_die_while_deciding(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    (source,) = peers(1)

    def dies(path):
        return s.Answer(reset=True) if int(path.split("/")[2]) < 150 else None

    for peer in three:
        peer.fail(r"/blocks/\d+", dies)
    job = n.sync(url=source.serve("/cp.json", payload))
    assert job["error"]["reason"] == "header_chain_invalid", job
    assert n.status()["tip"] is None
    expect.audit_is_whole(n)


# --- 52 ---


def test_52_only_one_peer_serves_what_comes_after(node, peers, chain, payload):
    three = peers(3)
    for peer in three[:2]:
        peer.withheld = lambda height: height > CHECKPOINT
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


def test_52_the_network_ends_at_the_checkpoint(node, peers, chain, payload):
    """Then there is no block after it to be served; it is followed when it comes."""
    short = chain.fork(CHECKPOINT)
    three = peers(3, short)
    n = node(three, {"checkpoint": {"min_confirmations": 0}})
    expect.bootstrapped(n, short, url=three[0].serve("/cp.json", payload))
    short.mine_many(3)
    expect.at_tip_of(n, short)


def test_52_nobody_serves_new_blocks_for_a_while(node, peers, chain, payload):
    """Tips are named and their blocks are not given: the node waits where it is."""
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    for peer in three:
        peer.withheld = lambda height: height > 240
    chain.mine_many(5)
    wait_until(lambda: sum(p.requests_matching(r"/blocks/24[1-5]") for p in three) > 6,
               "the blocks to be asked for")
    assert n.status()["tip"]["height"] == 240
    for peer in three:
        peer.withheld = ()
    expect.at_tip_of(n, chain)


# --- 54 ---


class Moving:
    """Mines a block now and then until told to stop."""

    def __init__(self, chain, pause):
        self.chain, self.pause = chain, pause
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *ignored):
        self.stopped.set()
        self.thread.join()

    def run(self):
        while not self.stopped.wait(self.pause):
            self.chain.mine()


def slow(peers, seconds):
    for peer in peers:
        peer.fail(r"/blocks/\d+", lambda path: time.sleep(seconds))


@pytest.mark.tsan
def test_54_restarts_while_catching_up_and_the_tip_moves(node, peers, chain, payload):
    three = peers(3)
    slow(three, 0.02)
    n = node(three)
    with Moving(chain, 0.2):
        job_id = n.rpc("sync.start", url=three[0].serve("/cp.json", payload))["job_id"]
        for moment in (0.3, 0.6, 0.9):
            time.sleep(moment)  # the moment is the point: any will do
            n.restart()
        n.kill9()
        n.start()
        assert n.wait_job(job_id)["state"] == "succeeded"
    expect.at_tip_of(n, chain)
    assert expect.accepted(n) == [CHECKPOINT]


def test_54_the_tip_moves_to_another_branch_while_catching_up(node, peers, chain, payload):
    three = peers(3)
    slow(three, 0.02)
    n = node(three)
    job_id = n.rpc("sync.start", url=three[0].serve("/cp.json", payload))["job_id"]
    wait_until(lambda: three[0].requests_matching(r"/blocks/\d+") > 20, "it to begin")
    branch = chain.fork(220).mine_many(30)
    for peer in three:
        peer.chain = branch
    job = n.wait_job(job_id)
    if job["state"] == "failed":  # the checkpoint lost the blocks on it under way
        assert job["error"]["reason"] in ("insufficient_confirmations",
                                          "no_peer_serves_next_block"), job
        job = n.sync(url=three[0].url + "/cp.json")
    assert job["state"] == "succeeded", job
    expect.at_tip_of(n, branch)


def test_54_a_restart_far_behind(node, peers, chain, payload):
    """The network went on while the node was down, and goes on while it catches up; it
    is killed in the middle of that."""
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    n.stop()
    chain.mine_many(100)
    slow(three, 0.03)
    with Moving(chain, 0.3):
        n.start()
        for _ in range(3):
            time.sleep(0.5)  # the moment is the point: any will do
            n.kill9()
            n.start()
    expect.at_tip_of(n, chain)

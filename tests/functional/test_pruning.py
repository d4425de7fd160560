"""What peers can make a node store is bounded, whatever they show it."""

import contextlib
import sqlite3

import expect
import pytest
from miner import light_blocks
from node import wait_until

SHOWN = 240  # headers of a fork from genesis: its blocks may be old
POLLS = 8


def count(n, query):
    path = n.data_dir / "generations" / str(n.status()["generation"]) / "chain.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(f"SELECT count(*) FROM {query}").fetchone()[0]


def loose(n):
    return count(n, "header") - count(n, "active")


@pytest.fixture
def followed(node, peers, chain, payload):
    """A node at the tip of chain, three honest peers, and one that will lie."""
    three, (liar,) = peers(3), peers(1)
    n = node([*three, liar], {"checkpoint": {"min_peers": 3}})
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    return n, three, liar


def polled(peer, times):
    """So many polls have come and gone."""
    before = peer.requests_matching("/block/latest")
    wait_until(lambda: peer.requests_matching("/block/latest") >= before + times, "a poll")


def show(n, liar, fork):
    """The liar's tip is that of fork, and the node has taken what it can of it."""
    liar.chain = fork
    before = liar.requests_matching("/blocks/.*")
    wait_until(lambda: liar.requests_matching("/blocks/.*") >= before + SHOWN // 2, "a walk")
    polled(liar, 2)


def test_forks_whose_lower_blocks_nobody_has_do_not_stay(followed, chain):
    n, _, liar = followed
    for number in range(POLLS):
        fork = light_blocks(chain.fork(0), SHOWN, miner=f"liar {number}")
        liar.withheld = range(1, 5)
        show(n, liar, fork)
        assert SHOWN - 10 <= loose(n) <= SHOWN, (number, loose(n))
    assert count(n, "body") == 1 + 40 + 40  # genesis, ours, and the walk's
    # A walk that can go on is gone on with, and what it had is not asked for again.
    before = liar.requests_matching(r"/blocks/(\d\d+|[5-9])")
    liar.withheld = ()
    wait_until(lambda: count(n, "header WHERE status = 0") == 0, "the walk's end")
    assert loose(n) == SHOWN
    assert liar.requests_matching(r"/blocks/(\d\d+|[5-9])") == before
    liar.chain = chain.mine_many(1)
    expect.at_tip_of(n, chain)


def test_refused_headers_keep_no_bodies(followed, chain):
    n, _, liar = followed
    bodies = count(n, "body")
    liar.chain = light_blocks(chain.fork(210), 60, gap=60.0)  # no difficulty of 1 for that
    wait_until(lambda: count(n, "header WHERE status = 2") == 60, "the refusal")
    assert count(n, "body") == bodies
    assert expect.peer_of(n, liar)["banned_until"] is not None


def test_a_chain_that_was_given_up_is_not_walked_again(followed, chain):
    n, _, liar = followed
    before = loose(n)
    liar.chain = light_blocks(chain.fork(210), 20500)
    wait_until(lambda: liar.requests_matching(r"/blocks/\d+") > 20000, "the walk", 200)
    wait_until(lambda: loose(n) == before, "what it brought to go")
    asked = liar.requests_matching(r"/blocks/\d+")
    polled(liar, 3)
    assert liar.requests_matching(r"/blocks/\d+") == asked
    assert count(n, "body") < 100
    chain.mine()
    expect.at_tip_of(n, chain)


def test_side_branches_go_when_too_many_came_after(followed, chain):
    """Each is proven by work, however little: it costs next to nothing to make more."""
    n, _, liar = followed
    before = loose(n)
    for number in range(3):
        liar.chain = light_blocks(chain.fork(0), 8000, miner=f"miner {number}")
        tip = liar.chain.tip["hash"]
        wait_until(lambda: count(n, f"header WHERE status = 1 AND hash = x'{tip}'"),
                   f"branch {number}", 200)
        polled(liar, 2)
    wait_until(lambda: loose(n) <= before + 16000, "the oldest to go")
    assert loose(n) == before + 16000
    n.restart()
    chain.mine()
    expect.at_tip_of(n, chain)
    wait_until(lambda: "the live generation is whole" in n.log(), "the self-check")


# --- generations ---


def kept(n):
    return sorted(int(p.name) for p in (n.data_dir / "generations").iterdir())


def test_of_retired_generations_the_last_is_kept(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    url = three[0].serve("/cp.json", payload)
    expect.bootstrapped(n, chain, url=url)
    for number in (2, 3):
        assert n.rebootstrap(url=url)["state"] == "succeeded"
        assert kept(n) == [number - 1, number]
    states = {g["generation"]: g["state"] for g in n.rpc("generations.list")["generations"]}
    assert states == {1: "retired", 2: "retired", 3: "live"}
    # It died before it had removed the first one, or the second was found to be broken.
    n.stop()
    (n.data_dir / "generations" / "1").mkdir()
    (n.data_dir / "generations" / "1" / "chain.db").write_bytes(b"old")
    n.start()
    assert kept(n) == [2, 3]
    n.stop()
    with contextlib.closing(sqlite3.connect(n.data_dir / "control.db")) as db:
        db.execute("UPDATE generation SET state = 4 WHERE id = 2")
        db.commit()
    n.start()
    for live in (4, 5):
        assert n.rebootstrap(url=url)["state"] == "succeeded"
        assert kept(n) == [2, live - 1, live]
    expect.at_tip_of(n, chain)

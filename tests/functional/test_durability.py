"""Killed at every fsync, rename and commit, and at random moments: the state is the old one
or the new one, the job ends well, and nothing verified is fetched again.  CAIRN_TEST_FULL=1
takes every passage and 200 moments; CAIRN_TEST_SEED repeats a run."""

import shutil
import time

import crash
import expect
import pytest
import stockpeer
import xai
from node import wait_until

SHARES = 4 if crash.FULL else 1
MOMENTS = 100 if crash.FULL else 15  # of bootstraps, and as many of reorganisations
SPLIT = 5                            # tests that these are dealt to


def heavier(chain, branch_point):
    branch = chain.fork(branch_point)
    while branch.work() <= chain.work():
        branch.mine()
    return branch


def fresh(node, tmp_path):
    """The same node with nothing stored."""
    shutil.rmtree(node.data_dir, ignore_errors=True)
    node.environment = {}
    return tmp_path / "remains"


# --- a bootstrap ---


def passages_of_bootstrap(n, chain, url, trace):
    n.start(crash.hooks(CAIRN_FAILPOINT_TRACE=str(trace)))
    crash.ends_well(n, chain, url)
    n.stop()
    return crash.traced(trace)


def die_in_bootstrap(n, url, point, number):
    """False: the passage was not reached."""
    if not crash.started_or_dead(n, crash.hooks(CAIRN_FAILPOINT=f"{point}:{number}")):
        return True
    job_id = crash.start_job(n, url)
    return crash.until_dead(n, lambda: n.rpc("sync.status")["state"] == "following"
                            and n.rpc("jobs.get", job_id=job_id)["state"] == "succeeded")


def recovers(n, three, chain, url, scratch):
    remains, asked = crash.Remains(n, scratch), crash.Asked(three)
    n.start()
    if remains.live:
        assert n.status()["generation"] == remains.live
    crash.consistent(n, chain)
    crash.ends_well(n, chain, url)
    crash.nothing_again(remains, asked, 200)
    n.stop()


@pytest.fixture
def stopped(node, peers):
    """A node that is not running, and its three peers."""
    three = peers(3)
    n = node(three)
    n.stop()
    return n, three


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("point", crash.POINTS)
def test_a_bootstrap_killed_at(stopped, chain, payload, tmp_path, point, share):
    n, three = stopped
    url = three[0].serve("/cp.json", payload)
    scratch = fresh(n, tmp_path)
    count = passages_of_bootstrap(n, chain, url, tmp_path / "trace")[point]
    assert count > 0
    numbers = crash.chosen(point, count, crash.dice())[share::SHARES]
    reached = 0
    for number in numbers:
        print(f"{point}:{number} of {count}")
        fresh(n, tmp_path)
        died = die_in_bootstrap(n, url, point, number)
        reached += died
        if died:
            recovers(n, three, chain, url, scratch)
        n.stop(killed=not died)
    assert reached >= len(numbers) // 2, f"{reached} of {len(numbers)} passages met"


@pytest.mark.parametrize("share", range(SPLIT))
def test_a_bootstrap_killed_at_random_moments(stopped, chain, payload, tmp_path, share):
    n, three = stopped
    url = three[0].serve("/cp.json", payload)
    scratch = fresh(n, tmp_path)
    rng = crash.dice()
    began = time.monotonic()
    passages_of_bootstrap(n, chain, url, tmp_path / "trace")
    longest = time.monotonic() - began
    fresh(n, tmp_path)
    for moment in range(MOMENTS // SPLIT):
        die_at = time.monotonic() + rng.uniform(0, longest)
        print(f"moment {moment}: {die_at - time.monotonic():.4f} s after the start")
        n.launch()
        if time.monotonic() + 0.05 < die_at:
            n.address = n._ready_address()
            crash.start_job(n, url)
        time.sleep(max(die_at - time.monotonic(), 0))
        n.kill9()
        if rng.random() < 0.3:  # else it is killed again on its way
            recovers(n, three, chain, url, scratch)
            fresh(n, tmp_path)
    recovers(n, three, chain, url, scratch)


# --- a reorganisation ---


@pytest.fixture
def reorganising(node, peers, chain, payload, tmp_path):
    """A bootstrapped node that is not running and whose peers have a heavier branch; and
    anew(), which brings its data directory back to that."""
    three = peers(3)
    n = node(three)
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    n.stop()
    kept = tmp_path / "kept"
    shutil.copytree(n.data_dir, kept)
    branch = heavier(chain, 210)
    for peer in three:
        peer.chain = branch

    def anew():
        shutil.rmtree(n.data_dir)
        shutil.copytree(kept, n.data_dir)

    return n, three, branch, anew


def old_or_new(n, chain, branch):
    """With nobody to ask, it is exactly where the crash left it."""
    peers, n.config["peers"] = n.config["peers"], []
    n.start()
    crash.consistent(n, chain, branch)
    tip = n.rpc("chain.tip")["block_hash"]
    assert tip in (chain.tip["hash"], branch.tip["hash"]), tip
    n.stop()
    n.config["peers"] = peers


def ends_on(n, three, chain, branch, scratch):
    remains, asked = crash.Remains(n, scratch), crash.Asked(three)
    bodies = {h for h in remains.headers if h > 240}
    old_or_new(n, chain, branch)
    n.start()
    expect.at_tip_of(n, branch)
    assert expect.accepted(n) == [200]
    again = bodies & asked.heights()
    assert not again, f"fetched again: {sorted(again)}"
    crash.nothing_left(n)
    n.stop()


@pytest.mark.parametrize("share", range(SHARES))
def test_a_reorganisation_killed_at(reorganising, chain, tmp_path, share):
    n, three, branch, anew = reorganising
    trace = tmp_path / "trace"
    n.start(crash.hooks(CAIRN_FAILPOINT_TRACE=str(trace)))
    expect.at_tip_of(n, branch)
    n.stop()
    counts, rng = crash.traced(trace), crash.dice()
    deaths = [(p, i) for p in crash.POINTS for i in crash.chosen(p, counts[p], rng)]
    assert {p for p, _ in deaths} == set(crash.POINTS)
    reached = 0
    for point, number in deaths[share::SHARES]:
        print(f"{point}:{number} of {counts[point]}")
        anew()
        died = True
        if crash.started_or_dead(n, crash.hooks(CAIRN_FAILPOINT=f"{point}:{number}")):
            died = crash.until_dead(n, lambda: at_tip(n, branch), 10)
        reached += died
        n.stop(killed=True)
        ends_on(n, three, chain, branch, tmp_path / "remains")
    assert reached >= len(deaths[share::SHARES]) // 2


def at_tip(n, branch):
    tip = n.status()["tip"]
    return tip and tip["block_hash"] == branch.tip["hash"]


@pytest.mark.parametrize("share", range(SPLIT))
def test_a_reorganisation_killed_at_random_moments(reorganising, chain, tmp_path, share):
    n, three, branch, anew = reorganising
    rng = crash.dice()
    began = time.monotonic()
    n.start()
    n.wait_tip(branch.tip["index"], branch.tip["hash"])
    longest = time.monotonic() - began
    n.stop()
    for moment in range(MOMENTS // SPLIT):
        anew()
        after = rng.uniform(0, longest)
        print(f"moment {moment}: {after:.4f} s after the start")
        n.launch()
        time.sleep(after)
        n.kill9()
        ends_on(n, three, chain, branch, tmp_path / "remains")


def test_an_incident_killed_at(reorganising, chain, tmp_path):
    """A branch below the checkpoint is refused for good only once it is on record."""
    n, three, _, anew = reorganising
    branch = heavier(chain, 190)
    for peer in three:
        peer.chain = branch
    trace = tmp_path / "trace"
    n.start(crash.hooks(CAIRN_FAILPOINT_TRACE=str(trace)))
    wait_until(lambda: on_record(n), "the incident")
    time.sleep(0.5)
    n.stop()
    counts, rng = crash.traced(trace), crash.dice()
    for point in ("commit_before", "commit_after"):
        last = range(max(counts[point] - 4, 1), counts[point] + 1)
        for number in sorted({*crash.chosen(point, counts[point], rng), *last}):
            print(f"{point}:{number} of {counts[point]}")
            anew()
            if crash.started_or_dead(n, crash.hooks(CAIRN_FAILPOINT=f"{point}:{number}")):
                crash.until_dead(n, lambda: on_record(n) and n.status()["incidents"], 10)
            n.stop(killed=True)
            n.start()
            found = wait_until(lambda: on_record(n), "the incident")
            assert branch.tip["hash"] in str(found["evidence"])
            assert n.rpc("chain.tip")["block_hash"] == chain.tip["hash"]
            crash.consistent(n, chain)
            n.stop()


def on_record(n):
    return expect.incident(n, "reorg_below_checkpoint")


# --- a re-bootstrap beside a live generation ---


def test_a_rebootstrap_killed(node, peers, chain, payload, tmp_path):
    """The old generation serves until the new one does; never both, never a mix."""
    three = peers(3)
    n = node(three)
    url = three[0].serve("/cp.json", payload)
    old = xai.fixture_payload(150)
    expect.bootstrapped(n, chain, 150, url=three[0].serve("/old.json", old))
    first = n.status()["generation"]
    n.stop()
    kept, trace = tmp_path / "kept", tmp_path / "trace"
    shutil.copytree(n.data_dir, kept)
    n.start(crash.hooks(CAIRN_FAILPOINT_TRACE=str(trace)))
    assert n.rebootstrap(url=url)["state"] == "succeeded"
    n.stop()
    count = crash.traced(trace)["commit_after"]
    rng = crash.dice()
    numbers = range(1, count + 1) if crash.FULL else sorted(rng.sample(range(1, count), 8))
    for number in numbers:
        print(f"commit_after:{number} of {count}")
        shutil.rmtree(n.data_dir)
        shutil.copytree(kept, n.data_dir)
        n.environment = crash.hooks(CAIRN_FAILPOINT=f"commit_after:{number}")
        rebootstrap_dies(n, url)
        n.environment = {}
        remains = crash.Remains(n, tmp_path / "remains")
        assert remains.live is not None
        n.start()
        assert n.status()["generation"] >= first
        crash.consistent(n, chain)
        wait_for_jobs(n)
        jobs = n.rpc("jobs.list")["jobs"]
        assert {j["state"] for j in jobs} == {"succeeded"}, jobs
        expect.at_tip_of(n, chain)
        assert expect.accepted(n) == [200, 150][2 - len(jobs):]
        live = n.status()["generation"]
        assert (live == first) == (len(jobs) == 1)
        n.stop()


def rebootstrap_dies(n, url):
    if not crash.started_or_dead(n, None):
        return
    try:
        n.rpc("sync.rebootstrap", url=url, reason="test", idempotency_key="again")
    except crash.LOST:
        pass
    if not crash.until_dead(n, lambda: n.status()["generation"] > 1
                            and n.status()["state"] == "following", 20):
        n.kill9()


def wait_for_jobs(n):
    for job in n.rpc("jobs.list")["jobs"]:
        n.wait_job(job["job_id"])


# --- a download ---


def test_a_killed_download_goes_on_at_the_byte_it_had(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    url = three[0].serve("/cp.json", payload)
    resource = three[0].files["/cp.json"]
    half = len(resource.body) // 2
    stalled = stockpeer.Answer(200, resource.body, {"ETag": resource.etag},
                               stall_after=half)
    whole = [stalled]  # ranges are answered: only the body stalls

    def fault(_):
        ranged = three[0].log[-1][1]
        return whole.pop() if whole and not ranged else None

    three[0].fail("/cp.json", fault)
    crash.start_job(n, url)
    part = n.data_dir / "incoming" / "1" / "payload.part"
    wait_until(lambda: part.exists() and part.stat().st_size == half, "half of it")
    n.kill9()
    asked = crash.Asked(three)
    n.start()
    crash.ends_well(n, chain, url)
    ranges = [r for path, r in asked.since() if path == "/cp.json"]
    assert f"bytes={half - 1}-" in ranges and None not in ranges, ranges

"""Scenario 45: kill -9 in each stage of a job; after a restart it ends as if nothing had
happened.  With CAIRN_TEST_HOOKS=1 the daemon kills itself on entering the stage that
CAIRN_TEST_STOP_AT names."""

import http.client
import random
import signal
import time
import urllib.error

import expect
import pytest

STAGES = ("discovering", "deciding", "preflight", "fetching", "verifying", "mounting",
          "headers", "blocks")


def start(node, url):
    """sync.start, whose answer may be lost with the daemon."""
    try:
        return node.rpc("sync.start", url=url, idempotency_key="the one")["job_id"]
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError):
        return None


def ends_well(node, chain, url):
    job_id = node.rpc("sync.start", url=url, idempotency_key="the one")["job_id"]
    job = node.wait_job(job_id)
    assert job["state"] == "succeeded", job
    expect.at_tip_of(node, chain)
    assert expect.accepted(node) == [200]
    jobs = node.rpc("jobs.list")["jobs"]
    assert [j["state"] for j in jobs] == ["succeeded"]
    live = node.status()["generation"]
    assert [p.name for p in (node.data_dir / "generations").iterdir()] == [str(live)]
    assert list((node.data_dir / "incoming").iterdir()) == []


@pytest.mark.tsan
@pytest.mark.parametrize("stage", STAGES)
def test_45_killed_in(node, peers, chain, payload, stage):
    three = peers(3)
    url = three[0].serve("/cp.json", payload)
    n = node(three, environment={"CAIRN_TEST_HOOKS": "1", "CAIRN_TEST_STOP_AT": stage})
    start(n, url)
    assert n.reap() == -signal.SIGKILL
    assert f'to="{stage}"' in n.log()
    n.environment = {}
    n.start()
    ends_well(n, chain, url)


@pytest.mark.parametrize("seed", [3, 4, 7])
def test_45_killed_again_and_again(node, peers, chain, payload, seed):
    three = peers(3)
    url = three[0].serve("/cp.json", payload)
    n = node(three)
    moments = random.Random(seed)
    for _ in range(12):
        start(n, url)
        time.sleep(moments.uniform(0, 0.4))  # the moment is the point: any will do
        n.kill9()
        n.start()
    ends_well(n, chain, url)


def test_46_a_second_daemon_on_the_same_directory_is_refused(node, peers):
    n = node(peers(1))
    with pytest.raises(AssertionError, match="data_dir|data directory|another daemon"):
        node(peers(1), {"data_dir": str(n.data_dir)})
    assert n.status()["state"]


def test_46_sigterm_in_every_stage(node, peers, chain, payload):
    """The daemon ends with 0 whatever it is doing, and goes on after the next start."""
    three = peers(3)
    url = three[0].serve("/cp.json", payload)
    n = node(three)
    moments = random.Random(46)
    for _ in range(8):
        start(n, url)
        time.sleep(moments.uniform(0, 0.4))
        n.restart()
    ends_well(n, chain, url)

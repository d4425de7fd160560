"""Scenarios 25, 26, 28 and 31, as far as one payload at a URL goes: a source that fails."""

import expect
import stockpeer as s


def reason(n, **source):
    job = n.wait_job(n.rpc("sync.start", **source)["job_id"], seconds=120)
    assert job["state"] == "failed", job
    return job["error"]["reason"]


def test_25_statuses_that_are_no_payload(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    good = three[0].serve("/cp.json", payload)
    for status in (404, 403, 500):
        three[1].fail(f"/status_{status}", s.error(status, "no"))
        url = f"{three[1].url}/status_{status}"
        assert reason(n, url=url) == "source_unreachable", status
    three[1].fail("/loop", s.Answer(302, b"", {"Location": three[1].url + "/loop"}))
    assert reason(n, url=three[1].url + "/loop") == "source_unreachable"
    three[1].fail("/file", s.Answer(302, b"", {"Location": "file:///etc/passwd"}))
    assert reason(n, url=three[1].url + "/file") in ("source_unreachable", "source_forbidden")
    expect.bootstrapped(n, chain, url=good)


def test_25_nobody_listens(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    (gone,) = peers(1)
    gone.stop()
    assert reason(n, url=gone.url + "/cp.json") == "source_unreachable"
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


def test_26_a_body_cut_short_is_never_taken_for_whole(node, peers, chain, payload):
    """The connection ends in the middle once; what came is kept or fetched again."""
    three = peers(3)
    n = node(three)
    body = s.Resource(payload)
    three[0].files["/cp.json"] = body
    cut = [s.Answer(200, body.body, {"ETag": body.etag}, cut_after=len(body.body) // 2)]
    three[0].fail("/cp.json", lambda path: cut.pop() if cut else None)
    job = n.sync(url=three[0].url + "/cp.json")
    if job["state"] == "failed":
        assert job["error"]["reason"] == "source_unreachable", job
        job = n.sync(url=three[0].url + "/cp.json")
    assert job["state"] == "succeeded", job
    expect.at_tip_of(n, chain)


def test_26_always_cut_short_is_refused(node, peers, payload):
    three = peers(3)
    n = node(three)
    body = s.Resource(payload).body
    three[0].fail("/cp.json", s.Answer(200, body, cut_after=len(body) // 2))
    assert reason(n, url=three[0].url + "/cp.json") in (
        "source_unreachable", "payload_malformed")
    assert n.status()["tip"] is None


def test_28_a_source_that_stalls_is_given_up(node, peers, payload):
    three = peers(3)
    n = node(three, {"transfer": {"min_speed": "1KiB"}})
    body = s.Resource(payload).body
    three[0].fail("/cp.json", s.Answer(200, body, stall_after=len(body) // 2))
    assert reason(n, url=three[0].url + "/cp.json") in (
        "source_too_slow", "source_unreachable")


def test_29_a_payload_over_the_limit(node, peers, payload):
    three = peers(3)
    n = node(three, {"transfer": {"max_bytes": 100000}})
    url = three[0].serve("/cp.json", payload)
    assert reason(n, url=url) == "payload_too_large"


def test_46_the_same_idempotency_key_is_the_same_job(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    url = three[0].serve("/cp.json", payload)
    first = n.rpc("sync.start", url=url, idempotency_key="once")["job_id"]
    assert n.rpc("sync.start", url=url, idempotency_key="once")["job_id"] == first
    assert n.wait_job(first)["state"] == "succeeded"
    assert n.rpc("sync.start", url=url, idempotency_key="once")["job_id"] == first
    expect.at_tip_of(n, chain)
    assert len(n.rpc("jobs.list")["jobs"]) == 1


def test_46_cancel_while_the_source_hangs(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    three[1].fail("/never.json", s.Answer(hang=True))
    job_id = n.rpc("sync.start", url=three[1].url + "/never.json")["job_id"]
    n.rpc("sync.cancel", job_id=job_id)
    job = n.wait_job(job_id)
    assert job["state"] == "cancelled", job
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))


def test_46_sigterm_while_the_source_hangs(node, peers):
    three = peers(3)
    n = node(three)
    three[1].fail("/never.json", s.Answer(hang=True))
    n.rpc("sync.start", url=three[1].url + "/never.json")
    n.stop()


def test_the_expected_height_is_held_against_the_source(node, peers, chain, payload):
    three = peers(3)
    n = node(three)
    url = three[0].serve("/cp.json", payload)
    assert n.sync(url=url, height=199)["state"] == "failed"
    assert n.sync(url=url, block_hash="ab" * 32)["state"] == "failed"
    job = n.sync(url=url, height=200, block_hash=chain[200]["hash"])
    assert job["state"] == "succeeded", job


def test_dry_run_decides_and_leaves_everything(node, peers, payload):
    three = peers(3)
    n = node(three)
    url = three[0].serve("/cp.json", payload)
    job = n.sync(url=url, dry_run=True)
    assert (job["state"], job["stage"], job["error"]) == ("succeeded", "decided", None), job
    assert job["checkpoint"]["height"] == 200
    decided = job["stages"][-1]
    assert (decided["name"], decided["state"]) == ("deciding", "succeeded")
    assert decided["detail"].startswith("nothing failed, nothing was fetched; passed: network,")
    assert "best_chain, confirmations" in decided["detail"]
    assert decided["detail"].endswith("; not known yet: payload, source")
    assert n.rpc("jobs.list", state="succeeded")["jobs"] == [job]
    assert list((n.data_dir / "generations").iterdir()) == []
    assert n.status()["waiting_for"].startswith("a checkpoint: the dry run passed")
    assert expect.rejections(n) == []
    assert n.status()["tip"] is None
    assert expect.accepted(n) == []
    payload["work"] += 1
    job = n.sync(url=three[0].serve("/bad.json", payload), dry_run=True)
    assert job["state"] == "failed" and job["error"]["reason"] == "work_mismatch", job

"""Scenarios 25 to 31 for a snapshot's body: one source misbehaves in each way.  Beside a good
one it is found out, dropped with its reason, and costs nothing but its own pieces; alone it
ends the job with that reason."""

import threading

import expect
import pytest
import snapkit
from stockpeer import Answer, rate_limited
from test_snapshot_transfer import arrived, cairns, large, source  # noqa: F401

UNREACHABLE, CHANGED = "source_unreachable", "source_changed"
MISMATCH = "payload_hash_mismatch"


def status(code, **headers):
    return lambda first, last, asked, honest: Answer(code, b"no", headers)


def ranged(first, last, total, body):
    return Answer(206, body, {"Content-Range": f"bytes {first}-{last}/{total}"})


def shifted(first, last, asked, honest):
    """The right bytes, said to be others."""
    return ranged(first + 1, last + 1, 10**9, honest.body)


def of_another_size(first, last, asked, honest):
    return ranged(first, last, 10**9, honest.body)


def no_range_said(first, last, asked, honest):
    return Answer(206, honest.body)


def short(first, last, asked, honest):
    return ranged(first, last - 5, 10**9, honest.body[:-5])


def cut(first, last, asked, honest):
    honest.cut_after = len(honest.body) // 2
    return honest


def longer(first, last, asked, honest):
    return ranged(first, last, 10**9, honest.body + b"more")


def whole(first, last, asked, honest):
    return Answer(200, b"x" * 10**6)


def endless(first, last, asked, honest):
    return Answer(206, honest.body, {"Content-Range": f"bytes {first}-{last}/*"}, endless=True)


def reset(first, last, asked, honest):
    return Answer(reset=True)


def looped(first, last, asked, honest):
    return Answer(302, b"", {"Location": "base.coins.zst"})


def to_a_file(first, last, asked, honest):
    return Answer(302, b"", {"Location": "file:///etc/passwd"})


def flipped(at):
    def lie(first, last, asked, honest):
        body = bytearray(honest.body)
        body[at if at >= 0 else len(body) + at] ^= 1
        honest.body = bytes(body)
        return honest
    return lie


def zeros(first, last, asked, honest):
    honest.body = bytes(len(honest.body))
    return honest


def backwards(first, last, asked, honest):
    honest.body = honest.body[::-1]
    return honest


WAYS = {
    "404": (status(404), UNREACHABLE),
    "403": (status(403), UNREACHABLE),
    "416": (status(416), CHANGED),
    "429": (lambda *a: rate_limited(60), "peer_rate_limited"),
    "500": (status(500), UNREACHABLE),
    "503 and later": (status(503, **{"Retry-After": "60"}), "peer_rate_limited"),
    "a redirect loop": (looped, UNREACHABLE),
    "another scheme": (to_a_file, "source_forbidden"),
    "another range": (shifted, CHANGED),
    "another size": (of_another_size, CHANGED),
    "no range said": (no_range_said, CHANGED),
    "a shorter range": (short, None),
    "cut": (cut, UNREACHABLE),
    "longer": (longer, None),
    "endless": (endless, "payload_too_large"),
    "200 for a range": (whole, "source_no_ranges"),
    "reset": (reset, UNREACHABLE),
    "the first bit": (flipped(0), MISMATCH),
    "a bit in the middle": (flipped(5000), MISMATCH),
    "the last bit": (flipped(-1), MISMATCH),
    "zeros": (zeros, MISMATCH),
    "backwards": (backwards, MISMATCH),
}


def beside_a_good_one(node, cairns, chain, large, lie, config=None):
    three = cairns(3)
    bad, url = snapkit.serve(three[0], large, "/bad", lie=lie)
    good, _ = snapkit.serve(three[1], large, "/good")
    n = node(three, {"checkpoint": {"mirrors": [three[1].url + "/good"]}, **(config or {})})
    job = arrived(n, chain, large, url=url)
    return n, job, bad, good, url


@pytest.mark.parametrize("name", WAYS)
def test_beside_a_good_source(node, cairns, chain, large, name):  # noqa: F811
    lie, reason = WAYS[name]
    n, job, bad, good, url = beside_a_good_one(node, cairns, chain, large, lie)
    found = source(job, url)
    assert found["verified_bytes"] == 0 and found["errors"] >= 1, found
    if reason:
        assert found["reason"] == reason, found
    assert found["blamed"] is (reason == MISMATCH)
    assert found["blamed"] is False or found["state"] == "dropped"
    assert good.bytes == len(large.body), "each byte once, whatever the other did"


@pytest.mark.parametrize("name", ["404", "another range", "200 for a range", "the last bit",
                                  "endless"])
def test_alone(node, cairns, chain, large, name):  # noqa: F811
    lie, reason = WAYS[name]
    three = cairns(3)
    n = node(three)
    bad, url = snapkit.serve(three[0], large, lie=lie)
    job = expect.refused(n, reason, url=url)
    assert bad.asked and len(set(bad.asked)) == len(bad.asked), "no part of it twice"
    assert source(job, url)["state"] == "dropped"
    # the node is none the worse for it
    _, url = snapkit.serve(three[1], large)
    arrived(n, chain, large, url=url)


def test_25_too_many_requests_and_when_to_come_back(node, cairns, chain, large):  # noqa: F811
    """Alone: it is left alone for as long as it wanted, and then gives the rest."""
    three = cairns(3)
    n = node(three)
    left = [2]

    def lie(first, last, asked, honest):
        left[0] -= 1
        return rate_limited(2) if left[0] >= 0 else None

    body, url = snapkit.serve(three[0], large, lie=lie)
    job = arrived(n, chain, large, url=url)
    assert source(job, url)["errors"] == 2 and source(job, url)["state"] != "dropped"


@pytest.mark.parametrize("how", ["a byte a second", "a stall in the middle",
                                 "a stall at the last byte", "no answer"])
def test_28_who_crawls_is_not_waited_for(node, cairns, chain, large, how):  # noqa: F811
    def lie(first, last, asked, honest):
        if how == "a byte a second":
            honest.pace = (1, 1.0)
        elif how == "a stall in the middle":
            honest.stall_after = len(honest.body) // 2
        elif how == "a stall at the last byte":
            honest.stall_after = len(honest.body) - 1
        else:
            honest.hang = True
        return honest

    n, job, bad, good, url = beside_a_good_one(node, cairns, chain, large, lie)
    assert source(job, url)["verified_bytes"] == 0
    assert good.bytes == len(large.body)


def test_28_alone_it_is_given_up_as_too_slow(node, cairns, large):  # noqa: F811
    three = cairns(3)
    n = node(three, {"transfer": {"min_speed": 1024}})

    def lie(first, last, asked, honest):
        honest.stall_after = 100
        return honest

    _, url = snapkit.serve(three[0], large, lie=lie)
    job = n.wait_job(n.rpc("sync.start", url=url)["job_id"], seconds=150)
    assert job["error"]["reason"] == "source_too_slow", job["error"]
    assert n.status()["tip"] is None


def test_32_many_useless_and_one_good(node, cairns, chain, large):  # noqa: F811
    three = cairns(3)
    urls = [snapkit.serve(three[0], large, f"/{i}", lie=lie)[1]
            for i, (lie, _) in enumerate(list(WAYS.values())[:20])]
    good, _ = snapkit.serve(three[1], large, "/good")
    mirrors = [u.rsplit("/", 2)[0] for u in urls[1:]] + ["http://127.0.0.1:1/nobody"]
    n = node(three, {"checkpoint": {"mirrors": [*mirrors, three[1].url + "/good"]}})
    job = arrived(n, chain, large, url=urls[0])
    assert good.bytes == len(large.body)
    assert len([s for s in job["sources"] if s["kind"] == "url"]) == 22


def test_32_all_bad(node, cairns, large):  # noqa: F811
    three = cairns(3)
    url = snapkit.serve(three[0], large, "/a", lie=flipped(3))[1]
    snapkit.serve(three[1], large, "/b", lie=flipped(-3))
    n = node(three, {"checkpoint": {"mirrors": [three[1].url + "/b"]}})
    job = expect.refused(n, MISMATCH, url=url)
    assert all(s["blamed"] for s in job["sources"] if s["kind"] == "url")


@pytest.mark.parametrize("way", ["flipped", "truncated", "longer", "404", "empty"])
def test_the_table_from_who_has_it(node, cairns, chain, large, way):  # noqa: F811
    """It is bound by its hash in the manifest; who has another one is blamed."""
    answers = {
        "flipped": lambda b: Answer(200, b[:50] + bytes([b[50] ^ 1]) + b[51:]),
        "truncated": lambda b: Answer(200, b[:-112]),
        "longer": lambda b: Answer(200, b + b"x"),
        "404": lambda b: Answer(404, b""),
        "empty": lambda b: Answer(200, b""),
    }
    three = cairns(3)
    _, url = snapkit.serve(three[0], large, "/bad",
                           table_lie=lambda *a: answers[way](large.table))
    good, _ = snapkit.serve(three[1], large, "/good")
    n = node(three, {"checkpoint": {"mirrors": [three[1].url + "/good"]}})
    job = arrived(n, chain, large, url=url)
    assert source(job, url)["blamed"] is (way == "flipped")
    assert source(job, url)["errors"] >= 1


def test_a_peer_that_lies_is_banned(node, cairns, chain, large):  # noqa: F811
    three = cairns(3)
    good, url = snapkit.serve(three[0], large)
    bad, _ = snapkit.serve(three[1], large, "/snapshots", lie=flipped(7))
    n = node(three)
    job = arrived(n, chain, large, url=url)
    (found,) = (s for s in job["sources"] if s["kind"] == "peer" and s["blamed"])
    assert found["url"].startswith(three[1].url) and found["reason"] == MISMATCH
    banned = expect.peer_of(n, three[1])
    assert banned["ban_reason"] == MISMATCH and banned["ban_evidence"], banned
    assert good.bytes == len(large.body)


def test_peers_share_the_load(node, cairns, chain, large):  # noqa: F811
    three = cairns(3)
    first, url = snapkit.serve(three[0], large, pace=(65536, 0.05))
    others = [snapkit.serve(p, large, "/snapshots", pace=(65536, 0.05))[0] for p in three[1:]]
    n = node(three)
    job = arrived(n, chain, large, url=url)
    assert all(s["verified_bytes"] > 0 for s in job["sources"]
               if s["state"] != "dropped"), job["sources"]
    assert sum(s["verified_bytes"] for s in job["sources"]) == len(large.body)
    assert first.bytes and all(b.bytes for b in others)


def test_29_a_signed_manifest_that_lies_ends_it_at_once(node, cairns, chain):  # noqa: F811
    """Proven bytes that hold no such chunk: no source can help."""
    made = snapkit.Snapshot(chain, extra=8000)
    three = cairns(3)
    n = node(three)
    bomb = snapkit.pack(bytes(64 << 20))
    rows = bytearray(made.table)
    rows[8 + 40 : 8 + 44] = len(bomb).to_bytes(4, "little")
    rows[8 + 80 : 8 + 112] = snapkit.sha(bomb)
    made.table, made.frames[0] = bytes(rows), bomb
    made.body = b"".join(made.frames)
    made.document.update(table_sha256=snapkit.sha(made.table).hex(),
                         frames_bytes=len(made.body))
    made.sign(snapkit.fixture_signer())
    body, url = snapkit.serve(three[0], made)
    job = expect.refused(n, "payload_malformed", url=url)
    assert source(job, url)["blamed"] is False
    assert len(body.asked) <= 3


def test_the_bandwidth_is_kept_to(node, cairns, chain, large):  # noqa: F811
    import time

    three = cairns(3)
    n = node(three, {"transfer": {"bandwidth": "1MiB"}})
    _, url = snapkit.serve(three[0], large)
    begun = time.monotonic()
    arrived(n, chain, large, url=url)
    assert time.monotonic() - begun > len(large.body) / (1 << 20) - 2.0


def test_connections_to_one_source_are_capped(node, cairns, chain, large):  # noqa: F811
    three = cairns(3)
    n = node(three, {"transfer": {"connections": 2}})
    lock, now, most = threading.Lock(), [0], [0]

    class Counted(snapkit.Body):
        def answer(self, request_headers):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            three[0]._stopped.wait(0.05)
            with lock:
                now[0] -= 1
            return super().answer(request_headers)

    _, url = snapkit.serve(three[0], large)
    three[0].files[f"/{large.id}/base.coins.zst"] = Counted(large.body)
    arrived(n, chain, large, url=url)
    assert 1 <= most[0] <= 2

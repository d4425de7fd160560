"""Scenarios 25 to 28 at the payload's URL: answers that are none, that lie about their
length or range, or that do not end."""

import json
import time

import expect
import pytest
import wire
from wire import head, whole


@pytest.fixture
def body(payload):
    return json.dumps(payload).encode()


def reason(n, url):
    job = n.wait_job(n.rpc("sync.start", url=url)["job_id"], seconds=120)
    assert job["state"] == "failed", job
    assert expect.rejections(n)[0]["reason"] == job["error"]["reason"]
    assert n.status()["tip"] is None
    return job["error"]["reason"]


def redirect(to):
    return head(302, f"Location: {to}", "Content-Length: 0", "Connection: close")


# --- 25 ---


@pytest.mark.parametrize("status", [416, 429, 503])
def test_25_the_same_refusal_for_ever(node, peers, status):
    n = node(peers(3))
    with wire.Wire(lambda r: head(status, "Content-Length: 0", "Connection: close")) as w:
        assert reason(n, w.url) == "source_unreachable"
        assert 3 <= len(w.asked) <= 8
    expect.audit_is_whole(n)


def test_25_too_many_requests_and_when_to_come_back(node, peers, chain, body):
    n = node(peers(3))
    times = []

    def answer(request):
        times.append(time.monotonic())
        if len(times) <= 3:  # two looks at its ends, and the first whole one
            return head(429, "Retry-After: 4", "Content-Length: 0", "Connection: close")
        return wire.honest(body)(request)

    with wire.Wire(answer) as w:
        expect.bootstrapped(n, chain, url=w.url)
    assert times[3] - times[2] >= 4.0


def test_25_errors_that_pass(node, peers, chain, body):
    n = node(peers(3))
    left = [503, 500, 502, 504]

    def answer(request):
        if left:
            return head(left.pop(), "Content-Length: 0", "Connection: close")
        return wire.honest(body)(request)

    with wire.Wire(answer) as w:
        expect.bootstrapped(n, chain, url=w.url)


TARGETS = {
    "another scheme": "ftp://127.0.0.1/cp.json",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:70/_x",
    "credentials": "http://user:secret@127.0.0.1/cp.json",
    "no host": "http:///cp.json",
    "a port that is none": "http://127.0.0.1:99999/",
    "nonsense": "ht!tp://%%%",
    "nobody there": "http://127.0.0.1:1/cp.json",
    "very long": "http://127.0.0.1:1/" + "x" * 60000,
}


def test_25_redirects_to_where_nothing_is_taken_from(node, peers, chain, body):
    n = node(peers(3))
    targets = list(TARGETS.values())

    def answer(request):
        number = request.path[1:]
        if not number.isdigit():  # nonsense is a place on this server
            return head(404, "Content-Length: 0", "Connection: close")
        return redirect(targets[int(number)])

    with wire.Wire(answer) as w:
        for i, name in enumerate(TARGETS):
            found = reason(n, f"{w.url}/{i}")
            assert found in ("source_forbidden", "source_unreachable"), (name, found)
            if name in ("another scheme", "a file", "gopher", "credentials"):
                assert found == "source_forbidden", name
    assert "secret" not in json.dumps(expect.rejections(n))
    with wire.Wire(wire.honest(body)) as w:
        expect.bootstrapped(n, chain, url=w.url)


def test_25_redirects_are_followed_five_times(node, peers, chain, body):
    n = node(peers(3))

    def answer(request):
        left = int(request.path[1:])
        return redirect(f"/{left - 1}") if left else wire.honest(body)(request)

    with wire.Wire(answer) as w:
        assert reason(n, w.url + "/6") == "source_unreachable"
        expect.bootstrapped(n, chain, url=w.url + "/5")


def test_25_a_redirect_without_a_place(node, peers):
    n = node(peers(3))
    with wire.Wire(lambda r: head(302, "Content-Length: 0", "Connection: close")) as w:
        assert reason(n, w.url) == "source_unreachable"


# --- 26, 27 ---


LENGTHS = {
    "too short": (lambda b: head(200, f"Content-Length: {len(b) - 1000}") + b,
                  "metadata_malformed"),
    "nothing": (lambda b: head(200, "Content-Length: 0") + b, "metadata_malformed"),
    "too long": (lambda b: head(200, f"Content-Length: {len(b) + 1}") + b,
                 "source_unreachable"),
    "negative": (lambda b: head(200, "Content-Length: -1") + b, "source_unreachable"),
    "two": (lambda b: head(200, f"Content-Length: {len(b)}", "Content-Length: 7") + b, None),
    "a text": (lambda b: head(200, "Content-Length: many") + b, None),
    "over 2^64": (lambda b: head(200, f"Content-Length: {2 ** 64 + len(b)}") + b, None),
    "over the limit": (lambda b: head(200, f"Content-Length: {2 ** 62}") + b,
                       "payload_too_large"),
    "absent, and cut": (lambda b: head(200, "Connection: close") + b[: len(b) // 2],
                        "metadata_malformed"),
    "chunks without an end": (
        lambda b: head(200, "Transfer-Encoding: chunked") + wire.chunks(b, 5000, end=False),
        "source_unreachable"),
    "a chunk of no size": (
        lambda b: head(200, "Transfer-Encoding: chunked") + b"zz\r\n" + b,
        "source_unreachable"),
    "a head without end": (lambda b: b"HTTP/1.1 200 x\r\n" + b"X: y\r\n" * 200000,
                           "source_unreachable"),
    "no HTTP": (lambda b: b"SSH-2.0-OpenSSH_9.2\r\n", "source_unreachable"),
    "no answer": (lambda b: b"", "source_unreachable"),
    "another encoding": (
        lambda b: head(200, "Content-Encoding: gzip", f"Content-Length: {len(b)}") + b, None),
}


@pytest.mark.parametrize("part", range(3))
def test_26_lengths_that_are_not_true(node, peers, chain, body, part):
    """Refused, or taken when the body came whole for all that."""
    n = node(peers(3))
    names = list(LENGTHS)[part::3]
    for name in names:
        answer, expected = LENGTHS[name]
        with wire.Wire(lambda r: answer(body)) as w:
            job = n.wait_job(n.rpc("sync.start", url=w.url, dry_run=True)["job_id"], 120)
        if expected is None and job["state"] == "succeeded":
            assert job["stage"] == "decided", (name, job)
        else:
            wanted = (expected,) if expected else ("source_unreachable", "metadata_malformed")
            assert job["error"]["reason"] in wanted, (name, job["error"])
    with wire.Wire(wire.honest(body)) as w:
        expect.bootstrapped(n, chain, url=w.url)


@pytest.mark.parametrize("way", ["absent", "chunked", "no ranges", "one byte a chunk"])
def test_26_27_no_length_and_no_ranges_are_no_fault(node, peers, chain, body, way):
    answers = {
        "absent": lambda r: head(200, "Connection: close") + body,
        "chunked": lambda r: head(200, "Transfer-Encoding: chunked") + wire.chunks(body, 4096),
        "no ranges": lambda r: whole(body),
        "one byte a chunk": lambda r: head(200, "Transfer-Encoding: chunked")
        + wire.chunks(body, 1),
    }
    n = node(peers(3))
    with wire.Wire(answers[way]) as w:
        expect.bootstrapped(n, chain, url=w.url)


RANGES = {
    "none": [],
    "not a range": ["Content-Range: all of it"],
    "another unit": ["Content-Range: lines 0-1/2"],
    "another start": ["Content-Range: bytes 7-16390/99999"],
    "end before start": ["Content-Range: bytes 9-3/99999"],
    "over the total": ["Content-Range: bytes 0-99999/10"],
    "over 2^64": ["Content-Range: bytes 0-99999999999999999999999/99999999999999999999999"],
}


@pytest.mark.parametrize("name", RANGES)
def test_26_wrong_content_range(node, peers, chain, body, name):
    """The looks at its ends get a part that is not the one asked for, a resume too: the
    body is fetched from its start then, whole."""
    n = node(peers(3))
    cut = [True]

    def answer(request):
        if request.range:
            return head(206, f"Content-Length: {len(body)}", "Connection: close",
                        *RANGES[name]) + body
        if cut:
            cut.pop()
            return whole(body)[: -len(body) // 2]
        return whole(body)

    with wire.Wire(answer) as w:
        expect.bootstrapped(n, chain, url=w.url)
        assert [r.range is None for r in w.asked[2:]] == [True, False, True]


def test_26_a_part_that_was_not_asked_for(node, peers, body):
    n = node(peers(3))
    with wire.Wire(lambda r: head(206, f"Content-Length: {len(body)}", "Connection: close",
                                  f"Content-Range: bytes 0-{len(body) - 1}/{len(body)}") + body
                   ) as w:
        assert reason(n, w.url) == "source_unreachable"


def test_27_the_whole_body_for_a_resume(node, peers, chain, body):
    """Cut in the middle, and the rest of it cannot be asked for: all comes again."""
    n = node(peers(3))
    cut = [True]

    def answer(request):
        if request.range is None:
            return whole(body)[: -len(body) // 2] if cut and cut.pop() else whole(body)
        if request.range.startswith(("bytes=0-", "bytes=-")):
            return wire.honest(body)(request)
        return whole(body)

    with wire.Wire(answer) as w:
        expect.bootstrapped(n, chain, url=w.url)
        assert [r for r in w.asked if r.range and not r.range.startswith(("bytes=0-", "bytes=-"))]


def test_26_the_ends_are_of_another_version_than_the_middle(node, peers, payload, body):
    """Its metadata are judged before the body comes; what comes must carry the same."""
    n = node(peers(3))
    other = json.dumps({**payload, "work": payload["work"] + 1}).encode()
    with wire.Wire(lambda r: (wire.honest(body) if r.range else wire.honest(other))(r)) as w:
        assert reason(n, w.url) in ("work_mismatch", "source_changed")


# --- 28 ---


SLOW = {"transfer": {"min_speed": 1024}}


def slowly(w, text, seconds=1.0):
    for i in range(len(text)):
        if w.stopped.wait(seconds):
            return
        yield text[i : i + 1]


@pytest.mark.parametrize("where", ["a byte a second", "stall at the last byte"])
def test_28_a_body_that_does_not_come(node, peers, body, where):
    """The ends come at once, so it is the body itself that is given up; each time what came
    is kept and gone on from."""
    n = node(peers(3), SLOW)
    good = wire.honest(body)

    def answer(request):
        text = good(request)
        if request.range and request.range.startswith(("bytes=0-", "bytes=-")):
            yield text
            return
        cut = text.index(b"\r\n\r\n") + 4
        if where == "stall at the last byte":
            cut = len(text) - 1
        yield text[:cut]
        if where == "a byte a second":
            yield from slowly(w, text[cut:])
        w.stopped.wait()

    with wire.Wire(answer) as w:
        begun = time.monotonic()
        assert reason(n, w.url) == "source_too_slow"
        assert time.monotonic() - begun < 90
        status = n.status()
    assert status["tip"] is None


def test_28_a_stall_that_ends_in_time(node, peers, chain, body):
    n = node(peers(3), SLOW)

    def answer(request):
        text = wire.honest(body)(request)
        yield text[: len(text) // 2]
        w.stopped.wait(3)
        yield text[len(text) // 2 :]

    with wire.Wire(answer) as w:
        expect.bootstrapped(n, chain, url=w.url)

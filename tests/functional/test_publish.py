"""cairn snapshot publish against a real object store, and through a proxy that spoils things."""

import itertools
import json
import os
import re
import signal
import subprocess
import threading

import objectstore
import pytest
import snapfile
from node import wait_until
from objectstore import Cut, ObjectStore, Proxy
from test_cli import DONE, FAILED, USAGE, Ran, environment, program

SEED_A, SEED_B = bytes(32), b"\x01" * 32
PART = 8 << 20
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    running = ObjectStore(tmp_path_factory.mktemp("store"))
    yield running
    running.stop()


@pytest.fixture
def bucket(store):
    return store.make_bucket(f"bucket-{next(numbers)}")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A snapshot whose frames are three parts."""
    return snapfile.make(tmp_path_factory.mktemp("large"), coins=460_000)


@pytest.fixture
def fresh(large, tmp_path):
    """The same, in a directory of the test's own."""
    path = tmp_path / large[0].name
    path.mkdir()
    for file in ("manifest.json", "chunks.bin", "base.coins.zst"):
        (path / file).write_bytes((large[0] / file).read_bytes())
    return path


@pytest.fixture
def small(tmp_path):
    return snapfile.make(tmp_path, coins=100)[0]


@pytest.fixture
def proxy(store):
    running = Proxy(store.port)
    yield running
    running.stop()


def keys(secret=objectstore.SECRET):
    return {"AWS_ACCESS_KEY_ID": objectstore.KEY, "AWS_SECRET_ACCESS_KEY": secret}


def command(path, endpoint, bucket, *more):
    return [program(), "snapshot", "publish", str(path), "--endpoint", endpoint, "--bucket", bucket,
            "--prefix", "snapshots/test", "--region", objectstore.REGION, "--json", *more]


def publish(path, endpoint, bucket, *more, code=DONE, secret=objectstore.SECRET, **variables):
    ran = Ran(subprocess.run(command(path, endpoint, bucket, *more), capture_output=True, timeout=120,
                             env=environment(**{**keys(secret), **variables})))
    assert ran.code == code, (ran.out, ran.err)
    assert "with+signs" not in ran.out + ran.err
    return ran


def start(path, endpoint, bucket, *more):
    return subprocess.Popen(command(path, endpoint, bucket, *more), stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, env=environment(**keys()))


def objects(store, bucket, path):
    return {name: store.get(bucket, f"snapshots/test/{path.name}/{name}")
            for name in ("manifest.json", "chunks.bin", "base.coins.zst")}


def files(path):
    return {name: (path / name).read_bytes() for name in ("manifest.json", "chunks.bin", "base.coins.zst")}


def latest(store, bucket):
    return json.loads(store.get(bucket, "snapshots/test/latest.json"))


def states(path):
    return list(path.glob("upload-*.json"))


# --- what is there afterwards ---


def test_a_snapshot_is_published_whole_and_named_last(store, bucket, proxy, fresh):
    ran = publish(fresh, proxy.endpoint, bucket)
    assert objects(store, bucket, fresh) == files(fresh)
    assert store.get(bucket, "snapshots/test/latest.json") == snapfile.canonical(
        {"format": "cairn-latest-1", "height": 200, "manifest": f"{fresh.name}/manifest.json"})
    assert ran.json["id"] == fresh.name and ran.json["is_latest"] is True
    assert ran.json["manifest"] == f"{proxy.endpoint}/{bucket}/snapshots/test/{fresh.name}/manifest.json"
    written = [r.name for r in proxy.seen if r.method in ("PUT", "POST")]
    assert written[0] == "chunks.bin" and written[-2:] == ["manifest.json", "latest.json"]
    assert set(written[1:-2]) == {"base.coins.zst"}
    assert store.uploads(bucket) == 0 and states(fresh) == []
    head = store.request("HEAD", f"/{bucket}/snapshots/test/{fresh.name}/base.coins.zst")
    assert head.getheader("x-amz-meta-cairn-sha256") == snapfile.sha(files(fresh)["base.coins.zst"]).hex()


def test_what_is_there_is_looked_at_and_not_sent_again(store, bucket, proxy, fresh):
    publish(fresh, store.endpoint, bucket)
    ran = publish(fresh, proxy.endpoint, bucket)
    assert {r.method for r in proxy.seen} == {"HEAD", "GET"}
    assert ran.json["sent_bytes"] == 0
    assert ran.json["kept_bytes"] == sum(map(len, files(fresh).values()))


def test_anyone_may_read_what_is_public(store, bucket, small):
    publish(small, store.endpoint, bucket)
    base = store.publish_to_all(bucket) + "/snapshots/test/"
    import urllib.request
    named = json.loads(urllib.request.urlopen(base + "latest.json").read())["manifest"]
    assert urllib.request.urlopen(base + named).read() == files(small)["manifest.json"]
    asked = urllib.request.Request(base + named.replace("manifest.json", "base.coins.zst"),
                                   headers={"Range": "bytes=10-19"})
    assert urllib.request.urlopen(asked).read() == files(small)["base.coins.zst"][10:20]


def test_latest_moves_upward_only_unless_told(store, bucket, small, tmp_path):
    lower = snapfile.make(tmp_path, height=150, coins=50)[0]
    same = snapfile.make(tmp_path, height=200, coins=50)[0]
    publish(small, store.endpoint, bucket)
    for other in (lower, same):
        ran = publish(other, store.endpoint, bucket)
        assert ran.json["is_latest"] is False
        assert latest(store, bucket)["manifest"] == f"{small.name}/manifest.json"
        assert objects(store, bucket, other) == files(other)
    assert publish(lower, store.endpoint, bucket, "--back").json["is_latest"] is True
    assert latest(store, bucket) == {"format": "cairn-latest-1", "height": 150,
                                     "manifest": f"{lower.name}/manifest.json"}
    assert publish(small, store.endpoint, bucket).json["is_latest"] is True


# --- names never change ---


@pytest.mark.parametrize("spoilt, word", [
    (lambda b: b + b"x", "bytes and not"),
    (lambda b: b[:-1] + bytes([b[-1] ^ 1]), "no SHA-256"),
])
def test_another_object_of_the_name_is_an_error_and_stays(store, bucket, small, spoilt, word):
    key = f"snapshots/test/{small.name}/base.coins.zst"
    theirs = spoilt(files(small)["base.coins.zst"])
    store.put(bucket, key, theirs)
    ran = publish(small, store.endpoint, bucket, code=FAILED)
    assert "store_exists" in ran.err and word in ran.err and "hint" in ran.err
    assert store.get(bucket, key) == theirs
    assert store.get(bucket, "snapshots/test/latest.json") is None


def test_one_with_another_hash_is_told_by_it(store, bucket, small):
    body = files(small)["chunks.bin"]
    store.put(bucket, f"snapshots/test/{small.name}/chunks.bin", body, x_amz_meta_cairn_sha256="ab" * 32)
    assert "another hash" in publish(small, store.endpoint, bucket, code=FAILED).err


def test_the_manifest_gathers_signatures_from_both_sides(store, bucket, tmp_path):
    path, manifest = snapfile.make(tmp_path, seeds=[SEED_A])
    publish(path, store.endpoint, bucket)
    (path / "manifest.json").write_bytes(snapfile.sign(manifest, [SEED_B])[0])
    publish(path, store.endpoint, bucket)
    both = snapfile.sign(manifest, [SEED_A, SEED_B])[0]
    assert store.get(bucket, f"snapshots/test/{path.name}/manifest.json") == both


@pytest.mark.parametrize("theirs", [b"{}", b"", b"<html>", b"[" * 100_000])
def test_something_else_named_manifest_or_latest_stays(store, bucket, small, theirs):
    key = f"snapshots/test/{small.name}/manifest.json"
    store.put(bucket, key, theirs)
    assert "store_exists" in publish(small, store.endpoint, bucket, code=FAILED).err
    assert store.get(bucket, key) == theirs
    store.request("DELETE", f"/{bucket}/{key}")
    store.put(bucket, "snapshots/test/latest.json", theirs)
    assert "store_exists" in publish(small, store.endpoint, bucket, code=FAILED).err
    assert store.get(bucket, "snapshots/test/latest.json") == theirs
    publish(small, store.endpoint, bucket, "--back")
    assert latest(store, bucket)["height"] == 200


# --- killed, and started again ---


@pytest.mark.parametrize("moment", ["begun", "part 2", "part 2 arrived", "completed", "named"])
def test_a_killed_run_goes_on_where_it_was(store, bucket, proxy, fresh, moment):
    killed = threading.Event()
    running = []

    def kill(answer=None):
        running[0].send_signal(signal.SIGKILL)
        running[0].wait()
        killed.set()
        raise Cut

    def judge(request):
        if killed.is_set():
            return None
        if moment == "part 2" and request.part == 2:
            return kill()
        at = {"begun": request.query == "uploads=", "part 2 arrived": request.part == 2,
              "completed": request.method == "POST" and request.query.startswith("uploadId="),
              "named": request.name == "latest.json" and request.method == "PUT"}
        return kill if at.get(moment) else None

    proxy.judge = judge
    running.append(start(fresh, proxy.endpoint, bucket))
    assert killed.wait(60)
    before, proxy.seen = proxy.seen, []
    ran = publish(fresh, proxy.endpoint, bucket)
    assert objects(store, bucket, fresh) == files(fresh) and latest(store, bucket)["height"] == 200
    arrived = {r.part for r in before if r.part} - ({2} if moment == "part 2" else set())
    again = {r.part for r in proxy.seen if r.part}
    assert arrived.isdisjoint(again), "a part that the store had was sent again"
    assert arrived | again == {1, 2, 3}
    body = len(files(fresh)["base.coins.zst"])
    if moment != "begun":
        assert ran.json["kept_bytes"] >= min(len(arrived) * PART, body)
        assert not any(r.query == "uploads=" for r in proxy.seen)
    assert states(fresh) == []


def test_an_upload_that_the_store_forgot_begins_anew(store, bucket, proxy, fresh):
    proxy.judge = lambda r: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" if r.part == 2 else None
    assert "store_denied" in publish(fresh, proxy.endpoint, bucket, code=FAILED).err
    state = states(fresh)[0]
    uploaded = json.loads(state.read_text())
    path = f"/{bucket}/snapshots/test/{fresh.name}/base.coins.zst"
    assert store.request("DELETE", path, "uploadId=" + uploaded["upload_id"]).status == 204
    publish(fresh, store.endpoint, bucket)
    assert objects(store, bucket, fresh) == files(fresh)


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff" * 5000, b'{"part_bytes":1,"sha256":"' + b"0" * 64
                                  + b'","upload_id":"x"}'])
def test_a_state_that_says_nothing_is_left_behind(store, bucket, proxy, fresh, text):
    proxy.judge = lambda r: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" if r.part else None
    publish(fresh, proxy.endpoint, bucket, code=FAILED)
    states(fresh)[0].write_bytes(text)
    proxy.judge = lambda r: None
    publish(fresh, proxy.endpoint, bucket)
    assert objects(store, bucket, fresh) == files(fresh)


# --- a network and a store in trouble ---


def once(condition, action):
    """Does this to the first request that fits, and lets all others pass."""
    left = [1]

    def judge(request):
        if left and condition(request):
            left.pop()
            return action(request)
        return None
    return judge


def cut(_request):
    raise Cut


def lose_answer(_request):
    def drop(_answer):
        raise Cut
    return drop


BUSY = b"HTTP/1.1 503 Slow Down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
LATE_ERROR = b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
MOMENTS = {
    "head": lambda r: r.method == "HEAD", "small put": lambda r: r.name == "chunks.bin" and r.method == "PUT",
    "begin": lambda r: r.query == "uploads=", "part": lambda r: r.part == 2,
    "list": lambda r: r.query.startswith("max-parts"), "latest": lambda r: r.name == "latest.json",
    "complete": lambda r: r.method == "POST" and r.query.startswith("uploadId"),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("trouble", [lambda r: BUSY, cut, lose_answer], ids=["busy", "cut", "answer lost"])
def test_trouble_that_passes_is_got_over(store, bucket, proxy, fresh, moment, trouble):
    proxy.judge = once(MOMENTS[moment], trouble)
    ran = publish(fresh, proxy.endpoint, bucket)
    assert "store_unreachable" in ran.err and "again in" in ran.err
    assert objects(store, bucket, fresh) == files(fresh) and latest(store, bucket)["height"] == 200


def test_a_store_that_stalls_is_asked_again(store, bucket, proxy, fresh):
    released = threading.Event()

    def stall(_request):
        released.wait(60)
        raise Cut

    proxy.judge = once(MOMENTS["part"], stall)
    ran = publish(fresh, proxy.endpoint, bucket, "--stall", "1")
    released.set()
    assert "store_unreachable" in ran.err
    assert objects(store, bucket, fresh) == files(fresh)


def test_a_wait_that_is_asked_for_is_kept(store, bucket, proxy, small):
    proxy.judge = once(MOMENTS["latest"], lambda r: BUSY.replace(b": 1", b": 3"))
    ran = publish(small, proxy.endpoint, bucket)
    assert "again in 3.0 s" in ran.err


def test_nobody_there_is_said_in_the_end(bucket, small, proxy):
    proxy.judge = cut
    ran = publish(small, proxy.endpoint, bucket, code=FAILED)
    assert "store_unreachable" in ran.err and len(proxy.seen) >= 6


# --- a store that says no ---


def test_a_wrong_secret(store, bucket, small):
    ran = publish(small, store.endpoint, bucket, code=FAILED, secret="another/with+signs=")
    assert "store_denied" in ran.err


def test_a_wrong_region(store, bucket, small):
    ran = publish(small, store.endpoint, bucket, "--region", "elsewhere-9", code=FAILED)
    assert "store_" in ran.err


def test_no_such_bucket(store, small):
    ran = publish(small, store.endpoint, "nobody-made-this", code=FAILED)
    assert "store_no_bucket" in ran.err


def test_a_clock_that_is_wrong(tmp_path, small):
    ahead = ObjectStore(tmp_path / "store", STORE_SECONDS_AHEAD="3600")
    try:
        ran = publish(small, ahead.endpoint, "any-bucket", code=FAILED)
        assert "store_clock" in ran.err or "store_denied" in ran.err
    finally:
        ahead.stop()


def answer(text, status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text)


BOMB = (b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        b"<InitiateMultipartUploadResult><UploadId>&b;</UploadId></InitiateMultipartUploadResult>")


@pytest.mark.parametrize("text", [
    b"", b"ok", b"<Other/>", BOMB, b"<a>" * 100_000, b"<InitiateMultipartUploadResult/>",
    b"<InitiateMultipartUploadResult><UploadId>" + b"x" * 3000 + b"</UploadId></InitiateMultipartUploadResult>",
    b"<InitiateMultipartUploadResult><UploadId>a b</UploadId></InitiateMultipartUploadResult>",
    b"<InitiateMultipartUploadResult><UploadId>a</UploadId><UploadId>b</UploadId></InitiateMultipartUploadResult>",
    b"x" * (3 << 20),
], ids=range(10))
def test_an_answer_that_is_none(store, bucket, proxy, fresh, text):
    proxy.judge = lambda r: answer(text) if r.query == "uploads=" else None
    assert "store_bad_answer" in publish(fresh, proxy.endpoint, bucket, code=FAILED).err
    assert store.get(bucket, "snapshots/test/latest.json") is None


PARTS = b"<ListPartsResult><IsTruncated>%s</IsTruncated>%s</ListPartsResult>"
ONE = b"<Part><PartNumber>%d</PartNumber><ETag>\"x\"</ETag><Size>%d</Size></Part>"


@pytest.mark.parametrize("text", [
    PARTS % (b"false", b""), PARTS % (b"true", b""), PARTS % (b"true", ONE % (1, PART)),
    PARTS % (b"false", ONE % (2, PART) + ONE % (1, PART)), PARTS % (b"false", ONE % (10_001, PART)),
    PARTS % (b"false", ONE % (1, PART) + ONE % (2, PART) + ONE % (3, 1)),
], ids=range(6))
def test_a_list_of_parts_that_lies(store, bucket, proxy, fresh, text):
    proxy.judge = lambda r: answer(text) if r.query.startswith("max-parts") else None
    assert "store_bad_answer" in publish(fresh, proxy.endpoint, bucket, code=FAILED).err
    assert store.get(bucket, f"snapshots/test/{fresh.name}/base.coins.zst") is None


def test_a_late_error_is_one_whatever_the_status_was(store, bucket, proxy, fresh):
    proxy.judge = lambda r: answer(LATE_ERROR) if MOMENTS["complete"](r) else None
    ran = publish(fresh, proxy.endpoint, bucket, code=FAILED)
    assert "InternalError" in ran.err
    assert store.get(bucket, "snapshots/test/latest.json") is None
    publish(fresh, store.endpoint, bucket)


def test_a_redirect_is_not_followed(store, bucket, proxy, small):
    proxy.judge = lambda r: (b"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + store.endpoint.encode()
                             + b"/\r\nContent-Length: 0\r\n\r\n")
    assert "store_refused" in publish(small, proxy.endpoint, bucket, code=FAILED).err


# --- what is not published ---


@pytest.mark.parametrize("name", ["chunks.bin", "base.coins.zst", "manifest.json"])
def test_a_damaged_snapshot_is_not_published(bucket, proxy, small, name):
    body = bytearray((small / name).read_bytes())
    body[len(body) // 2] ^= 1
    (small / name).write_bytes(body)
    ran = publish(small, proxy.endpoint, bucket, code=FAILED)
    assert re.search("payload_hash_mismatch|metadata_malformed", ran.err)
    assert proxy.seen == []


def test_half_a_snapshot_is_not_published(bucket, proxy, small):
    (small / "base.coins.zst").write_bytes((small / "base.coins.zst").read_bytes()[:-1])
    assert "payload_hash_mismatch" in publish(small, proxy.endpoint, bucket, code=FAILED).err
    (small / "base.coins.zst").unlink()
    publish(small, proxy.endpoint, bucket, code=FAILED)
    assert proxy.seen == []


# --- the credentials ---


def test_credentials_come_from_a_file_that_nobody_else_may_read(store, bucket, small, tmp_path):
    file = tmp_path / "credentials"
    file.write_text(f"# of the store\n[default]\naws_access_key_id = {objectstore.KEY}\n"
                    f"aws_secret_access_key = {objectstore.SECRET}\n")
    file.chmod(0o640)
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    assert "chmod 600" in publish(small, store.endpoint, bucket, "--credentials", str(file), code=FAILED, **none).err
    file.chmod(0o600)
    publish(small, store.endpoint, bucket, "--credentials", str(file), **none)
    assert "AWS_ACCESS_KEY_ID" in publish(small, store.endpoint, bucket, code=FAILED, **none).err


def test_secrets_stay_out_of_core_dumps_and_the_command_line(bucket, proxy, small):
    waiting, released = threading.Event(), threading.Event()

    def hold(_request):
        waiting.set()
        released.wait(60)

    proxy.judge = once(MOMENTS["head"], hold)
    running = start(small, proxy.endpoint, bucket)
    assert waiting.wait(60)
    proc = f"/proc/{running.pid}"
    with open(f"{proc}/coredump_filter") as file:
        assert int(file.read(), 16) == 0
    with open(f"{proc}/limits") as file:
        assert re.search(r"Max core file size +0 +0 ", file.read())
    with open(f"{proc}/cmdline") as file:
        assert "with+signs" not in file.read()
    released.set()
    assert running.wait(60) == DONE


@pytest.mark.parametrize("more", [
    ("--endpoint", "ftp://store"), ("--endpoint", "http://store/path"), ("--bucket", "Upper"),
    ("--bucket", "a/b"), ("--prefix", "/a"), ("--prefix", "a//b"), ("--prefix", "a/../b"), ("--prefix", "a?b"),
    ("--region", "a:b"),
])
def test_a_target_that_could_mean_two_things_is_refused(small, more):
    ran = publish(small, "http://127.0.0.1:1", "bucket", *more, code=USAGE)
    assert "cairn snapshot publish: " in ran.err

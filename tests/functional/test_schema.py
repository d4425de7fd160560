"""Databases of other versions: a newer one is refused and not touched, every older one is
migrated.  tests/data/schema keeps what each schema version wrote: add to it, never replace."""

import contextlib
import shutil
import sqlite3

import crash
import expect
import kept
import pytest
from node import REPO

NAMES = ("control", "chain")


def head(name):
    return len(list((REPO / "store" / "schema" / name).glob("*.sql")))


@pytest.fixture
def stopped(node, peers):
    """A node that is not running and has no data; its peers."""
    three = peers(3)
    n = node(three)
    n.stop()
    shutil.rmtree(n.data_dir)
    return n, three


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_kept(name):
    numbers = [int(f.name[:4]) for f in (REPO / "store" / "schema" / name).glob("*.sql")]
    assert sorted(numbers) == list(range(1, head(name) + 1))
    for number in numbers:
        assert kept.version(kept.DATA / f"{name}_v{number}.db") == number


CASES = ([(v, head("chain")) for v in range(1, head("control") + 1)]
         + [(head("control"), v) for v in range(1, head("chain"))])


@pytest.mark.parametrize("control, chain_schema", CASES)
def test_an_older_one_is_migrated(stopped, chain, control, chain_schema):
    n, _ = stopped
    files = kept.place(n.data_dir, control, chain_schema)
    n.start()
    expect.at_tip_of(n, chain)
    assert expect.accepted(n) == [200]
    assert n.status()["checkpoint"]["height"] == 200
    assert [j["state"] for j in n.rpc("jobs.list")["jobs"]] == ["succeeded", "failed"]
    assert [r["reason"] for r in expect.rejections(n)] == ["bad_signature"]
    assert n.rpc("chain.block", height=230)["block_hash"] == chain[230]["hash"]
    chain.mine()
    expect.at_tip_of(n, chain)
    n.stop()
    for name in NAMES:
        assert kept.version(files[name + ".db"]) == head(name)


def altered(path, what):
    """Damage that a database takes for data: a letter of an audit entry, a hash, a link."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        if what == "audit entry":
            (body,) = db.execute("SELECT body FROM audit ORDER BY seq LIMIT 1").fetchone()
        elif what == "audit tail":
            db.execute("UPDATE audit_head SET entries = entries - 1")
        elif what == "base":
            db.execute("UPDATE generation SET state_root = randomblob(32) WHERE state = 2")
        else:
            db.execute("UPDATE generation SET checkpoint_id = 77 WHERE state = 2")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if what == "audit entry":
        content = path.read_bytes()
        assert content.count(body.encode()) == 1
        path.write_bytes(content.replace(body.encode(), body.replace("e", "a", 1).encode()))


@pytest.mark.parametrize("version", range(1, head("control")))
@pytest.mark.parametrize("what", ["audit entry", "audit tail", "base", "checkpoint"])
def test_an_older_one_that_is_damaged_is_not_migrated(stopped, version, what):
    """It is refused as it is: a program of its own version can still read it."""
    n, _ = stopped
    files = kept.place(n.data_dir, control=version)
    altered(files["control.db"], what)
    before = files["control.db"].read_bytes()
    line = kept.refuses_to_start(n)
    assert 'reason="storage_corrupt"' in line and "control.db" in line, line
    assert files["control.db"].read_bytes() == before
    with contextlib.closing(sqlite3.connect(files["control.db"])) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (version,)


def newer(path, in_wal):
    """As if a program of schema 999 had written it; in_wal: and had been killed."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 999")
        if in_wal:
            saved = {s: (path.parent / (path.name + s)).read_bytes() for s in ("", "-wal")}
    if in_wal:
        for suffix, content in saved.items():
            (path.parent / (path.name + suffix)).write_bytes(content)


@pytest.mark.parametrize("in_wal", [False, True], ids=["checkpointed", "in the wal"])
@pytest.mark.parametrize("name", NAMES)
def test_a_newer_one_is_refused_untouched(stopped, name, in_wal):
    n, _ = stopped
    files = kept.place(n.data_dir)
    newer(files[name + ".db"], in_wal)
    (n.data_dir / "lock").touch(mode=0o600)
    before = kept.fingerprints(files[name + ".db"].parent)
    line = kept.refuses_to_start(n)
    assert "reason=\"schema_newer\"" in line and "999" in line, line
    assert files[name + ".db"].name in line
    after = kept.fingerprints(files[name + ".db"].parent)
    changed = {f for f in before.keys() | after.keys() if before.get(f) != after.get(f)}
    # A version that only the WAL tells is read with the help of a -shm: SQLite's scratch.
    assert changed <= ({name + ".db-shm"} if in_wal else set()), changed


def test_after_the_refusal_it_serves_as_before(stopped, chain):
    n, _ = stopped
    files = kept.place(n.data_dir)
    newer(files["control.db"], in_wal=False)
    kept.refuses_to_start(n)
    with contextlib.closing(sqlite3.connect(files["control.db"])) as db:
        db.execute("PRAGMA user_version = 1")
    n.start()
    expect.at_tip_of(n, chain)
    crash.nothing_left(n)

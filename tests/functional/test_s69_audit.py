"""Scenario 69: an audit row altered, removed or inserted, the tail cut; audit.verify names the
first bad one, and the node goes on."""

import hashlib
import sqlite3

import expect
import pytest


@pytest.fixture
def stopped(node, peers, chain, payload):
    """A stopped node with some entries in its log, how many, and its chain."""
    three = peers(3)
    n = node(three)
    for number in range(3):
        bad = {**payload, "work": payload["work"] + 1 + number}
        expect.refused(n, "work_mismatch", url=three[1].serve("/bad.json", bad))
    expect.bootstrapped(n, chain, url=three[0].serve("/cp.json", payload))
    check = n.rpc("audit.verify")
    assert check["ok"] is True and check["first_bad"] is None
    assert check["entries"] >= 8
    n.stop()
    return n, check["entries"], chain


def edit(n, statements):
    """Runs them with the triggers away that keep the daemon itself from such things."""
    db = sqlite3.connect(n.data_dir / "control.db")
    triggers = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
    ).fetchall()
    assert triggers
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    for statement, *values in statements:
        assert db.execute(statement, values).rowcount != 0, statement
    for _, sql in triggers:
        db.execute(sql)
    db.commit()
    db.close()


def rows(n):
    """[(seq, at_ms, kind, body, prev, hash)]"""
    db = sqlite3.connect(n.data_dir / "control.db")
    found = db.execute(
        "SELECT seq, at_ms, kind, body, prev, hash FROM audit ORDER BY seq").fetchall()
    db.close()
    return found


def entry_hash(seq, at_ms, kind, body, prev):
    """The rule of the log, written again."""
    text = b"cairn-audit-v1\0" + prev + seq.to_bytes(8, "big") + at_ms.to_bytes(8, "big")
    text += kind.encode() + b"\0" + body.encode()
    return hashlib.sha256(text).digest()


def names(n, chain, first_bad):
    n.start()
    check = n.rpc("audit.verify")
    assert check["ok"] is False, check
    assert check["first_bad"] == first_bad, check
    assert check["what"]
    # Reads and following go on; what is written now does not heal it.
    n.wait_tip(chain.tip["index"], chain.tip["hash"])
    chain.mine()
    n.wait_tip(chain.tip["index"], chain.tip["hash"])
    assert n.rpc("audit.verify")["first_bad"] == first_bad
    return check["what"]


def test_69_the_rule_of_the_log(stopped):
    n, entries, _ = stopped
    found = rows(n)
    assert [r[0] for r in found] == list(range(1, entries + 1))
    before = bytes(32)
    for row in found:
        assert row[4] == before
        assert row[5] == entry_hash(*row[:5])
        before = row[5]


ALTERED = {
    "a digit of the body": "UPDATE audit SET body = replace(body, '1', '2') WHERE seq = ?",
    "the body": "UPDATE audit SET body = '{}' WHERE seq = ?",
    "no body": "UPDATE audit SET body = '' WHERE seq = ?",
    "the kind": "UPDATE audit SET kind = kind || ' ' WHERE seq = ?",
    "the time": "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = ?",
    "the link": "UPDATE audit SET prev = zeroblob(32) WHERE seq = ?",
    "the hash": "UPDATE audit SET hash = zeroblob(32) WHERE seq = ?",
}


@pytest.mark.parametrize("what", ALTERED)
def test_69_an_altered_row(stopped, what):
    n, entries, chain = stopped
    middle = entries // 2
    edit(n, [(ALTERED[what], middle)])
    assert names(n, chain, middle) == "altered"


def test_69_an_altered_row_with_a_hash_that_fits(stopped):
    """The next one's link gives it away."""
    n, _, chain = stopped
    seq, at_ms, kind, _, prev, _ = rows(n)[2]
    new = entry_hash(seq, at_ms, kind, "{}", prev)
    edit(n, [("UPDATE audit SET body = '{}', hash = ? WHERE seq = ?", new, seq)])
    assert names(n, chain, seq) == "altered"


def test_69_the_last_row_altered_with_a_hash_that_fits(stopped):
    n, entries, _ = stopped
    seq, at_ms, kind, _, prev, _ = rows(n)[-1]
    new = entry_hash(seq, at_ms, kind, "{}", prev)
    edit(n, [("UPDATE audit SET body = '{}', hash = ? WHERE seq = ?", new, seq)])
    n.start()
    check = n.rpc("audit.verify")
    assert check["ok"] is False and check["first_bad"] == entries, check


@pytest.mark.parametrize("which", ["first", "middle"])
def test_69_a_removed_row(stopped, which):
    n, entries, chain = stopped
    seq = 1 if which == "first" else entries // 2
    edit(n, [("DELETE FROM audit WHERE seq = ?", seq)])
    assert names(n, chain, seq) == "missing"


def test_69_a_removed_row_and_the_rest_moved_up(stopped):
    n, entries, chain = stopped
    seq = entries // 2
    edit(n, [("DELETE FROM audit WHERE seq = ?", seq),
             *(("UPDATE audit SET seq = ? WHERE seq = ?", s - 1, s)
               for s in range(seq + 1, entries + 1)),
             ("UPDATE audit_head SET entries = entries - 1",)])
    names(n, chain, seq)


def test_69_an_inserted_row(stopped):
    n, entries, chain = stopped
    seq = entries // 2
    _, at_ms, kind, body, prev, _ = rows(n)[seq - 1]
    edit(n, [*(("UPDATE audit SET seq = ? WHERE seq = ?", s + 1, s)
               for s in range(entries, seq - 1, -1)),
             ("INSERT INTO audit(seq, at_ms, kind, body, prev, hash) VALUES(?, ?, ?, ?, ?, ?)",
              seq, at_ms, kind, body, prev, entry_hash(seq, at_ms, kind, body, prev)),
             ("UPDATE audit_head SET entries = entries + 1",)])
    assert names(n, chain, seq) == "inserted"


def test_69_a_row_appended(stopped):
    n, entries, chain = stopped
    _, at_ms, kind, body, _, last = rows(n)[-1]
    row = entries + 1, at_ms, kind, body, last
    edit(n, [("INSERT INTO audit(seq, at_ms, kind, body, prev, hash) VALUES(?, ?, ?, ?, ?, ?)",
              *row, entry_hash(*row))])
    n.start()
    check = n.rpc("audit.verify")
    assert check["ok"] is False and check["first_bad"] == entries + 1, check


@pytest.mark.parametrize("cut", [1, 3])
def test_69_the_tail_cut(stopped, cut):
    n, entries, chain = stopped
    edit(n, [("DELETE FROM audit WHERE seq > ?", entries - cut)])
    n.start()
    check = n.rpc("audit.verify")
    assert check["ok"] is False and check["first_bad"] == entries - cut + 1, check
    n.wait_tip(chain.tip["index"], chain.tip["hash"])


def test_69_everything_cut(stopped):
    n, entries, chain = stopped
    edit(n, [("DELETE FROM audit",)])
    n.start()
    check = n.rpc("audit.verify")
    assert check["ok"] is False and check["first_bad"] == 1, check
    n.wait_tip(chain.tip["index"], chain.tip["hash"])


def test_69_a_job_after_a_tail_was_cut_does_not_hide_it(stopped, peers):
    """What is appended then begins behind the hole."""
    n, entries, chain = stopped
    edit(n, [("DELETE FROM audit WHERE seq > ?", entries - 2)])
    n.start()
    (peer,) = peers(1)
    job = n.sync(url=peer.url + "/none.json")
    assert job["state"] == "failed"
    check = n.rpc("audit.verify")
    assert check["ok"] is False and check["first_bad"] == entries - 1, check


# --- documents beside the log ---

DOCUMENTS = {
    "a provenance altered": ("UPDATE checkpoint SET provenance ="
                             " replace(provenance, '\"result\":\"pass\"', '\"result\":\"fail\"')",
                             "checkpoint_accepted", "its document altered"),
    "a rejection's verdict altered": ("UPDATE rejection SET verdict = verdict || ' ' WHERE id = 2",
                                      "checkpoint_rejected", "its document altered"),
    "a rejection gone": ("DELETE FROM rejection WHERE id = 2", "checkpoint_rejected",
                         "its document missing"),
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_69_a_document_beside_the_log(stopped, what):
    n, _, chain = stopped
    statement, kind, said = DOCUMENTS[what]
    seqs = [r[0] for r in rows(n) if r[2] == kind]
    edit(n, [(statement,)])
    assert names(n, chain, seqs[1 if kind == "checkpoint_rejected" else 0]) == said


def test_69_the_entry_before_an_altered_document_comes_first(stopped):
    n, _, chain = stopped
    edit(n, [(DOCUMENTS["a provenance altered"][0],), (ALTERED["the body"], 2)])
    assert names(n, chain, 2) == "altered"


def test_69_the_document_before_an_altered_entry_comes_first(stopped):
    n, entries, chain = stopped
    first = next(r[0] for r in rows(n) if r[2] == "checkpoint_rejected")
    assert first < entries
    edit(n, [("UPDATE rejection SET verdict = '{}' WHERE id = 1",),
             ("UPDATE audit SET body = 'not JSON' WHERE seq = ?", entries)])
    assert names(n, chain, first) == "its document altered"

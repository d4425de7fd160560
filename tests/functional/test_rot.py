"""Scenario 50: bits that flip on the disk.  Whatever file they are in: it is named or it does
no harm, nothing wrong is served, and nothing is made worse."""

import contextlib
import shutil
import sqlite3
from decimal import Decimal

import crash
import expect
import kept
import pytest
from node import RpcError, wait_until

FLIPS = 60 if crash.FULL else 12


@pytest.fixture
def stopped(node, peers):
    """A node at 240 that is not running, its files and its peers."""
    three = peers(3)
    n = node(three)
    n.stop()
    shutil.rmtree(n.data_dir)
    return n, kept.place(n.data_dir), three


def of_this_schema(n):
    """An older control.db that lost bits is refused as it is: test_schema.py."""
    n.start()
    n.stop()


def flip(path, at, bit=0):
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


def quarantined(n, *words):
    """The node is up, says what is broken and what to do, and serves none of it."""
    n.start()
    status = wait_until(lambda: (s := n.status())["state"] == "halted" and s, "the halt")
    for word in ("storage_corrupt", *words):
        assert word in status["waiting_for"], status
    assert status["tip"] is None and status["generation"] in (None, 0)
    for method, params in (("chain.tip", {}), ("chain.supply", {}),
                           ("chain.header", {"height": 210}), ("chain.block", {"height": 210})):
        with pytest.raises(RpcError) as refused:
            n.rpc(method, **params)
        assert refused.value.reason, refused.value
    assert "sync.rebootstrap" in n.log()
    code, _ = n.http("/readyz")
    assert code == 503


def healed(n, chain, three, payload):
    job = n.rebootstrap(url=three[0].serve("/cp.json", payload))
    assert job["state"] == "succeeded", job
    expect.at_tip_of(n, chain)


# --- base.coins ---


def test_50_a_coin_file_is_quarantined_and_replaced(stopped, chain, payload):
    n, files, three = stopped
    flip(files["base.coins"], files["base.coins"].stat().st_size // 2)
    broken = files["base.coins"].read_bytes()
    quarantined(n, "coin file")
    assert files["base.coins"].read_bytes() == broken
    n.restart()
    expect.audit_is_whole(n)
    healed(n, chain, three, payload)
    n.restart()
    expect.at_tip_of(n, chain)


@pytest.mark.parametrize("place", ["head", "first coin", "last coin", "cut", "empty", "gone"])
def test_50_any_part_of_the_coin_file(stopped, chain, payload, place):
    n, files, three = stopped
    path = files["base.coins"]
    size = path.stat().st_size
    if place == "cut":
        path.write_bytes(path.read_bytes()[: size // 2])
    elif place == "empty":
        path.write_bytes(b"")
    elif place == "gone":
        path.unlink()
    else:
        flip(path, {"head": 20, "first coin": 160, "last coin": size - 2}[place], 3)
    quarantined(n)
    healed(n, chain, three, payload)


def test_50_a_coin_that_a_later_block_spends(stopped, chain, payload):
    """No chunk is used unchecked: the block is not applied to a wrong coin."""
    n, files, three = stopped
    spent = next(at for at in chain.coins(200) if at not in chain.coins())
    content = files["base.coins"].read_bytes()
    at = content.index(bytes.fromhex(spent[0]))
    flip(files["base.coins"], at + 40)
    quarantined(n)
    healed(n, chain, three, payload)


# --- base.idx ---


@pytest.mark.parametrize("share", range(4))
def test_50_an_index_is_made_anew(stopped, chain, share):
    n, files, _ = stopped
    n.start()
    expect.at_tip_of(n, chain)
    n.stop()
    index = files["base.coins"].with_name("base.idx")
    whole = index.read_bytes()
    flip(index, len(whole) * share // 4 + 5, share)
    if share % 2:
        assert not crash.started_or_dead(n, crash.hooks(CAIRN_FAILPOINT="rename_before:1"))
    n.start()
    expect.at_tip_of(n, chain)
    coin = next(iter(chain.coins(200).keys() & chain.coins().keys()))
    assert n.rpc("chain.coin", txid=coin[0], vout=coin[1])["unspent"] is True
    wait_until(lambda: index.read_bytes() == whole, "the new index")


# --- the databases ---


def serves_nothing_wrong(n, chain):
    """Each answer is right, or an error that says what is broken."""
    wrong, errors = [], []

    def ask(expected, method, **params):
        try:
            result = n.rpc(method, **params)
        except RpcError as e:
            errors.append((method, params, e.reason))
            return
        got = {key: result[key] for key in expected}
        if got != expected:
            wrong.append((method, params, got, expected))

    for height in (*range(0, 241, 20), *range(201, 241)):
        block = chain[height]
        ask({"block_hash": block["hash"], "merkle_root": block["merkle_root"],
             "previous_hash": block["previous_hash"], "difficulty": block["difficulty"]},
            "chain.header", height=height)
        if height > 200:
            ask({"block": block}, "chain.block", height=height)
    old, now = chain.coins(200), chain.coins()
    for txid, vout in sorted(old.keys() | now.keys())[::9]:
        ask({"unspent": (txid, vout) in now}, "chain.coin", txid=txid, vout=vout)
    with_supply = n.rpc("chain.supply")
    if Decimal(with_supply["supply"]) != chain.supply():
        wrong.append(with_supply)
    return wrong, errors


def ready(n):
    """False: it refused to start, for this very reason."""
    n.launch()
    try:
        n.address = n._ready_address()
    except AssertionError:
        assert n.reap() == 1, n.log()
        assert 'reason="storage_corrupt"' in n.log(), n.log()
        return False
    return True


def settled(n):
    """The state once the check at start is over."""
    wait_until(lambda: "generation is whole" in n.log() or "generation_quarantined" in n.log()
               or n.status()["state"] == "halted", "the check at start")
    return n.status()["state"]


@pytest.mark.parametrize("share", range(2))
def test_50_a_chain_database_serves_nothing_wrong(stopped, chain, tmp_path, share):
    n, files, _ = stopped
    n.config["peers"] = []
    rng = crash.dice()
    path, outcomes = files["chain.db"], []
    clean = path.read_bytes()
    for _ in range(FLIPS):
        shutil.rmtree(n.data_dir)
        kept.place(n.data_dir)
        at, bit = rng.randrange(len(clean)), rng.randrange(8)
        print(f"byte {at} bit {bit}")
        flip(path, at, bit)
        n.log_file.write_text("")
        if not ready(n):
            outcomes.append("refused")
            continue
        if settled(n) == "halted":
            assert "storage_corrupt" in n.status()["waiting_for"]
            outcomes.append("quarantined")
        else:
            wrong, errors = serves_nothing_wrong(n, chain)
            assert not wrong, wrong
            assert {reason for _, _, reason in errors} <= {"storage_corrupt"}, errors
            outcomes.append(f"{len(errors)} errors" if errors else "no harm")
        n.stop()
    print(outcomes)


def test_50_a_control_database_that_is_none_is_refused_untouched(stopped):
    n, files, _ = stopped
    flip(files["control.db"], 3)
    (n.data_dir / "lock").touch(mode=0o600)
    before = kept.fingerprints(n.data_dir)
    line = kept.refuses_to_start(n)
    assert 'reason="storage_corrupt"' in line and "control.db" in line, line
    assert kept.fingerprints(n.data_dir) == before


def records(n):
    """What control.db is there for, as it is served; an error counts as seen."""
    out = {}
    for method, params in (("jobs.list", {}), ("checkpoint.list", {}), ("rejections.list", {}),
                           ("checkpoint.provenance", {"height": 200})):
        try:
            out[method] = n.rpc(method, **params)
        except RpcError as e:
            out[method] = e.reason
    return out


@pytest.mark.parametrize("share", range(3))
def test_50_a_control_database_with_a_lost_page(stopped, share):
    """Overwritten with zeros: refused and untouched, or told, or not one that matters."""
    n, files, _ = stopped
    n.config["peers"] = []
    n.start()
    whole = records(n)
    n.stop()
    current = n.directory / "current"  # migrated: an older one is written to at once
    shutil.copytree(n.data_dir, current)
    clean = files["control.db"].read_bytes()
    refused = 0
    for page in range(1 + share, len(clean) // 4096, 3):
        print(f"page {page}")
        shutil.rmtree(n.data_dir)
        shutil.copytree(current, n.data_dir)
        broken = clean[: page * 4096] + bytes(4096) + clean[(page + 1) * 4096 :]
        files["control.db"].write_bytes(broken)
        n.log_file.write_text("")
        if not ready(n):
            assert "control.db" in n.log() and "restore it" in n.log(), n.log()
            assert files["control.db"].read_bytes() == broken
            refused += 1
            continue
        settled(n)
        if n.rpc("audit.verify")["ok"]:
            now = records(n)
            for method, answer in now.items():
                assert answer in (whole[method], "storage_corrupt"), (method, answer)
        n.stop()
    assert refused > 3


@pytest.mark.parametrize("column, value", [
    ("height", "199"), ("block_hash", "zeroblob(32)"), ("state_root", "zeroblob(32)")])
def test_50_a_generation_row_that_lost_bits(stopped, chain, column, value):
    """Two databases and the coin file say what the live state stands on: they must agree."""
    n, files, _ = stopped
    of_this_schema(n)
    with contextlib.closing(sqlite3.connect(files["control.db"])) as db, db:
        db.execute(f"UPDATE generation SET {column} = {value} WHERE state = 2")
    quarantined(n)


def test_50_an_audit_entry_that_lost_bits_is_named(stopped):
    n, files, _ = stopped
    of_this_schema(n)
    content = files["control.db"].read_bytes()
    at = content.index(b"checkpoint_accepted{") + 60
    flip(files["control.db"], at)
    n.start()
    check = n.rpc("audit.verify")
    assert check["ok"] is False and check["first_bad"], check


@pytest.mark.parametrize("name", ["control.db", "chain.db"])
def test_50_a_write_ahead_log(stopped, chain, payload, name):
    """What it no longer holds is done again."""
    n, files, three = stopped
    rng = crash.dice()
    shutil.rmtree(n.data_dir)
    n.start()
    url = three[0].serve("/cp.json", payload)
    expect.bootstrapped(n, chain, url=url)
    n.kill9()
    wals = {p.name: p for p in n.data_dir.rglob("*.db-wal")}
    wal = wals[name + "-wal"]
    size = wal.stat().st_size
    assert size > 0
    saved = n.data_dir.with_name("saved")
    shutil.copytree(n.data_dir, saved)
    for _ in range(FLIPS // 4):
        shutil.rmtree(n.data_dir)
        shutil.copytree(saved, n.data_dir)
        at = rng.randrange(size)
        print(f"byte {at} of {size}")
        flip(wal, at)
        n.start()
        wait_until(lambda: n.status()["state"] in ("halted", "following", "idle"), "a state")
        crash.consistent(n, chain)
        if n.status()["state"] == "halted":
            healed(n, chain, three, payload)
        elif n.status()["state"] == "idle":
            assert n.sync(url=url)["state"] == "succeeded"
        expect.at_tip_of(n, chain)
        n.stop()

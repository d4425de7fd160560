"""cairn snapshot, against a real daemon."""

import json
import os
import pty
import select
import subprocess

import publisher
import pytest
import test_cli
from test_cli import DONE, FAILED, JOB_FAILED, USAGE, Cairn, facts, rows


@pytest.fixture
def cairn(node, peers):
    """Of a node that validated everything to 240."""
    (peer,) = peers(1)
    n = node([peer])
    assert n.sync(mode="full")["state"] == "succeeded"
    return Cairn(n)


def test_one_is_made_shown_and_removed(cairn, chain):
    assert "no snapshots yet" in cairn("snapshot", "list").out
    made = cairn("snapshot", "create", "--height", "230").out
    (snapshot,) = publisher.ids(cairn.node)
    assert f"job-2 succeeded: snapshot {snapshot}" in made
    (row,) = rows(cairn("snapshot", "list").out)
    assert row["SNAPSHOT"] == snapshot and row["WITHDRAWN"] == "-"
    assert row["COINS"] == str(len(chain.coins(230)))
    shown = facts(cairn("snapshot", "get", snapshot).out)
    assert shown["block"] == chain[230]["hash"]
    assert shown["directory"] == str(cairn.node.data_dir / "snapshots" / snapshot)
    assert "job-3 succeeded" in cairn("snapshot", "check", snapshot).out
    assert "deleted" in cairn("snapshot", "delete", snapshot, "--reason", "old").out
    assert publisher.ids(cairn.node) == []


def test_json_is_the_job(cairn):
    job = cairn("snapshot", "create", "--json").json
    assert job["state"] == "succeeded" and job["result"]["height"] == 240
    listed = cairn("snapshot", "list", "--json").json
    assert [s["id"] for s in listed["snapshots"]] == [job["result"]["id"]]


def test_what_cannot_be_is_said(cairn, chain):
    assert "is not here" in cairn("snapshot", "create", "--height", "241", code=FAILED).err
    wrong = cairn("snapshot", "create", "--height", "230", "--block-hash", chain[231]["hash"],
                  code=JOB_FAILED)
    assert chain[230]["hash"] in wrong.err
    assert "--height" in cairn("snapshot", "create", "--height", "x", code=USAGE).err
    assert "--reason" in cairn("snapshot", "withdraw", "1-0123456789abcdef", code=USAGE).err
    assert "no snapshot" in cairn("snapshot", "get", "1-0123456789abcdef", code=FAILED).err


def test_signed_offline_and_submitted(cairn, tmp_path):
    cairn("snapshot", "create")
    (snapshot,) = publisher.ids(cairn.node)
    key = tmp_path / "key"
    manifest = tmp_path / "signed.json"
    test_cli.run("keygen", "--out", key, "--no-passphrase")
    directory = facts(cairn("snapshot", "get", snapshot).out)["directory"]
    signed = test_cli.run("snapshot", "sign", directory, "--key", key, "--out", manifest, "--yes")
    assert signed.code == DONE, signed.err
    assert "1 new; 0 of this node's trusted keys, 1 asked for" in cairn(
        "snapshot", "submit", manifest).out
    assert len(cairn("snapshot", "get", snapshot, "--json").json["manifest"]["signatures"]) == 1
    assert "0 new" in cairn("snapshot", "submit", manifest).out
    withdrawn = cairn("snapshot", "withdraw", snapshot, "--reason", "a lost key").out
    assert "no key of this node counts" in withdrawn
    (row,) = rows(cairn("snapshot", "list").out)
    assert row["WITHDRAWN"] == "a lost key"


def test_a_bar_while_it_is_made(node, peers, tmp_path):
    hold = publisher.Hold(tmp_path)
    (peer,) = peers(1)
    n = node([peer])
    n.restart(hold.environment)
    assert n.sync(mode="full")["state"] == "succeeded"
    master, slave = pty.openpty()
    command = [test_cli.program(), "snapshot", "create", "--data-dir", str(n.data_dir)]
    with subprocess.Popen(command, stdout=slave, stderr=slave,
                          env=test_cli.environment()) as process:
        os.close(slave)
        shown = b""
        while b"working" not in shown:
            assert select.select([master], [], [], 60)[0], shown
            shown += os.read(master, 4096)
        hold.release()
        assert process.wait(60) == 0
    os.close(master)
    assert json.dumps(publisher.ids(n)).count("240-") == 1

"""cairn, the operator's command line, against a real daemon."""

import contextlib
import hashlib
import http.server
import json
import os
import pty
import re
import select
import subprocess
import threading
import time
from pathlib import Path

import node as under_test
import pytest
import stockpeer
import xai
from node import wait_until

DONE, FAILED, USAGE, UNREACHABLE, JOB_FAILED = range(5)


def program():
    path = os.environ.get("CAIRN_CLI")
    return str(Path(path).resolve() if path else Path(under_test.binary()).with_name("cairn"))


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CAIRN_")}
    return {**kept, "ASAN_OPTIONS": "exitcode=99", "TSAN_OPTIONS": "exitcode=99", **more}


class Ran:
    """What a command printed, and how it ended."""

    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()
        assert "Sanitizer" not in self.err and "runtime error" not in self.err, self.err

    @property
    def json(self):
        return json.loads(self.out)


def run(*arguments, given=b"", cwd=None, **variables):
    return Ran(subprocess.run([program(), *map(str, arguments)], input=given, timeout=60,
                              capture_output=True, env=environment(**variables), cwd=cwd))


class Cairn:
    """The command line of one node."""

    def __init__(self, node):
        self.node = node

    def __call__(self, *arguments, code=DONE, **more):
        ran = run(*arguments, "--data-dir", self.node.data_dir, **more)
        assert ran.code == code, (ran.code, ran.out, ran.err)
        return ran


def signed_by_nobody(payload):
    return xai.reseal_payload(json.loads(json.dumps(payload)), xai.Key("the liar"))


@pytest.fixture
def three(peers):
    return peers(3)


@pytest.fixture
def cairn(node, three):
    """Of a fresh node with three honest peers."""
    return Cairn(node(three))


@pytest.fixture
def settled(cairn, three, payload):
    """Of a node that refused a checkpoint (job-1) and took another (job-2)."""
    bad = three[2].serve("/bad.json", signed_by_nobody(payload))
    cairn.url = three[0].serve("/good.json", payload)
    assert cairn("sync", "--url", bad, "--watch", code=JOB_FAILED)
    assert cairn("sync", "--url", cairn.url, "--watch")
    cairn.node.wait_state("following")
    return cairn


def rows(text):
    """A printed table as dictionaries; two spaces part its columns."""
    head, *lines = text.splitlines()
    split = lambda line: re.split(r" {2,}", line.strip())
    return [dict(zip(split(head), split(line))) for line in lines]


def facts(text):
    """Lines of a name and a value."""
    return {line[:13].strip(): line[13:] for line in text.splitlines()}


# --- what there is to read ---


def test_status_says_where_the_node_is(settled, chain):
    shown = facts(settled("status").out)
    assert shown["state"] == "following"
    assert shown["tip"] == f"{chain.tip['index']}  {chain.tip['hash']}"
    assert shown["network"] == f"{chain.tip['index']}, 0 behind"
    assert shown["checkpoint"].startswith("200  ") and shown["checkpoint"].endswith("(attested)")
    assert shown["incidents"] == "0"


def test_status_of_a_new_node_says_what_it_waits_for(cairn):
    shown = facts(cairn("status").out)
    assert shown["state"] == "idle"
    assert shown["waiting for"] == "a checkpoint: set checkpoint.url or call sync.start"
    assert "tip" not in shown and "checkpoint" not in shown


def test_every_list_is_a_table(settled, three):
    jobs = rows(settled("jobs").out)
    assert [(j["JOB"], j["STATE"], j["STAGE"], j["REASON"], j["HEIGHT"]) for j in jobs] == [
        ("job-2", "succeeded", "following", "-", "200"),
        ("job-1", "failed", "deciding", "untrusted_signer", "200"),
    ]
    assert jobs[0]["SOURCE"] == settled.url
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ \(.* ago\)", jobs[0]["STARTED"])
    assert [j["JOB"] for j in rows(settled("jobs", "--limit", 1).out)] == ["job-2"]
    (checkpoint,) = rows(settled("checkpoints").out)
    assert (checkpoint["HEIGHT"], checkpoint["TRUST"]) == ("200", "attested")
    (rejection,) = rows(settled("rejections").out)
    assert rejection["REASON"] == "untrusted_signer"
    assert "no signing key is trusted" in rejection["FAILED RULE"]
    assert settled("rejections", "--reason", "no_quorum").out == "nothing was refused\n"
    shown = rows(settled("peers").out)
    assert {p["PEER"] for p in shown} == {p.url for p in three}
    assert all(p["IS"] == "good" and p["HEIGHT"] == "240" for p in shown)
    assert settled("incidents").out == "no incidents\n"


def test_columns_line_up(settled):
    for command in ("jobs", "peers", "rejections"):
        head, *lines = settled(command).out.splitlines()
        for start in (m.start() for m in re.finditer(r"  [A-Z]", head)):
            assert all(line[start] == " " for line in lines), (command, start)


def test_provenance_shows_every_rule_and_vote(settled, three):
    out = settled("provenance", 200).out
    of_checkpoint, rules, votes = out.split("\n\n")
    assert facts(of_checkpoint)["headers"] == "full, 0 to 200"
    stored = settled.node.rpc("checkpoint.provenance", height=200)["provenance"]
    assert len(rules.splitlines()) == 1 + len(stored["verdict"]["rules"])
    assert {v["PEER"]: v["VOTE"] for v in rows(votes)} == {p.url: "agrees" for p in three}
    gone = settled("provenance", 199, code=FAILED)
    assert "not_found: no checkpoint at height 199" in gone.err and "hint: " in gone.err
    assert gone.out == ""


def test_a_coin(settled, chain):
    coin = next(iter(chain.coins()))
    answer = settled.node.rpc("chain.coin", txid=coin[0], vout=coin[1])
    shown = facts(settled("coin", *coin).out)
    assert shown["unspent"] == "yes"
    assert shown["amount"] == answer["amount"]
    assert shown["address"] == answer["address"]
    shown = facts(settled("coin", "0" * 64, 0).out)
    assert shown["unspent"] == "no: spent, or never made"
    assert "64 lower-case hex digits" in settled("coin", "xy", 0, code=FAILED).err
    settled("coin", "0" * 64, -1, code=USAGE)
    settled("coin", "0" * 64, 4294967296, code=USAGE)


def test_json_prints_the_result_as_it_is(settled):
    same = {
        ("jobs",): "jobs.list",
        ("checkpoints",): "checkpoint.list",
        ("rejections",): "rejections.list",
        ("incidents",): "incidents.list",
        ("audit", "verify"): "audit.verify",
        ("call", "chain.tip"): "chain.tip",
        ("call", "daemon.info"): "daemon.info",
    }
    for command, method in same.items():
        shown, asked = settled(*command, "--json").json, settled.node.rpc(method)
        asked.pop("uptime_seconds", None)
        shown.pop("uptime_seconds", None)
        assert shown == asked, command
    assert settled("--json", "status").json["state"] == "following"
    assert settled("peers", "--json").json["peers"][0]["usable"] is True
    assert settled("provenance", "200", "--json").json["height"] == 200
    block = settled("call", "chain.block", '{"height": 201}').out
    assert '"amount":12.0' in block or re.search(r'"(amount|fee)":\d+\.0\b', block)
    error = settled("call", "chain.header", '{"height":999}', code=FAILED)
    assert error.json["error"]["code"] == -32003
    assert error.json["error"]["data"]["reason"] in error.err


# --- jobs ---


def test_sync_gives_the_job_and_goes(cairn, three, payload, chain):
    url = three[0].serve("/good.json", payload)
    assert cairn("sync", "--url", url).out.startswith("job-1 started")
    cairn.node.wait_tip(chain.tip["index"])
    watched = cairn("watch", "job-1").out.splitlines()[-1]
    assert re.fullmatch(r"job-1 succeeded: checkpoint 200 [0-9a-f]{64}", watched)
    again = cairn("sync", "--url", url, "--json")
    assert again.json == {"job_id": "job-2"}


def test_watching_in_plain_lines(cairn, three, payload):
    url = three[0].serve("/good.json", payload)
    ran = cairn("sync", "--url", url, "--height", 200, "--watch")
    assert ran.out.startswith("job-1 started\n")
    stages = re.findall(r"^(\w+) +\d+\.\d s$", ran.out, re.M)
    assert stages[-5:] == ["fetching", "verifying", "mounting", "headers", "blocks"]
    assert ran.out.splitlines()[-1].startswith("job-1 succeeded: checkpoint 200 ")
    assert "\r" not in ran.out and "\033" not in ran.out and ran.err == ""


def test_a_refused_job_shows_reason_and_hint(cairn, three, payload):
    url = three[0].serve("/bad.json", signed_by_nobody(payload))
    ran = cairn("sync", "--url", url, "--watch", code=JOB_FAILED)
    said = ran.err.splitlines()
    assert said[0].startswith("cairn: job-1 failed in deciding: untrusted_signer: signatures: ")
    assert said[1] == ("  hint: no signing key is in checkpoint.trusted_pubkeys; "
                       "add it if you trust it")
    as_json = cairn("sync", "--url", url, "--watch", "--json", code=JOB_FAILED)
    assert as_json.json["error"]["reason"] == "untrusted_signer"


def test_a_dry_run_changes_nothing(cairn, three, payload):
    url = three[0].serve("/good.json", payload)
    ran = cairn("sync", "--url", url, "--dry-run", "--watch")
    last = ran.out.splitlines()[-1]
    assert last.startswith("job-1: dry run: nothing failed, nothing was fetched; passed: network,")
    assert last.endswith("; not known yet: payload, source") and ran.err == ""
    assert cairn("checkpoints").out == "no checkpoint was accepted yet\n"


def test_what_no_job_is_started_for(cairn, three, payload, tmp_path):
    ran = cairn("sync", code=JOB_FAILED)
    assert "no_candidate" in ran.err and "hint: " in ran.err
    file = tmp_path / "payload.json"
    file.write_text(json.dumps(payload))
    ran = cairn("sync", "--file", file, code=JOB_FAILED)
    assert "source_forbidden" in ran.err and "transfer.allow_paths" in ran.err
    url = three[0].serve("/good.json", payload)
    ran = cairn("sync", "--url", url, "--height", 150, "--watch", code=JOB_FAILED)
    assert "height 200, not 150" in ran.err
    ran = cairn("sync", "--url", url, "--block-hash", "0" * 64, "--watch", code=JOB_FAILED)
    assert "the source offers block" in ran.err


def test_a_file_under_an_allowed_path(node, three, payload, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "payload.json").write_text(json.dumps(payload))
    cairn = Cairn(node(three, {"transfer": {"allow_paths": [str(tmp_path / "in")]}}))
    ran = cairn("sync", "--file", "in/payload.json", "--watch", cwd=tmp_path)
    assert "job-1 succeeded" in ran.out


def hold(peers):
    """From now on these answer nothing about blocks below 50."""
    for peer in peers:
        peer.fail(r"/blocks/([0-9]|[1-4][0-9])(\?.*)?", stockpeer.Answer(hang=True))


def test_a_job_under_way_is_shown_and_cancelled(cairn, three, payload):
    url = three[0].serve("/good.json", payload)
    hold(three)
    assert cairn("sync", "--url", url)
    wait_until(lambda: cairn.node.status()["state"] == "deciding", "the walk")
    shown = facts(cairn("status").out)
    assert shown["job"].startswith("job-1, deciding")
    assert rows(cairn("jobs").out)[0]["STATE"] == "running"
    busy = cairn("sync", "--url", url, code=JOB_FAILED)
    assert "conflict: job-1 is under way" in busy.err
    cairn("cancel", "job-1")
    ran = cairn("watch", "job-1", code=JOB_FAILED)
    assert ran.err == "cairn: job-1 cancelled\n"
    assert "has ended" in cairn("cancel", "job-1", code=FAILED).err
    assert "not_found" in cairn("watch", "job-9", code=FAILED).err


class Terminal:
    """A command on a terminal; what it has shown so far."""

    def __init__(self, *arguments, **variables):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([program(), *map(str, arguments)], stdout=slave,
                                        stderr=slave,
                                        env=environment(**variables))
        os.close(slave)
        self.shown = b""

    def read(self, until, seconds=30):
        end = time.monotonic() + seconds
        while not re.search(until, self.shown):
            assert time.monotonic() < end, self.shown
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.master, 65536)
                except OSError:  # the other end is closed
                    break
        assert re.search(until, self.shown), self.shown
        return self.shown

    def close(self):
        code = self.process.wait(30)
        os.close(self.master)
        return code


def test_a_terminal_gets_a_bar(cairn, three, payload):
    url = three[0].serve("/good.json", payload)
    hold(three)
    terminal = Terminal("sync", "--url", url, "--watch", "--data-dir", cairn.node.data_dir)
    terminal.read(rb"\r\033\[K\[#+-+\] deciding \d+ %, \d+ of \d+ headers")
    cairn("cancel", "job-1")
    shown = terminal.read(rb"cairn: job-1 cancelled")
    assert re.search(rb"\r\033\[Kdeciding +[\d.]+ s, cancelled\r\n", shown)
    assert terminal.close() == JOB_FAILED


def test_the_daemon_goes_away_while_a_job_is_watched(cairn, three, payload):
    url = three[0].serve("/good.json", payload)
    hold(three)
    terminal = Terminal("sync", "--url", url, "--watch", "--data-dir", cairn.node.data_dir)
    terminal.read(rb"deciding")
    cairn.node.kill9()
    terminal.read(rb"cannot reach the daemon")
    assert terminal.close() == UNREACHABLE


# --- the audit log ---


def test_an_export_verifies_as_the_log_does(settled, tmp_path):
    online = settled.node.rpc("audit.verify")
    shown = facts(settled("audit", "verify").out)
    assert shown["audit log"] == f"whole: {online['entries']} entries"
    assert shown["head"] == online["head"]
    export = settled("audit", "export").out
    assert len(export.splitlines()) == online["entries"]
    file = tmp_path / "audit.ndjson"
    file.write_text(export)
    offline = run("audit", "verify", file)
    assert offline.code == DONE
    assert facts(offline.out)["export"] == f"whole: {online['entries']} entries"
    assert "--head" in facts(offline.out)["note"]
    full = run("audit", "verify", file, "--head", online["head"], "--json")
    assert full.code == DONE and full.json == online
    assert run("audit", "verify", "-", given=export.encode()).code == DONE
    status, over_http = settled.node.http("/api/v1/audit.ndjson")
    assert (status, over_http.decode()) == (200, export)


def rehashed(entry):
    """The entry with the hash that its content demands, by the published recipe."""
    body = json.dumps(entry["body"], separators=(",", ":"))
    stamp = entry["at"]
    ms = int(time.mktime(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone)
    ms = ms * 1000 + int(stamp[20:23])
    text = (b"cairn-audit-v1\0" + bytes.fromhex(entry["prev"]) +
            entry["seq"].to_bytes(8, "big") + ms.to_bytes(8, "big") +
            entry["kind"].encode() + b"\0" + body.encode())
    return {**entry, "hash": hashlib.sha256(text).hexdigest()}


def line_of(entry):
    return json.dumps(entry, separators=(",", ":"))


def test_each_kind_of_damage_to_an_export_is_named(settled):
    lines = settled("audit", "export").out.splitlines()
    assert len(lines) >= 4
    last = len(lines)
    entries = [json.loads(line) for line in lines]
    head = entries[-1]["hash"]
    assert rehashed(entries[1])["hash"] == entries[1]["hash"]

    def changed(i, again=False, **fields):
        entry = {**entries[i], **fields}
        line = line_of(rehashed(entry) if again else entry)
        return [*lines[:i], line, *lines[i + 1 :]]

    forged = rehashed({**entries[2], "body": {"act": "none"}})
    other_body = {**entries[1]["body"], "job_id": "job-9"}
    damages = {
        "body altered": (changed(1, body=other_body), 2, "altered"),
        "kind altered": (changed(1, kind="checkpoint_accepted"), 2, "altered"),
        "time altered": (changed(1, at="2020-01-01T00:00:00.000Z"), 2, "altered"),
        "hash altered": (changed(1, hash="0" * 64), 2, "altered"),
        "altered and hashed anew": (changed(1, again=True, body=other_body), 2, "altered"),
        "removed": ([*lines[:1], *lines[2:]], 2, "missing"),
        "first removed": (lines[1:], 1, "missing"),
        "inserted": ([*lines[:3], line_of(forged), *lines[3:]], 4, ""),
        "swapped": ([lines[1], lines[0], *lines[2:]], 1, "missing"),
        "cut": (lines[:-1], last, "cut off"),
        "last altered and hashed anew":
            (changed(last - 1, again=True, body={"act": "none"}), last + 1, "head"),
        "empty": ([], 1, "cut off"),
        "no JSON": ([*lines[:2], "{", *lines[3:]], 3, "line 3 is no entry"),
        "half a line": ([*lines[:-1], lines[-1][:-20]], last, f"line {last} is no entry"),
        "a field more": (changed(1, note="x"), 2, "line 2 is no entry"),
        "no object": ([*lines[:1], "[]", *lines[2:]], 2, "line 2 is no entry"),
        "body respelled": ([*lines[:1], lines[1].replace(':{', ': {', 1), *lines[2:]], 0, ""),
    }
    for name, (damaged, first_bad, what) in damages.items():
        text = "".join(line + "\n" for line in damaged).encode()
        ran = run("audit", "verify", "-", "--head", head, "--json", given=text)
        if first_bad == 0:  # space around the body is not of it
            assert ran.code == DONE, name
            continue
        assert ran.code == FAILED, name
        assert ran.json["ok"] is False
        assert ran.json["first_bad"] == first_bad, (name, ran.json)
        assert what in ran.json["what"], (name, ran.json)
    shown = run("audit", "verify", "-", given="\n".join(damages["removed"][0]).encode())
    assert facts(shown.out)["export"].startswith("DAMAGED at entry 2: missing")
    assert shown.code == FAILED
    assert run("audit", "verify", "-", given=(lines[0] + "\n").encode()).code == DONE
    assert run("audit", "verify", "-", "--head", "xx").code == USAGE
    assert run("audit", "verify", "/no/such/file").code == USAGE
    assert run("audit", "verify", "/").code == FAILED


# --- finding the daemon ---


def test_the_daemon_is_found_in_each_way(cairn, tmp_path):
    n = cairn.node
    assert (n.data_dir / "rpc.address").read_text() == n.address + "\n"
    assert run("status", "--config", n.config_file, cwd=n.directory).code == DONE
    assert run("status", CAIRN_DATA_DIR=str(n.data_dir)).code == DONE
    assert run("status", CAIRN_TOKEN=n.token, CAIRN_RPC=n.address).code == DONE
    assert run("status", "--rpc", n.address, CAIRN_TOKEN=n.token).code == DONE
    port = n.address.rpartition(":")[2]
    assert run("status", "--rpc", f"localhost:{port}", CAIRN_TOKEN=n.token).code == DONE
    # options win over the environment
    assert run("status", "--data-dir", n.data_dir, CAIRN_DATA_DIR="/nonexistent").code == DONE
    assert run("status", "--data-dir", n.data_dir, "--rpc", n.address,
               CAIRN_RPC="127.0.0.1:1").code == DONE
    # a proxy does not get the token
    assert run("status", "--data-dir", n.data_dir, http_proxy="http://127.0.0.1:1",
               all_proxy="http://127.0.0.1:1").code == DONE


def test_no_daemon_is_unreachable_and_says_what_to_do(cairn, tmp_path):
    n = cairn.node
    ran = run("status", "--data-dir", tmp_path)
    assert ran.code == UNREACHABLE
    assert "rpc.cookie: no daemon runs with this data directory" in ran.err
    n.kill9()
    ran = run("status", "--data-dir", n.data_dir)
    assert ran.code == UNREACHABLE
    assert "cannot reach the daemon" in ran.err and "hint: is cairnd running?" in ran.err
    n.start()
    n.stop()
    assert not (n.data_dir / "rpc.address").exists()
    assert run("status", "--data-dir", n.data_dir).code == UNREACHABLE


def test_a_wrong_token_is_an_answer(cairn):
    ran = run("status", "--rpc", cairn.node.address, CAIRN_TOKEN="0" * 64)
    assert ran.code == FAILED
    assert "unauthorized" in ran.err and "rpc.cookie" in ran.err


def test_wrong_command_lines_end_with_2_and_point_to_help(tmp_path):
    here = ("--data-dir", tmp_path)
    wrong = {
        (): "usage: cairn COMMAND",
        ("nonsense",): "nonsense: no such command",
        ("audit",): "audit: no such command",
        ("audit", "nonsense"): "audit: no such command",
        ("status", "x"): "x is one word too many",
        ("cancel",): "wants JOB",
        ("coin", "x"): "wants TXID VOUT",
        ("jobs", "--url", "x"): "--url means nothing here",
        ("jobs", "--nonsense"): "unrecognized option",
        ("jobs", "--limit", "0x1", *here): "--limit: 0x1 is no whole number",
        ("jobs", "--limit", "1001", *here): "--limit: 1001 is no whole number up to 1000",
        ("sync", "--url", "x", "--genesis", *here): "give one of --url, --file, --genesis",
        ("sync", "--file", "/no/such", *here): "--file /no/such: No such file",
        ("sync", "--height", "-1", *here): "--height: -1 is no whole number",
        ("call", "x", "{", *here): "the parameters are no JSON",
        ("call", "x", "[]", *here): "the parameters must be an object",
        ("audit", "verify", "--head", "0" * 64, *here): "--head goes with a FILE",
        ("status",): "where is the daemon?",
        ("status", "--config", "/no/such.yaml"): "/no/such.yaml: No such file",
        ("status", "--rpc", "example.org:80", *here): "",
        ("token", "create", "--name", "a b"): "--name wants",
        ("token", "create", "--role", "root"): "--role wants read or admin",
    }
    (tmp_path / "rpc.cookie").write_text("0" * 64 + "\n")
    for arguments, message in wrong.items():
        ran = run(*arguments)
        assert ran.code == USAGE, (arguments, ran.code, ran.err)
        assert message in ran.err, (arguments, ran.err)
        assert "see: cairn" in ran.err or arguments == ()
        assert ran.out == ""
    ran = run("status", "--rpc", "192.0.2.1:80", *here)
    assert ran.code == USAGE and "loopback" in ran.err


def test_help_and_version_need_nothing():
    every = run("--help")
    assert every.code == DONE and every.err == ""
    commands = re.findall(r"^  ([a-z]+(?: [a-z]+)?) +[A-Z\[]", every.out, re.M)
    listed = {"status", "sync", "jobs", "cancel", "checkpoints", "provenance", "rejections",
              "incidents", "peers", "audit verify", "coin", "call", "token create"}
    assert listed <= set(commands)
    assert "3  the daemon cannot be reached" in every.out
    for command in commands:
        if command.startswith("help"):
            continue
        one = run(*command.split(), "--help")
        assert one.code == DONE and one.out.startswith(f"usage: cairn {command}"), command
        assert run("help", *command.split()).out == one.out
        assert "exit status" in one.out
    assert "--watch" in run("sync", "--help").out
    assert re.fullmatch(r"cairn \d+\.\d+\.\d+\n", run("--version").out)


# --- tokens ---


def test_a_token_is_made_of_256_bits_and_shown_with_its_hash():
    made = run("token", "create", "--name", "grafana", "--json").json
    assert re.fullmatch(r"[0-9a-f]{64}", made["token"])
    digest = hashlib.blake2b(made["token"].encode(), digest_size=32).hexdigest()
    assert made == {**made, "name": "grafana", "role": "read", "hash": "b2:" + digest}
    other = run("token", "create", "--role", "admin").out
    assert made["token"] not in other
    token = re.search(r"^  ([0-9a-f]{64})$", other, re.M).group(1)
    digest = hashlib.blake2b(token.encode(), digest_size=32).hexdigest()
    assert f'  - {{name: "operator", role: admin, hash: "b2:{digest}"}}\n' in other


def test_the_printed_line_is_one_for_the_configuration(tmp_path):
    line = run("token", "create").out.splitlines()[-1]
    file = tmp_path / "cairn.yaml"
    file.write_text(f"data_dir: {tmp_path}\nrpc:\n  tokens:\n{line}\n")
    checked = subprocess.run([under_test.binary(), "--config", file, "--check-config"],
                             capture_output=True, timeout=30, check=True)
    config = json.loads(checked.stdout)
    assert config["rpc"]["tokens"] == [{"name": "operator", "role": "read"}]
    assert config["origins"]["rpc.tokens"] == "cairn.yaml:4"


def test_a_configured_token_has_its_role(node):
    made = {role: run("token", "create", "--name", role, "--role", role, "--json").json
            for role in ("read", "admin")}
    tokens = [{k: m[k] for k in ("name", "role", "hash")} for m in made.values()]
    n = node(config={"rpc": {"tokens": tokens}})
    for role, code, said in (("read", FAILED, "forbidden"), ("admin", FAILED, "not_found")):
        token = {"CAIRN_TOKEN": made[role]["token"], "CAIRN_RPC": n.address}
        assert run("status", **token).code == DONE
        ran = run("cancel", "job-1", **token)
        assert ran.code == code and said in ran.err, (role, ran.err)
    assert run("status", CAIRN_TOKEN=made["read"]["hash"], CAIRN_RPC=n.address).code == FAILED
    assert made["read"]["token"] not in n.log()


# --- a daemon that is none, or hostile ---


@contextlib.contextmanager
def impostor(body):
    """Whatever is asked, this is the answer; its address."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def ask(body, *arguments):
    with impostor(body if isinstance(body, bytes) else json.dumps(body).encode()) as address:
        return run(*arguments, "--rpc", address, CAIRN_TOKEN="x")


def test_what_is_no_cairnd_is_unreachable():
    for body in (b"", b"<html>", b"[]", b"1", b"{}", b'{"result":1}', b'{"error":"x"}',
                 b'{"result":{}', b'{"result":{"a":"\xff"}}', b"[" * 100000):
        ran = ask(body, "status")
        assert ran.code == UNREACHABLE, (body[:40], ran.out)
        assert "does not answer as a cairnd does" in ran.err


EVIL = "http://\x1b[2J\x9b31m\u202eevil\r\nstate        fine\x07\u200b\U000e0041"


def test_strings_of_peers_do_not_steer_the_terminal():
    peer = {"address": EVIL, "usable": False, "height": 1e300, "score": "x",
            "banned_until": EVIL, "ban_reason": EVIL, "ban_evidence": EVIL}
    listed = ask({"result": {"peers": [peer]}}, "peers")
    refused = ask({"error": {"code": -1, "data": {"reason": EVIL, "detail": EVIL,
                                                  "hint": EVIL}}}, "status")
    status = ask({"result": {"state": EVIL, "waiting_for": EVIL, "job_id": EVIL,
                             "progress": {"stage": EVIL, "unit": EVIL, "percent": -5e300,
                                          "done": -1, "total": 1e308, "rate": 1e308,
                                          "eta_seconds": 1e308}}}, "status")
    assert (listed.code, refused.code, status.code) == (DONE, FAILED, DONE)
    for text in (listed.out, refused.err, status.out):
        assert "evil" in text
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\U000e0041]", text), text
        assert "\\u001b[2J\\u009b31m\\u202eevil\\u000d\\u000a" in text
        assert not re.search(r"^state +fine", text, re.M)


def test_json_on_a_terminal_has_the_same_value_and_is_safe():
    with impostor(json.dumps({"result": {"a": EVIL}}, ensure_ascii=False).encode()) as address:
        terminal = Terminal("call", "x", "--rpc", address, CAIRN_TOKEN="x")
        shown = terminal.read(rb"\n").decode()
        assert terminal.close() == DONE
    assert json.loads(shown) == {"a": EVIL}
    assert not re.search("[\x7f-\x9f\u200b\u202e\U000e0041]", shown)


def test_an_export_goes_on_to_the_last_page():
    page = {"entries": [{"seq": 5, "b": 1.0}, {"seq": 6}], "next": 6}
    assert ask({"result": page}, "audit", "export").out.splitlines() == [
        '{"seq": 5, "b": 1.0}', '{"seq": 6}'] * 2  # until next does not go on


def test_answers_of_any_shape_are_survived():
    for result in ({}, {"jobs": 1}, {"jobs": [1, None, [], {"error": 7, "request": []}]},
                   {"peers": [{}]}, {"rejections": [{"rules": 3}, {"rules": [1]}]},
                   {"checkpoints": {"a": {}}}, {"incidents": [{}]},
                   {"provenance": {"verdict": [], "signatures": {"x": 1}}},
                   {"tip": [], "checkpoint": "x", "progress": 3, "job_id": {}}):
        for command in ("status", "jobs", "checkpoints", "rejections", "incidents", "peers",
                        "provenance 1", "coin a 1", "audit export", "sync"):
            assert ask({"result": result}, *command.split()).code == DONE, (result, command)
        assert ask({"result": result}, "audit", "verify").code == FAILED


def test_environment_and_origins_reach_the_daemon(node, three, payload):
    url = three[0].serve("/good.json", payload)
    config = {"checkpoint": {"url": url}}
    quiet = Cairn(node(three, config, {"PARTIAL_SYNC_ENABLED": "0",
                                       "CHECKPOINT_QUORUM": "2"}))
    shown = facts(quiet("status").out)
    assert shown["state"] == "idle"
    assert "checkpoint.bootstrap_at_start is off" in shown["waiting for"]
    effective = quiet("call", "daemon.info").json["configuration"]
    assert effective["checkpoint"]["quorum"] == 2
    assert effective["origins"]["checkpoint.quorum"] == "environment CHECKPOINT_QUORUM"
    assert quiet("jobs").out == "no jobs yet; cairn sync starts one\n"
    assert "job-1 succeeded" in quiet("sync", "--watch").out
    quiet.node.environment = {"XAI_FORCE_PARTIAL_SYNC": "1"}
    quiet.node.restart()
    forced = quiet("watch", "job-2")
    assert "job-2 succeeded" in forced.out
    newest = quiet("jobs", "--json").json["jobs"][0]
    assert (newest["kind"], newest["request"]["forced"]) == ("rebootstrap", True)
    assert quiet("status", "--json").json["generation"] == 2


def test_a_failed_bootstrap_is_tried_again_at_the_configured_rate(node, three, payload):
    url = three[0].serve("/latest.json", signed_by_nobody(payload))
    cairn = Cairn(node(three, {"checkpoint": {"url": url, "request_rate_seconds": 1}}))
    wait_until(lambda: "untrusted_signer" in cairn("jobs").out, "the refusal")
    waits = facts(cairn("status").out)["waiting for"]
    assert re.match(r"the next try, [124] s after untrusted_signer: ", waits), waits
    three[0].serve("/latest.json", payload)
    cairn.node.wait_state("following")

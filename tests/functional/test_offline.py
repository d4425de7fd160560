"""What works on a machine without a network: keys, signing, merging, verifying, bundles."""

import hashlib
import json
import os
import pty
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import cairnpeer
import expect
import pytest
from snapkit import Snapshot
from statements import NodeKey
from test_cli import DONE, FAILED, USAGE, Ran, environment, program, run

import xai

UNSIGNED, UNREADABLE = 5, 6
SNAPSHOT = Path(__file__).parents[1] / "data" / "snapshot"
FILES = ("manifest.json", "chunks.bin", "base.coins.zst")


def offline(*arguments, code=DONE, **more):
    """cairn in a network namespace of its own, where there is not even a loopback."""
    ran = Ran(subprocess.run(["unshare", "-n", program(), *map(str, arguments)], timeout=120,
                             capture_output=True, env=environment(), **more))
    assert ran.code == code, (ran.code, ran.out, ran.err)
    return ran


@pytest.fixture
def passphrase(tmp_path):
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n")
    return file


def test_keygen_encrypts_and_never_overwrites(tmp_path, passphrase):
    key = tmp_path / "signer.key"
    made = offline("keygen", "--out", key, "--passphrase-file", passphrase, "--json").json
    document = json.loads(key.read_text())
    assert made == {"public_key": document["public_key"], "alg": "ed25519", "encrypted": True}
    assert document["kdf"]["memlimit"] == 256 << 20 and document["kdf"]["opslimit"] == 3
    assert "secret" not in document
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    again = offline("keygen", "--out", key, "--passphrase-file", passphrase, code=FAILED)
    assert "is there already" in again.err and key.read_bytes() == before


def test_keygen_prints_the_line_that_the_configuration_wants(tmp_path):
    key = tmp_path / "signer.key"
    ran = offline("keygen", "--out", key, "--alg", "secp256k1", "--no-passphrase")
    document = json.loads(key.read_text())
    assert f'  - "{document["public_key"]}"\n' in ran.out and "NOT ENCRYPTED" in ran.out
    assert document["kdf"] is None
    assert xai.Key(int(document["secret"], 16)).compressed == document["public_key"]


def test_an_open_ed25519_key_is_the_seed_of_its_public_key(tmp_path):
    key = tmp_path / "signer.key"
    offline("keygen", "--out", key, "--no-passphrase")
    document = json.loads(key.read_text())
    assert NodeKey(bytes.fromhex(document["secret"])).text == document["public_key"]


@pytest.mark.parametrize("text, why", [
    (b"", "is empty"), (b"\n", "is empty"), (b"a\nb\n", "is not one line"),
    (b"a\0b\n", "is not one line"), (b"x" * 1025 + b"\n", "is too long"),
])
def test_a_passphrase_is_one_line(tmp_path, text, why):
    ran = run("keygen", "--out", tmp_path / "k", "--passphrase-file", "-", given=text)
    assert ran.code == USAGE and why in ran.err, ran.err
    assert not (tmp_path / "k").exists()


def test_keygen_wants_to_know_where_the_passphrase_is(tmp_path):
    ran = Ran(subprocess.run([program(), "keygen", "--out", str(tmp_path / "k")], timeout=60,
                             capture_output=True, env=environment(), start_new_session=True))
    assert ran.code == USAGE and "give --passphrase-file" in ran.err
    ran = run("keygen", "--out", tmp_path / "k", "--alg", "rsa", "--no-passphrase")
    assert ran.code == USAGE and "--alg wants" in ran.err
    assert not (tmp_path / "k").exists()


def typed(arguments, answers):
    """Runs cairn on a terminal of its own; gives exit code and all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored by what runs in the background
        os.execve(program(), [program(), *map(str, arguments)], environment())
    shown, answers = b"", list(answers)
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            part = b""
        if not part:
            break
        shown += part
        if answers and shown.endswith(b": "):
            os.write(terminal, answers.pop(0))
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_a_passphrase_is_asked_for_twice_and_not_shown(tmp_path):
    key = tmp_path / "signer.key"
    code, shown = typed(["keygen", "--out", key], [b"correct horse\n", b"correct horse\n"])
    assert code == DONE and "horse" not in shown and "The same again" in shown
    assert json.loads(key.read_text())["kdf"]["name"] == "argon2id"


def test_two_passphrases_make_no_key(tmp_path):
    key = tmp_path / "signer.key"
    code, shown = typed(["keygen", "--out", key], [b"correct horse\n", b"correct hors\n"])
    assert code == FAILED and "two passphrases" in shown and not key.exists()
    code, shown = typed(["keygen", "--out", key], [b"\x03"])
    assert code == -2 and not key.exists()


@pytest.fixture
def snapshot(tmp_path):
    """The snapshot of tests/data, at block 200 of the fixture chain, signed by nobody."""
    made = tmp_path / "snapshot"
    made.mkdir()
    for name in FILES:
        shutil.copy(SNAPSHOT / name, made / name)
    manifest = json.loads((made / "manifest.json").read_text())
    manifest.update(signatures=[], xai_signatures=[])
    (made / "manifest.json").write_bytes(xai.canon(manifest))
    return made


class Signer:
    """A machine that has a key, and no network."""

    def __init__(self, directory, name, alg, passphrase):
        self.directory = directory / name
        self.directory.mkdir()
        self.options = ["--passphrase-file", passphrase]
        self.key = self.directory / "signer.key"
        made = offline("keygen", "--out", self.key, "--alg", alg, *self.options, "--json").json
        self.public = made["public_key"]

    def sign(self, manifest, *more, code=DONE):
        """Signs a copy of the manifest, carried here on a stick."""
        carried = self.directory / "manifest.json"
        shutil.copy(manifest, carried)
        ran = offline("snapshot", "sign", carried, "--key", self.key, *self.options, "--yes",
                      *more, code=code)
        return carried, ran


@pytest.fixture
def signers(tmp_path, passphrase):
    return (Signer(tmp_path, "one", "ed25519", passphrase),
            Signer(tmp_path, "two", "secp256k1", passphrase))


def test_two_keys_in_two_directories(tmp_path, snapshot, signers):
    one, two = signers
    keys = ["--keys", f"{one.public},{two.public}", "--threshold", 2]
    ran = offline("snapshot", "verify", snapshot, *keys, code=UNSIGNED)
    assert "0 of the 2 keys given signed it, 2 have to: TOO FEW" in ran.out
    by_one, shown = one.sign(snapshot / "manifest.json")
    for what in ("testnet", "200", "61500012.119999999999999218 XAI", "coins        3,"):
        assert what in shown.out
    by_two, _ = two.sign(snapshot / "manifest.json", "--xai")
    offline("snapshot", "verify", by_one, *keys, code=UNSIGNED)
    offline("snapshot", "merge", by_one, by_two, "--out", snapshot / "manifest.json")
    checked = offline("snapshot", "verify", snapshot, *keys, "--json").json
    assert checked["ok"] and checked["body"]
    assert sorted(checked["trusted_signers"]) == sorted([one.public, two.public])
    manifest = json.loads((snapshot / "manifest.json").read_text())
    assert len(manifest["signatures"]) == 2 and len(manifest["xai_signatures"]) == 1
    # another program finds the same digests
    body = {k: v for k, v in manifest.items() if k not in ("signatures", "xai_signatures")}
    digest = hashlib.sha256(b"cairn-manifest-v1\0" + xai.canon(body)).hexdigest()
    assert checked["digest"] == digest
    assert len(manifest["xai_signatures"][0]["pubkey"]) == 128


def test_signing_twice_is_signing_once(snapshot, signers):
    one, _ = signers
    first, _ = one.sign(snapshot / "manifest.json")
    once = first.read_bytes()
    offline("snapshot", "sign", first, "--key", one.key, *one.options, "--yes")
    assert first.read_bytes() == once


def test_only_what_is_sound_is_signed(tmp_path, snapshot, signers, passphrase):
    one, two = signers
    manifest = snapshot / "manifest.json"
    good = json.loads(manifest.read_text())
    signed, _ = one.sign(manifest)
    false = json.loads(signed.read_text())
    digits = false["signatures"][0]["signature"]
    false["signatures"][0]["signature"] = ("0" if digits[0] != "0" else "1") + digits[1:]
    for bad, why in ((dict(good, height=201), "of another block"), (false, "does not fit this manifest"),
                     (dict(good, more=1), "canonical"), (None, "JSON")):
        text = xai.canon(bad) if bad else b"{"
        manifest.write_bytes(text)
        ran = offline("snapshot", "sign", manifest, "--key", two.key, *two.options, "--yes",
                      code=FAILED)
        assert why in ran.err, ran.err
        assert manifest.read_bytes() == text
    manifest.write_bytes(xai.canon(good))
    _, ran = one.sign(manifest, "--xai", code=USAGE)
    assert "secp256k1" in ran.err
    wrong = tmp_path / "wrong"
    wrong.write_text("correct hose\n")
    ran = offline("snapshot", "sign", manifest, "--key", one.key, "--passphrase-file", wrong,
                  "--yes", code=FAILED)
    assert "wrong passphrase" in ran.err
    # without --yes somebody has to be there to say so
    ran = offline("snapshot", "sign", manifest, "--key", one.key, *one.options, code=USAGE,
                  stdin=subprocess.DEVNULL)
    assert "--yes" in ran.err
    assert json.loads(manifest.read_text())["signatures"] == []


def test_a_person_says_yes(snapshot, signers):
    one, _ = signers
    sign = ["snapshot", "sign", snapshot, "--key", one.key]
    code, shown = typed(sign, [b"no\n"])
    assert code == FAILED and "not signed" in shown and one.public in shown
    code, shown = typed(sign, [b"yes\n", b"correct horse\n"])
    assert code == DONE, shown
    offline("snapshot", "verify", snapshot, "--keys", one.public)


def test_manifests_of_two_snapshots_are_not_merged(tmp_path, snapshot, signers):
    one, _ = signers
    other = json.loads((snapshot / "manifest.json").read_text())
    other["software"] = "another"
    (tmp_path / "other.json").write_bytes(xai.canon(other))
    ran = offline("snapshot", "merge", snapshot, tmp_path / "other.json", "--out",
                  tmp_path / "out.json", code=FAILED)
    assert "two snapshots" in ran.err and not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("name", FILES)
def test_an_altered_file_is_seen(snapshot, name):
    file = snapshot / name
    whole = file.read_bytes()
    for at in {0, 10, len(whole) // 2, len(whole) - 1}:
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1:])
        offline("snapshot", "verify", snapshot, code=FAILED)
    for changed in (whole[:-1], whole + b"\0", b""):
        file.write_bytes(changed)
        offline("snapshot", "verify", snapshot, code=FAILED)
    file.unlink()
    offline("snapshot", "verify", snapshot, code=UNREADABLE)
    file.write_bytes(whole)
    offline("snapshot", "verify", snapshot)


def test_keys_that_are_none(snapshot, signers):
    one, _ = signers
    for keys in ("", "abc", f"{one.public},{one.public}", one.public + ","):
        offline("snapshot", "verify", snapshot, "--keys", keys, code=USAGE)
    for threshold in (0, 2, "x"):
        offline("snapshot", "verify", snapshot, "--keys", one.public, "--threshold", threshold,
                code=USAGE)
    offline("snapshot", "verify", snapshot, "--threshold", 1, code=USAGE)


def part(data):
    return len(data).to_bytes(4, "little") + data


def bundle_of(directory, chain, **other):
    """docs/bundle-format.md again, of the first headers of a chain."""
    manifest = (directory / "manifest.json").read_bytes()
    headers = chain[:json.loads(manifest)["height"] + 1]
    what = {"manifest": manifest, "headers": cairnpeer.compact(headers), **other}
    head = b"CAIRNBU1" + part(what["manifest"]) + part(what["headers"])
    check = hashlib.sha256(head).digest()
    return head + check + b"".join((directory / name).read_bytes() for name in FILES[1:])


@pytest.fixture
def headers(chain):
    return [{k: block[k] for k in cairnpeer.LINE} for block in chain]


def test_a_bundle_made_by_another_program(tmp_path, snapshot, signers, headers):
    one, two = signers
    keys = ["--keys", f"{one.public},{two.public}", "--threshold", 2]
    for signer in signers:
        signed, _ = signer.sign(snapshot / "manifest.json")
        shutil.copy(signed, snapshot / "manifest.json")
    bundle = tmp_path / "bundle"
    bundle.write_bytes(bundle_of(snapshot, headers))
    ran = offline("bundle", "verify", bundle, *keys)
    assert "headers      201 from genesis" in ran.out and "2 of the 2 keys" in ran.out
    unpacked = tmp_path / "unpacked"
    told = offline("bundle", "import", bundle, "--out", unpacked, *keys, "--json").json
    assert told["ok"] and told["headers"] == 201 and told["path"] == str(unpacked)
    for name in FILES:
        assert (unpacked / name).read_bytes() == (snapshot / name).read_bytes()
    offline("snapshot", "verify", unpacked, *keys)
    again = tmp_path / "again"
    offline("bundle", "create", "--snapshot", unpacked, "--out", again)
    assert again.read_bytes() == bundle.read_bytes()


def test_an_untrusted_bundle_is_not_unpacked(tmp_path, snapshot, signers, headers):
    bundle = tmp_path / "bundle"
    bundle.write_bytes(bundle_of(snapshot, headers))
    keys = ["--keys", signers[0].public]
    offline("bundle", "verify", bundle)
    ran = offline("bundle", "verify", bundle, *keys, code=UNSIGNED)
    assert "TOO FEW" in ran.out
    offline("bundle", "import", bundle, "--data-dir", tmp_path, *keys, code=UNSIGNED)
    assert not (tmp_path / "snapshots").exists()
    told = offline("bundle", "import", bundle, "--data-dir", tmp_path, "--json").json
    assert told["path"] == str(tmp_path / "snapshots" / told["id"])
    offline("snapshot", "verify", told["path"])
    ran = offline("bundle", "import", bundle, "--data-dir", tmp_path, code=FAILED)
    assert "is there already" in ran.err


def liars(headers, manifest):
    """Bundles whose check is right, and what is told of them."""
    def remined(at, **changes):
        return headers[:at] + [dict(headers[at], **changes)] + headers[at + 1:]

    def compacted(these):
        return {"headers": cairnpeer.compact(these)}

    broken = headers[70]["signature"]
    broken = ("0" if broken[0] != "0" else "1") + broken[1:]
    yield compacted(remined(70, signature=broken)), "block 70"
    yield compacted(remined(70, nonce=headers[70]["nonce"] + 1)), "the last hash"
    yield compacted(headers[:150]), "too few"
    yield compacted(headers[1:]), "another height"
    yield {"headers": cairnpeer.lines(headers)}, "compact form"
    yield {"manifest": xai.canon(dict(manifest, work=str(int(manifest["work"]) + 1)))}, "have work"
    yield {"manifest": xai.canon(dict(manifest, genesis_hash="0" * 64))}, "network"
    yield {"manifest": xai.canon(dict(manifest, total=str(int(manifest["total"]) + 1)))}, "root"


def test_bundles_that_lie(tmp_path, snapshot, headers):
    manifest = json.loads((snapshot / "manifest.json").read_text())
    bundle = tmp_path / "bundle"
    for other, why in liars(headers[:201], manifest):
        bundle.write_bytes(bundle_of(snapshot, headers, **other))
        ran = offline("bundle", "import", bundle, "--out", tmp_path / "unpacked", code=FAILED)
        assert why in ran.err, (why, ran.err)
        assert not list(tmp_path.glob("unpacked*"))
    offline("bundle", "verify", tmp_path / "nowhere", code=UNREADABLE)
    bundle.write_bytes(b"CAIRNBU2" + bundle.read_bytes()[8:])
    assert "is no bundle" in offline("bundle", "verify", bundle, code=FAILED).err


def test_headers_from_a_node(tmp_path, snapshot, headers, peers, node):
    """From its data directory beside the running daemon, and from its public plane."""
    honest = node(peers(3), {"public": {"listen": "127.0.0.1:0"}})
    assert honest.sync(mode="full")["state"] == "succeeded"
    honest.wait_tip(240)
    want = bundle_of(snapshot, headers)
    for where in (["--data-dir", honest.data_dir], ["--url", f"http://{honest.public_address}/"]):
        bundle = tmp_path / "bundle"
        ran = run("bundle", "create", "--snapshot", snapshot, "--out", bundle, *where)
        assert ran.code == DONE, ran.err
        assert bundle.read_bytes() == want
        bundle.unlink()
    ran = run("bundle", "create", "--snapshot", snapshot, "--out", tmp_path / "b",
              "--url", "http://127.0.0.1:1")
    assert ran.code == FAILED and "127.0.0.1:1" in ran.err
    ran = run("bundle", "create", "--snapshot", snapshot, "--out", tmp_path / "b")
    assert ran.code == USAGE and "--data-dir or --url" in ran.err
    assert not list(tmp_path.glob("b*.part"))


ALONE = {"checkpoint": {"quorum": 0, "min_peers": 0, "min_confirmations": 0, "threshold": 1}}


def test_a_node_without_peers_bootstraps_from_a_bundle(tmp_path, chain, headers, node):
    """Its headers are proven by those of the bundle, and nobody is asked for anything."""
    snapshot = Snapshot(chain)
    bundle = tmp_path / "bundle"
    bundle.write_bytes(bundle_of(snapshot.write(tmp_path / snapshot.id), headers))
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    offline("bundle", "import", bundle, "--out", allowed / "it")
    n = node([], {**ALONE, "transfer": {"allow_paths": [str(allowed)]}})
    job = n.sync(path=str(allowed / "it"))
    assert job["state"] == "succeeded", job
    assert expect.accepted(n) == [200]
    rules = n.rpc("checkpoint.provenance", height=200)["provenance"]["verdict"]["rules"]
    by = {rule["rule"]: rule for rule in rules}
    assert by["headers"]["result"] == by["work"]["result"] == "pass", by
    assert by["servable"]["result"] == "not_applicable", by["servable"]
    assert n.rpc("chain.supply")["coins"] == len(chain.fork(200).coins())
    assert n.status()["tip"]["height"] == 200


def test_headers_that_lie_beside_a_snapshot_prove_nothing(tmp_path, chain, headers, node):
    snapshot = Snapshot(chain)
    allowed = tmp_path / "allowed"
    at = snapshot.write(allowed / snapshot.id)
    n = node([], {**ALONE, "transfer": {"allow_paths": [str(allowed)]}})
    broken = headers[70]["signature"]
    broken = ("0" if broken[0] != "0" else "1") + broken[1:]
    for bad, reason in ((b"", "header_chain_invalid"), (b"\xff" * 4000, "header_chain_invalid"),
                        (part(cairnpeer.compact(headers[:200])), "header_chain_invalid"),
                        (part(cairnpeer.compact(headers[:70]
                                                + [dict(headers[70], signature=broken)]
                                                + headers[71:201])), "header_chain_invalid")):
        (at / "headers.bin").write_bytes(bad)
        job = n.sync(path=str(at))
        assert job["state"] == "failed" and job["error"]["reason"] == reason, job
    assert expect.accepted(n) == []

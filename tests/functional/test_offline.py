"""What works on a machine without a network: keys, signing, merging, verifying, bundles."""

import json
import os
import pty
import stat
import subprocess

import pytest
from statements import NodeKey
from test_cli import DONE, FAILED, USAGE, Ran, environment, program, run

import xai


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

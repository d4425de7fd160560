"""Data directories as earlier schema versions left them, and what is in them."""

import contextlib
import hashlib
import re
import shutil
import sqlite3

import xai

DATA = xai.DATA / "schema"
GENERATION = 2  # of control_v1.db: its job-1 was refused, its job-2 went to 200 and on to 240


def place(data_dir, control=1, chain=1):
    """The files of these schemas as a data directory; {file name: path}."""
    generation = data_dir / "generations" / str(GENERATION)
    generation.mkdir(parents=True)
    (data_dir / "incoming").mkdir()
    files = {"control.db": data_dir / "control.db",
             "chain.db": generation / "chain.db",
             "base.coins": generation / "base.coins"}
    shutil.copyfile(DATA / f"control_v{control}.db", files["control.db"])
    shutil.copyfile(DATA / f"chain_v{chain}.db", files["chain.db"])
    shutil.copyfile(DATA / "base_v1.coins", files["base.coins"])
    return files


def version(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def fingerprints(directory):
    return {str(f.relative_to(directory)): hashlib.sha256(f.read_bytes()).hexdigest()
            for f in directory.rglob("*") if f.is_file()}


def refuses_to_start(node):
    """It ends with 1 before it is ready; the line that says why."""
    before = len(node.log())
    node.launch()
    assert node.reap() == 1, node.log()
    (line,) = re.findall(r'msg="cannot start".*', node.log()[before:])
    return line

CREATE TABLE meta(
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state INTEGER NOT NULL,
    kind TEXT NOT NULL,
    request TEXT NOT NULL,
    candidate TEXT,
    idempotency_key TEXT UNIQUE,
    error TEXT,
    generation INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX job_live ON job(id) WHERE ended_ms = 0;

CREATE TABLE stage(
    job_id INTEGER NOT NULL REFERENCES job(id),
    state INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL CHECK(outcome IN ('running', 'succeeded', 'failed', 'cancelled')),
    detail TEXT,
    PRIMARY KEY(job_id, state)
) STRICT, WITHOUT ROWID;

-- state: enum control_generation_state.  At most one is live.
CREATE TABLE generation(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state INTEGER NOT NULL CHECK(state BETWEEN 1 AND 5),
    height INTEGER NOT NULL DEFAULT 0 CHECK(height >= 0),
    block_hash BLOB NOT NULL DEFAULT (zeroblob(32)) CHECK(length(block_hash) = 32),
    state_root BLOB NOT NULL DEFAULT (zeroblob(32)) CHECK(length(state_root) = 32),
    checkpoint_id INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    activated_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX generation_live ON generation(state) WHERE state = 2;

CREATE TABLE checkpoint(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    height INTEGER NOT NULL CHECK(height >= 0),
    block_hash BLOB NOT NULL CHECK(length(block_hash) = 32),
    state_root BLOB NOT NULL CHECK(length(state_root) = 32),
    work BLOB NOT NULL CHECK(length(work) = 40),
    state_hash TEXT,
    source TEXT NOT NULL,
    trust TEXT NOT NULL CHECK(trust IN ('attested', 'validated')),
    provenance TEXT NOT NULL,
    generation INTEGER NOT NULL,
    job_id INTEGER NOT NULL,
    accepted_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX checkpoint_height ON checkpoint(height, id);

CREATE TABLE rejection(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    height INTEGER CHECK(height >= 0),
    block_hash TEXT,
    state_hash TEXT,
    source TEXT NOT NULL,
    peers TEXT NOT NULL,
    reason TEXT NOT NULL,
    verdict TEXT NOT NULL
) STRICT;
CREATE INDEX rejection_reason ON rejection(reason, id);
CREATE INDEX rejection_height ON rejection(height, id);

-- Append-only.  The hash chain is the proof; the triggers keep our own mistakes out.
CREATE TABLE audit(
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    prev BLOB NOT NULL CHECK(length(prev) = 32),
    hash BLOB NOT NULL CHECK(length(hash) = 32)
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS(SELECT 1 FROM audit WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- How long the log is and its last hash, kept apart, so that a cut tail is seen.
CREATE TABLE audit_head(
    id INTEGER PRIMARY KEY CHECK(id = 1),
    entries INTEGER NOT NULL CHECK(entries >= 0),
    hash BLOB NOT NULL CHECK(length(hash) = 32)
) STRICT;
INSERT INTO audit_head(id, entries, hash) VALUES(1, 0, zeroblob(32));

CREATE TABLE incident(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    opened_ms INTEGER NOT NULL,
    resolved_ms INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    evidence TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX incident_open ON incident(kind, subject) WHERE resolved_ms = 0;

CREATE TABLE peer(
    url TEXT NOT NULL PRIMARY KEY,
    score INTEGER NOT NULL,
    faults INTEGER NOT NULL CHECK(faults >= 0),
    banned_until_ms INTEGER NOT NULL,
    ban_reason TEXT,
    ban_evidence TEXT
) STRICT, WITHOUT ROWID;

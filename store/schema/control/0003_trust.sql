-- Who is trusted: what the operator changed beside the configuration.
-- keep: 1 added, 0 removed.
CREATE TABLE signer(
    key TEXT NOT NULL PRIMARY KEY,
    keep INTEGER NOT NULL CHECK(keep IN (0, 1)),
    changed_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Certificates followed, in order; first: digest of the configured set they began at.
CREATE TABLE signer_set(
    first BLOB NOT NULL CHECK(length(first) = 32),
    sequence INTEGER NOT NULL CHECK(sequence > 0),
    document TEXT NOT NULL,
    applied_ms INTEGER NOT NULL,
    PRIMARY KEY(first, sequence)
) STRICT, WITHOUT ROWID;

-- Blocks pinned by the operator.
CREATE TABLE root(
    height INTEGER NOT NULL PRIMARY KEY CHECK(height >= 0),
    hash BLOB NOT NULL CHECK(length(hash) = 32),
    added_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- Checkpoints withdrawn.  document NULL: by the operator here.
CREATE TABLE revocation(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    height INTEGER NOT NULL CHECK(height >= 0),
    block_hash BLOB NOT NULL CHECK(length(block_hash) = 32),
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    document TEXT,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX revocation_local ON revocation(height, block_hash)
WHERE document IS NULL;
CREATE UNIQUE INDEX revocation_document ON revocation(document)
WHERE document IS NOT NULL;
CREATE INDEX revocation_height ON revocation(height);

-- Who says that they derived which state; own: this node does.
CREATE TABLE attestation(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    height INTEGER NOT NULL CHECK(height >= 0),
    block_hash BLOB NOT NULL CHECK(length(block_hash) = 32),
    state_root BLOB NOT NULL CHECK(length(state_root) = 32),
    key TEXT NOT NULL,
    own INTEGER NOT NULL CHECK(own IN (0, 1)),
    source TEXT NOT NULL,
    document TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    UNIQUE(key, height, block_hash, state_root)
) STRICT;
CREATE INDEX attestation_height ON attestation(height);

ALTER TABLE incident ADD COLUMN resolved_by TEXT;
ALTER TABLE incident ADD COLUMN choice TEXT;
ALTER TABLE incident ADD COLUMN note TEXT;

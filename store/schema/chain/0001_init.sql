-- SQLite has no checksums: what is served or replayed carries its own (sum: SHA-256, or the
-- first 8 bytes of one).

-- Headers of every branch known.  added is the order of arrival.
CREATE TABLE header(
    added INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK(length(hash) = 32),
    prev BLOB NOT NULL CHECK(length(prev) = 32),
    merkle_root BLOB NOT NULL CHECK(length(merkle_root) = 32),
    height INTEGER NOT NULL CHECK(height >= 0),
    timestamp REAL NOT NULL,
    difficulty INTEGER NOT NULL CHECK(difficulty BETWEEN 0 AND 4294967295),
    nonce INTEGER NOT NULL,     -- the bits of a uint64_t
    version INTEGER,            -- the bits of a uint64_t; NULL: the header has none
    signature TEXT NOT NULL CHECK(length(signature) <= 128),
    miner_pubkey TEXT NOT NULL CHECK(length(miner_pubkey) <= 128),
    status INTEGER NOT NULL CHECK(status IN (0, 1, 2)),
    work BLOB NOT NULL CHECK(length(work) = 40),
    reason TEXT                 -- why it is invalid
) STRICT;
CREATE INDEX header_prev ON header(prev);
CREATE INDEX header_work ON header(work DESC, added) WHERE status = 1;

CREATE TABLE active(
    height INTEGER PRIMARY KEY CHECK(height >= 0),
    hash BLOB NOT NULL CHECK(length(hash) = 32)
) STRICT;

-- Canonical block text.
CREATE TABLE body(
    hash BLOB NOT NULL UNIQUE CHECK(length(hash) = 32),
    text BLOB NOT NULL,
    sum BLOB NOT NULL CHECK(length(sum) = 32)
) STRICT;

CREATE TABLE proof(
    height INTEGER PRIMARY KEY CHECK(height >= 0),
    noted BLOB NOT NULL,
    sum BLOB NOT NULL CHECK(length(sum) = 32)
) STRICT;

-- Coins made since the base and unspent.
CREATE TABLE coin_made(
    txid BLOB NOT NULL CHECK(length(txid) = 32),
    vout INTEGER NOT NULL CHECK(vout BETWEEN 0 AND 4294967295),
    amount REAL NOT NULL CHECK(amount >= 0),
    address TEXT NOT NULL CHECK(length(address) > 0),
    height INTEGER NOT NULL CHECK(height > 0),
    sum BLOB NOT NULL CHECK(length(sum) = 8),
    PRIMARY KEY(txid, vout)
) STRICT, WITHOUT ROWID;

-- Coins of the base that are spent.
CREATE TABLE coin_spent(
    txid BLOB NOT NULL CHECK(length(txid) = 32),
    vout INTEGER NOT NULL CHECK(vout BETWEEN 0 AND 4294967295),
    height INTEGER NOT NULL CHECK(height > 0),
    PRIMARY KEY(txid, vout)
) STRICT, WITHOUT ROWID;

-- How to take an active block above the base back: the coins, and the tip before it.
CREATE TABLE undo(
    height INTEGER PRIMARY KEY CHECK(height > 0),
    hash BLOB NOT NULL CHECK(length(hash) = 32),
    coins BLOB NOT NULL,
    prev_hash BLOB NOT NULL CHECK(length(prev_hash) = 32),
    prev_work BLOB NOT NULL CHECK(length(prev_work) = 40),
    prev_supply BLOB NOT NULL CHECK(length(prev_supply) = 16)
) STRICT;

-- digest: XOR of a hash of every row of coin_made and coin_spent, kept in step with them.
CREATE TABLE state(
    id INTEGER PRIMARY KEY CHECK(id = 1),
    base_height INTEGER NOT NULL CHECK(base_height >= 0),
    base_hash BLOB NOT NULL CHECK(length(base_hash) = 32),
    base_root BLOB NOT NULL CHECK(length(base_root) = 32),
    tip_height INTEGER NOT NULL CHECK(tip_height >= base_height),
    tip_hash BLOB NOT NULL CHECK(length(tip_hash) = 32),
    tip_work BLOB NOT NULL CHECK(length(tip_work) = 40),
    supply BLOB NOT NULL CHECK(length(supply) = 16),
    coin_count INTEGER NOT NULL CHECK(coin_count >= 0),
    digest BLOB NOT NULL CHECK(length(digest) = 32)
) STRICT;

-- What belongs to no verified chain is found without looking at all that does.
CREATE INDEX header_anchored ON header(added) WHERE status = 0;
CREATE INDEX header_invalid ON header(added) WHERE status = 2;

-- The body of a refused block is never looked at again.
DELETE FROM body WHERE hash IN (SELECT hash FROM header WHERE status = 2);

-- Where walks from a tip ended well, and how many headers each brought: by this, branches
-- that nobody went on with are removed again.
CREATE TABLE branch(
    added INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK(length(hash) = 32),
    headers INTEGER NOT NULL CHECK(headers >= 0)
) STRICT;

-- What is known of an address besides its behaviour.  origin: peer_origin_name; source: the
-- network of the peer that told it; ip: last connected to; last_good_ms: its last answer.
ALTER TABLE peer ADD COLUMN origin TEXT NOT NULL DEFAULT 'configured'
    CHECK(length(origin) <= 16);
ALTER TABLE peer ADD COLUMN source TEXT CHECK(length(source) <= 64);
ALTER TABLE peer ADD COLUMN ip TEXT CHECK(length(ip) <= 64);
ALTER TABLE peer ADD COLUMN identity TEXT CHECK(length(identity) <= 128);
ALTER TABLE peer ADD COLUMN tries INTEGER NOT NULL DEFAULT 0 CHECK(tries >= 0);
ALTER TABLE peer ADD COLUMN tried_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE peer ADD COLUMN last_good_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE peer ADD COLUMN bans INTEGER NOT NULL DEFAULT 0 CHECK(bans >= 0);

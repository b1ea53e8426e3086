// The tables of the trust layer in the node's database: people, their devices, and where to reach them.

export const TRUST_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE contacts (
    key BLOB PRIMARY KEY,               -- root key of the identity
    relation TEXT NOT NULL DEFAULT 'none' CHECK (relation IN ('followed', 'blocked', 'none')),
    follows_us INTEGER NOT NULL DEFAULT 0,
    petname TEXT,
    petname_folded TEXT UNIQUE,
    claimed TEXT,
    claimed_folded TEXT,
    about TEXT,
    claimed_ms INTEGER NOT NULL DEFAULT 0,
    seen_ms INTEGER
  ) STRICT;
  CREATE INDEX contacts_by_claim ON contacts (claimed_folded) WHERE claimed_folded IS NOT NULL;
  CREATE INDEX strangers ON contacts (seen_ms) WHERE relation = 'none' AND petname IS NULL;

  CREATE TABLE contact_devices (
    device BLOB PRIMARY KEY,            -- a device is of the identity that named it first
    identity BLOB NOT NULL REFERENCES contacts ON DELETE CASCADE,
    name TEXT NOT NULL,
    added_at INTEGER NOT NULL,          -- seq in the identity log
    last INTEGER                        -- last valid seq of its feed, NULL: not revoked
  ) STRICT;
  CREATE INDEX devices_by_identity ON contact_devices (identity, added_at);

  CREATE TABLE contact_addresses (
    id INTEGER PRIMARY KEY,             -- rises: the newest is the highest
    peer TEXT NOT NULL,                 -- peer id, '' when the user gave an address without one
    address TEXT NOT NULL,              -- multiaddr without the peer's own /p2p/ at its end
    identity BLOB REFERENCES contacts ON DELETE CASCADE,
    given INTEGER NOT NULL DEFAULT 0,   -- by the user: kept until the user forgets it
    success_ms INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    UNIQUE (peer, address)
  ) STRICT;
  CREATE INDEX addresses_by_identity ON contact_addresses (identity) WHERE identity IS NOT NULL;
  `
]

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
  `,
  `
  CREATE TABLE contact_decisions (      -- the newest decision on each, whichever own device made it
    contact BLOB PRIMARY KEY,           -- root key of the person
    relation TEXT NOT NULL DEFAULT 'none',
    relation_stamp BLOB NOT NULL,       -- when, on which device's feed, at which seq: higher bytes win
    petname TEXT,
    petname_folded TEXT,
    petname_stamp BLOB NOT NULL
  ) STRICT;
  CREATE INDEX decisions_by_petname ON contact_decisions (petname_folded) WHERE petname_folded IS NOT NULL;

  CREATE TABLE sealed_queue (           -- what is still to be written for the own devices
    name TEXT PRIMARY KEY,              -- what it is about: a newer one takes the place of an older
    body BLOB NOT NULL                  -- encoded, not sealed yet
  ) STRICT;
  CREATE TABLE sealed_read (            -- how much of own devices' feeds was looked through for sealed entries
    feed BLOB PRIMARY KEY,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE self_keys (
    generation INTEGER PRIMARY KEY,
    key BLOB NOT NULL
  ) STRICT;

  CREATE TABLE topic_secrets (
    identity BLOB PRIMARY KEY,          -- root key; without a row generation 0, which follows from it
    generation INTEGER NOT NULL,
    secret BLOB NOT NULL
  ) STRICT;
  CREATE TABLE greeted (                -- what a person's device was told last
    device BLOB PRIMARY KEY,
    identity BLOB NOT NULL,
    digest BLOB NOT NULL,
    at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX greeted_by_identity ON greeted (identity);
  CREATE TABLE shared_follows (         -- whom friends say they follow
    friend BLOB NOT NULL,
    person BLOB NOT NULL,
    PRIMARY KEY (friend, person)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX shared_by_person ON shared_follows (person);
  `,
  `
  CREATE TABLE invites (                -- made by this device
    id BLOB PRIMARY KEY,                -- first 16 bytes of the secret's hash
    kind TEXT NOT NULL,                 -- as in links
    secret BLOB NOT NULL,
    expires_ms INTEGER NOT NULL,
    asks INTEGER NOT NULL,              -- whether the user still decides about who brings it
    used_by BLOB                        -- key of who was first, NULL: nobody yet
  ) STRICT;

  CREATE TABLE acquaintances (
    person BLOB PRIMARY KEY,            -- root key of the identity
    state TEXT NOT NULL CHECK (state IN ('asked', 'asks', 'met', 'declined')),
    name TEXT,                          -- as they claim
    peer TEXT,                          -- peer id of the device that asked
    addresses TEXT NOT NULL,            -- JSON
    known INTEGER NOT NULL,             -- whether a contact knew them when they asked
    told INTEGER NOT NULL,              -- whether they know that we met
    time_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL         -- of requests; to have met does not expire
  ) STRICT;
  CREATE INDEX acquaintances_by_state ON acquaintances (state, time_ms);
  CREATE INDEX acquaintances_by_peer ON acquaintances (peer, time_ms) WHERE peer IS NOT NULL;

  CREATE TABLE introductions (
    person BLOB NOT NULL,               -- root keys
    by BLOB NOT NULL,
    name TEXT,                          -- as the contact says
    addresses TEXT NOT NULL,            -- JSON
    time_ms INTEGER NOT NULL,
    PRIMARY KEY (person, by)
  ) STRICT;
  CREATE INDEX introductions_by ON introductions (by, time_ms);
  `,
  `
  CREATE TABLE directory_seed (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    generation INTEGER NOT NULL,        -- devices that the identity log had revoked
    seed BLOB NOT NULL                  -- of the own directory keys
  ) STRICT;

  CREATE TABLE directory_certificates (
    day INTEGER PRIMARY KEY,
    rank INTEGER NOT NULL,
    signature BLOB NOT NULL             -- by the identity's blinded key of the day
  ) STRICT;

  CREATE TABLE directory_records (
    identity BLOB NOT NULL,             -- root key; own ones too
    day INTEGER NOT NULL,
    blinded BLOB NOT NULL UNIQUE,       -- the identity's key of that day, under which it is asked for
    record BLOB NOT NULL,
    PRIMARY KEY (identity, day)
  ) STRICT;
  `
]

// The tables of private messages in the node's database. Secrets in them are sealed (vault.ts); and since they change with
// every message, what is deleted or overwritten is wiped (wiping.ts).

export const MESSAGE_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE message_registration (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    address TEXT NOT NULL,              -- of the device that it was made for
    epoch BLOB NOT NULL,                -- of the store that it was made in: another one means an older copy
    registration INTEGER NOT NULL,      -- random, 14 bits
    identity BLOB NOT NULL              -- libsignal's identity key pair, sealed
  ) STRICT;

  CREATE TABLE message_devices (        -- devices of others, and own other ones
    address TEXT PRIMARY KEY,
    identity BLOB,                      -- libsignal's public identity key, NULL: none was seen yet
    session BLOB,                       -- libsignal's record, sealed; NULL: none was begun since it was forgotten or dropped
    heard INTEGER NOT NULL DEFAULT 0,   -- whether this session has opened anything
    given_up_ms INTEGER                 -- when a session that did not open was last given up, NULL: never
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE message_prekeys (
    kind TEXT NOT NULL CHECK (kind IN ('once', 'signed', 'kyber')),
    id INTEGER NOT NULL,                -- random, 24 bits: tells nothing of how many there were
    made_ms INTEGER NOT NULL,
    record BLOB NOT NULL,               -- libsignal's, sealed
    PRIMARY KEY (kind, id)
  ) STRICT;
  CREATE INDEX message_prekeys_by_age ON message_prekeys (kind, made_ms);

  CREATE TABLE message_kyber_uses (     -- first messages that were opened: each once, also by prekeys that serve many
    kyber INTEGER NOT NULL,
    signed INTEGER NOT NULL,
    base BLOB NOT NULL,                 -- the sender's key that it began with
    PRIMARY KEY (kyber, signed, base)
  ) STRICT, WITHOUT ROWID;
  `
]

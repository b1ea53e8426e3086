// The tables of groups in the node's database. Nothing in them says when an operation came, or who brought it.

export const GROUP_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE groups (
    num INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE             -- of the group's first operation
  ) STRICT;

  CREATE TABLE group_operations (
    place INTEGER PRIMARY KEY,          -- group number × 2^32 + index: what it stands on has a lower one
    id BLOB NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;

  CREATE TABLE group_keys (             -- secrets of this device as a member
    id INTEGER PRIMARY KEY,             -- rises: the newest of a kind is the highest
    num INTEGER NOT NULL REFERENCES groups ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('member', 'ring', 'kem')),
    public BLOB NOT NULL,
    secret BLOB NOT NULL,               -- of 'member' the Ed25519 seed, of 'ring' the scalar, of 'kem' the X25519 secret
    UNIQUE (num, public)
  ) STRICT;
  `,
  `
  CREATE TABLE group_outbox (           -- own nameless operations that are not in the log yet
    id BLOB PRIMARY KEY,                -- of the operation
    group_id BLOB NOT NULL,
    bytes BLOB NOT NULL,
    due_ms INTEGER NOT NULL             -- when it leaves this device
  ) STRICT;
  `
]

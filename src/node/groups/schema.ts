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
  `,
  `
  CREATE TABLE group_secrets (          -- what posts were sealed with
    num INTEGER NOT NULL REFERENCES groups ON DELETE CASCADE,
    name BLOB NOT NULL,                 -- as its epoch calls it
    secret BLOB NOT NULL,
    PRIMARY KEY (num, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE group_posts (            -- entries that were opened; their bodies stay sealed
    place INTEGER PRIMARY KEY,          -- of the entry
    num INTEGER NOT NULL REFERENCES groups ON DELETE CASCADE,
    name BLOB NOT NULL,                 -- of the secret
    time INTEGER NOT NULL,              -- that it is shown with
    root BLOB                           -- id of the entry that began its thread
  ) STRICT;
  CREATE INDEX group_posts_by_time ON group_posts (num, time, place);
  CREATE INDEX group_posts_by_root ON group_posts (root) WHERE root IS NOT NULL;

  CREATE TABLE group_sealed (           -- entries of members that nothing opened yet
    place INTEGER PRIMARY KEY,
    head BLOB NOT NULL                  -- their first bytes: hint and salt
  ) STRICT;

  CREATE TABLE group_read (             -- how far members' feeds were looked through, by feed number
    feed INTEGER PRIMARY KEY,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL
  ) STRICT;
  `,
  // Members' feeds are looked through anew.
  `
  ALTER TABLE group_posts ADD COLUMN answered BLOB;                         -- id of the entry that it answers or reacts to
  ALTER TABLE group_posts ADD COLUMN is_reaction INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX group_posts_by_answered ON group_posts (answered, is_reaction, place) WHERE answered IS NOT NULL;
  DELETE FROM group_posts;
  DELETE FROM group_sealed;
  DELETE FROM group_read;
  `,
  `
  CREATE TABLE group_files (            -- blobs in which files of posts are that were opened; their keys stay in the posts
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- rises: what was found last has the highest, also when that is gone
    place INTEGER NOT NULL,             -- of the entry
    num INTEGER NOT NULL REFERENCES groups ON DELETE CASCADE,
    blob BLOB NOT NULL,
    UNIQUE (place, blob)
  ) STRICT;
  CREATE INDEX group_files_by_blob ON group_files (blob, id);
  `
]

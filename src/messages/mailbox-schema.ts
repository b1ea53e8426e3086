// The tables of mailboxes in the node's database. Of what is hosted for others nothing in them says for whom, from whom,
// in which order queues were made, or at what time of a day something came.

export const MAILBOX_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE mailbox_host (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    secret BLOB NOT NULL,               -- X25519
    day INTEGER NOT NULL,               -- UTC, that was looked at last
    age INTEGER NOT NULL                -- days on which this node ran
  ) STRICT;

  CREATE TABLE mailbox_queues (         -- hosted for others
    num INTEGER PRIMARY KEY,            -- random: no order among queues
    receive BLOB NOT NULL UNIQUE,       -- X25519 public keys
    send BLOB NOT NULL UNIQUE,
    next INTEGER NOT NULL,              -- number of the next cell
    held INTEGER NOT NULL,              -- cells that are there
    read_age INTEGER NOT NULL           -- the host's age when it was last asked for
  ) STRICT;

  CREATE TABLE mailbox_cells (          -- beginnings: two of them fit a page of 4 KiB, and two whole cells would not
    place INTEGER PRIMARY KEY,          -- num × 2^22 + number
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE TABLE mailbox_ends (
    place INTEGER PRIMARY KEY,
    age INTEGER NOT NULL,               -- the host's when it came
    bytes BLOB NOT NULL
  ) STRICT;

  CREATE TABLE mailbox_own (            -- queues of this device at others' nodes
    receive BLOB PRIMARY KEY,           -- X25519 public key
    secrets BLOB NOT NULL,              -- to read and to write with, sealed
    contact BLOB NOT NULL,              -- who writes to it
    peer TEXT NOT NULL,                 -- peer id of the host
    host BLOB,                          -- its key, NULL: not made yet
    state TEXT NOT NULL CHECK (state IN ('making', 'made', 'ending')),
    generation INTEGER NOT NULL         -- devices of the contact that had been revoked when it was added
  ) STRICT;
  CREATE INDEX mailbox_own_by_contact ON mailbox_own (contact);
  CREATE INDEX mailbox_own_by_peer ON mailbox_own (peer);

  CREATE TABLE mailbox_contacts (       -- where devices of others have mailboxes for this one
    device BLOB PRIMARY KEY,
    key BLOB NOT NULL,                  -- to which cells for it are sealed
    descriptor BLOB NOT NULL,
    at_ms INTEGER NOT NULL,             -- when it said so: an older word may come later
    bundle BLOB,                        -- by which a session is begun, NULL: none, or it was used
    bundle_ms INTEGER                   -- when it came
  ) STRICT;

  CREATE TABLE mailbox_put (            -- what was put into them
    transfer BLOB PRIMARY KEY,
    at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE mailbox_told (           -- which key and queues devices of others were told of last
    device BLOB PRIMARY KEY,
    digest BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE mailbox_hosts (          -- hosts of this device's queues that could not be reached
    peer TEXT PRIMARY KEY,
    missed_ms INTEGER NOT NULL          -- for how long, while this node ran and reached others
  ) STRICT, WITHOUT ROWID;
  `
]

// The tables of the feeds layer. A place in a feed is one number: feed number × 2^32 + seq, so that SQLite's row ids
// keep a feed's runs together and in order.

export const FEEDS_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

  CREATE TABLE feeds (
    num INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    low INTEGER NOT NULL DEFAULT 1,     -- lowest stored seq: stored is all from low to height
    height INTEGER NOT NULL DEFAULT 0,  -- highest stored seq, 0: none
    head BLOB NOT NULL DEFAULT x'',     -- id of the entry at height
    changed INTEGER NOT NULL,           -- change counter at the last change of height, want or freeze
    priority INTEGER,                   -- NULL: not wanted; 0 own, 1 followed, 2 further away
    wanted INTEGER NOT NULL DEFAULT 0,  -- change counter when it was last wanted anew
    frozen INTEGER,                     -- the seq at which a fork was proven
    own INTEGER NOT NULL DEFAULT 0,     -- this device holds the key
    whole INTEGER NOT NULL DEFAULT 0,   -- nothing in it may be erased (an identity log)
    bytes INTEGER NOT NULL DEFAULT 0    -- of records
  ) STRICT;
  CREATE INDEX feeds_by_change ON feeds (changed);
  CREATE INDEX feeds_with_gap ON feeds (num) WHERE low > 1 AND priority IS NOT NULL;

  CREATE TABLE runs (
    place INTEGER PRIMARY KEY,          -- of the first entry
    count INTEGER NOT NULL,
    arrival INTEGER NOT NULL,           -- of the first entry; the next ones count on
    arrived_ms INTEGER NOT NULL,
    prev BLOB NOT NULL,
    signature BLOB NOT NULL,
    records BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX runs_by_arrival ON runs (arrival);

  CREATE TABLE ids (prefix INTEGER, place INTEGER, PRIMARY KEY (prefix, place)) STRICT, WITHOUT ROWID;

  CREATE TABLE forks (feed INTEGER PRIMARY KEY REFERENCES feeds, proof BLOB NOT NULL, found_ms INTEGER NOT NULL) STRICT;

  -- bodies that their author asked to erase: place of the body, place of the wish
  CREATE TABLE erasures (place INTEGER PRIMARY KEY, wish INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  -- which holders said that they erased it
  CREATE TABLE erased_at (place INTEGER, holder TEXT, PRIMARY KEY (place, holder)) STRICT, WITHOUT ROWID;

  -- what a peer has been told and has told us: see docs/protocol.md, sync
  CREATE TABLE sync_peers (
    peer TEXT PRIMARY KEY,
    epoch BLOB NOT NULL,
    cursor INTEGER NOT NULL,
    shared BLOB NOT NULL,               -- bitmap of feed numbers, and a sum over their ids
    shared_sum BLOB NOT NULL,
    resumed INTEGER NOT NULL,           -- times in a row that the cursor was trusted
    told INTEGER NOT NULL,              -- the newest wish to erase in the peer's own feed that it knows we obeyed
    seen_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- made behind, from the bodies
  CREATE TABLE types (num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE timeline (type INTEGER, time INTEGER, place INTEGER, PRIMARY KEY (type, time, place)) STRICT, WITHOUT ROWID;
  CREATE TABLE links (target INTEGER, kind INTEGER, place INTEGER, PRIMARY KEY (target, kind, place)) STRICT, WITHOUT ROWID;
  CREATE TABLE tags (tag TEXT, time INTEGER, place INTEGER, PRIMARY KEY (tag, time, place)) STRICT, WITHOUT ROWID;
  CREATE TABLE expiries (at INTEGER, place INTEGER, PRIMARY KEY (at, place)) STRICT, WITHOUT ROWID;
  CREATE VIRTUAL TABLE search USING fts5 (text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
  `,
  // How much of a feed is kept. The new index holds only what is really missing: what fell out at the bottom is not.
  `
  ALTER TABLE feeds ADD COLUMN newest INTEGER;                   -- only so many of the newest entries, NULL: all
  ALTER TABLE feeds ADD COLUMN last INTEGER;                     -- nothing above this seq, NULL: no bound
  ALTER TABLE feeds ADD COLUMN max_bytes INTEGER;                -- of records; the oldest bodies go above it, NULL: no bound
  ALTER TABLE feeds ADD COLUMN bare INTEGER NOT NULL DEFAULT 0;  -- up to this seq, bodies were erased for that
  DROP INDEX feeds_with_gap;
  CREATE INDEX feeds_with_gap ON feeds (num) WHERE priority IS NOT NULL AND low > max(1, height - coalesce(newest, height) + 1);
  `,
  `
  -- made behind, from the bodies: files that posts have
  CREATE TABLE blobs (num INTEGER PRIMARY KEY, place INTEGER NOT NULL, cid BLOB NOT NULL, UNIQUE (place, cid)) STRICT;
  CREATE INDEX blobs_by_cid ON blobs (cid);
  `,
  `
  -- made behind, from the bodies: whom posts mention
  CREATE TABLE mentions (did TEXT, time INTEGER, place INTEGER, PRIMARY KEY (did, time, place)) STRICT, WITHOUT ROWID;
  `,
  `
  -- made behind, from the bodies: who reacted to an entry, and how; some of each feed's, see derived.ts
  CREATE TABLE reactions (target INTEGER, feed INTEGER, emoji TEXT, place INTEGER, PRIMARY KEY (target, feed, emoji, place)) STRICT, WITHOUT ROWID;
  DELETE FROM meta WHERE key = 'indexed';
  `,
  `
  -- bodies whose time was over
  CREATE TABLE expired (place INTEGER PRIMARY KEY) STRICT;
  -- single entries of feeds that are not kept
  CREATE TABLE strays (
    num INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    root BLOB,                          -- id of the entry that began its thread
    packed BLOB NOT NULL,               -- the entry and the rest of its run
    note BLOB NOT NULL,                 -- whose it is, as far as that was shown
    arrived_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX strays_by_root ON strays (root) WHERE root IS NOT NULL;
  CREATE INDEX strays_by_time ON strays (until_ms);
  `,
  // The number of a file that is gone is not given to the next one: whoever goes on from it would pass that over.
  `
  CREATE TEMP TABLE kept_blobs AS SELECT num, place, cid FROM blobs;
  DROP TABLE blobs;
  CREATE TABLE blobs (
    num INTEGER PRIMARY KEY AUTOINCREMENT,
    place INTEGER NOT NULL,
    cid BLOB NOT NULL,
    UNIQUE (place, cid)
  ) STRICT;
  INSERT INTO blobs SELECT num, place, cid FROM kept_blobs;
  DROP TABLE kept_blobs;
  CREATE INDEX blobs_by_cid ON blobs (cid);
  `
]

/** seq takes 32 bits of a place, and a place must stay an exact number: 2^21 feeds. */
export const MAX_FEEDS = 0x20_0000
const SEQS = 0x1_0000_0000

/** Where an entry stands: one exact number below 2^53. */
export function placeOf(feed: number, seq: number): number {
  return feed * SEQS + seq
}

export function feedOfPlace(place: number): number {
  return Math.floor(place / SEQS)
}

export function seqOfPlace(place: number): number {
  return place % SEQS
}

/** The number under which an id is indexed: its first 6 bytes. Ids that share it are told apart by recomputing them. */
export function prefixOf(ids: Uint8Array, offset = 0): number {
  const low = (ids[offset + 2] << 24) | (ids[offset + 3] << 16) | (ids[offset + 4] << 8) | ids[offset + 5]
  return ids[offset] * 0x100_0000_0000 + ids[offset + 1] * 0x1_0000_0000 + (low >>> 0)
}

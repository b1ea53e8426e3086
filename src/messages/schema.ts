// The tables of private messages in the node's database. Secrets in them are sealed (vault.ts); and since they change with
// every message, what is deleted or overwritten is wiped (wiping.ts).

export const MESSAGE_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE message_registration (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    address TEXT NOT NULL,              -- of the device that it was made for
    epoch BLOB NOT NULL,                -- of the store that it was made in: another one means an older copy
    registration INTEGER NOT NULL       -- random, 14 bits
  ) STRICT;

  CREATE TABLE message_devices (        -- devices of others, and own other ones
    address TEXT PRIMARY KEY,
    identity BLOB,                      -- libsignal's public identity key, NULL: none was seen yet
    session BLOB,                       -- libsignal's record, sealed; NULL: none was begun since it was forgotten or dropped
    heard INTEGER NOT NULL DEFAULT 0,   -- whether this session has opened anything
    given_up_ms INTEGER,                -- when a session that did not open was last given up, NULL: never
    refused INTEGER NOT NULL            -- whether it came with another identity
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE message_prekeys (
    kind TEXT NOT NULL CHECK (kind IN ('once', 'signed', 'kyber')),
    id INTEGER NOT NULL,                -- random, 24 bits: tells nothing of how many there were
    made_ms INTEGER NOT NULL,           -- of one for one use: when it was given out, if it was
    is_given INTEGER NOT NULL,          -- for one use: whether somebody has it
    key BLOB NOT NULL,                  -- what is given out: the public key as libsignal writes it
    signature BLOB,                     -- by the libsignal identity key; NULL: for one use
    record BLOB NOT NULL,               -- libsignal's, sealed
    PRIMARY KEY (kind, id)
  ) STRICT;
  CREATE INDEX message_prekeys_by_age ON message_prekeys (kind, made_ms);

  CREATE TABLE message_kyber_uses (     -- first messages that were opened: each once, also by prekeys that serve many
    kyber INTEGER NOT NULL,
    signed INTEGER NOT NULL,
    base BLOB NOT NULL,                 -- the sender's key that it began with
    address TEXT NOT NULL,              -- of the sender: each has a limit
    PRIMARY KEY (kyber, signed, base)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX message_kyber_uses_by_sender ON message_kyber_uses (address, kyber);

  CREATE TABLE messages (
    num INTEGER PRIMARY KEY AUTOINCREMENT, -- rises in the order in which they came or were written, and is never used again
    author BLOB NOT NULL,               -- root key of who wrote it
    id BLOB NOT NULL,
    device BLOB NOT NULL,               -- key of the device that wrote it
    peer BLOB NOT NULL,                 -- root key of the other person, or id of a conversation of several
    time INTEGER NOT NULL,              -- that it is shown with
    content BLOB,                       -- sealed; NULL: erased
    is_shown INTEGER NOT NULL,          -- 0: it does something, and is not read
    prev BLOB,                          -- id of what the same device wrote before it
    expires INTEGER,
    state TEXT NOT NULL CHECK (state IN ('queued', 'mailed', 'delivered', 'read')),
    lifetime INTEGER,                   -- for how long after it came it is kept, in ms; NULL: until it is erased
    UNIQUE (author, id)
  ) STRICT;
  CREATE INDEX messages_by_peer ON messages (peer, num);
  CREATE INDEX messages_by_device ON messages (device, peer, num);
  CREATE INDEX messages_by_id ON messages (id);
  CREATE INDEX messages_by_expiry ON messages (expires) WHERE expires IS NOT NULL AND content IS NOT NULL;
  CREATE INDEX messages_undelivered ON messages (device, num) WHERE state IN ('queued', 'mailed');

  CREATE TABLE message_outbox (         -- what a device has not acknowledged
    num INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    device BLOB NOT NULL,
    transfer BLOB NOT NULL,             -- random, the same in all cells
    type INTEGER,                       -- what the session made of it, NULL: nothing yet
    bytes BLOB,
    count INTEGER,                      -- of cells
    PRIMARY KEY (device, num)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX message_outbox_by_num ON message_outbox (num); -- thousands may wait, and be erased

  CREATE TABLE message_transfers (      -- that were opened
    device BLOB NOT NULL,
    transfer BLOB NOT NULL,
    id BLOB,                            -- of the message, when it is to be acknowledged
    time INTEGER NOT NULL,
    PRIMARY KEY (device, transfer)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX message_transfers_by_age ON message_transfers (time);

  CREATE TABLE message_cell_keys (      -- to which others seal cells for this device
    public BLOB PRIMARY KEY,
    secret BLOB NOT NULL,               -- sealed
    made_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE message_attachments (    -- whose blobs are kept
    num INTEGER PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
    blob BLOB NOT NULL
  ) STRICT;
  CREATE TRIGGER message_attachments_erased AFTER UPDATE OF content ON messages WHEN NEW.content IS NULL
  BEGIN DELETE FROM message_attachments WHERE num = NEW.num; END;

  CREATE TABLE message_conversations (  -- what is agreed in a conversation
    peer BLOB PRIMARY KEY,              -- its id, or the root key of the other person
    state BLOB NOT NULL                 -- sealed
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE message_recipients (     -- of own messages to several people
    num INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    person BLOB NOT NULL,               -- root key
    state TEXT NOT NULL CHECK (state IN ('queued', 'mailed', 'delivered', 'read', 'unreachable')),
    PRIMARY KEY (num, person)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE message_copies (         -- own other devices, which get what this one writes
    device BLOB NOT NULL,
    writer BLOB NOT NULL,               -- key of this device
    since INTEGER NOT NULL,             -- the first message that it gets
    news INTEGER,                       -- what it was told last of how far messages have come, NULL: nothing yet
    PRIMARY KEY (device, writer)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE message_untold (         -- own messages of which such a device has a copy, and does not know how far they have come
    device BLOB NOT NULL,
    num INTEGER NOT NULL,
    PRIMARY KEY (device, num)
  ) STRICT, WITHOUT ROWID;

  CREATE VIEW message_copied AS         -- which of them has which
    SELECT copies.device, messages.num, messages.state FROM messages
      JOIN message_copies AS copies ON copies.writer = messages.device AND copies.since <= messages.num
      WHERE messages.is_shown = 1 AND messages.content IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM message_outbox AS waiting WHERE waiting.device = copies.device AND waiting.num = messages.num);

  CREATE TRIGGER message_states_changed AFTER UPDATE OF state ON messages
  BEGIN INSERT OR IGNORE INTO message_untold SELECT device, num FROM message_copied WHERE num = NEW.num; END;

  CREATE TRIGGER message_recipients_changed AFTER UPDATE OF state ON message_recipients
  BEGIN INSERT OR IGNORE INTO message_untold SELECT device, num FROM message_copied WHERE num = NEW.num; END;

  CREATE TRIGGER message_copies_come AFTER DELETE ON message_outbox
  BEGIN
    INSERT OR IGNORE INTO message_untold SELECT device, num FROM message_copied
      WHERE num = OLD.num AND device = OLD.device
        AND (state <> 'queued' OR EXISTS (SELECT 1 FROM message_recipients AS several WHERE several.num = OLD.num));
  END;
  `
]

-- +goose Up

-- Which account a number is: E.164, or a short code as handsets dial it.
-- carrier_id 0 is any carrier; a short code can mean another account at another.
CREATE TABLE numbers (
    id         BIGINT PRIMARY KEY,
    number     TEXT   NOT NULL,
    carrier_id BIGINT NOT NULL DEFAULT 0,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX numbers_by_number ON numbers (number, carrier_id);

-- What people texted to us. account_id 0: nobody has the number. carrier_key is
-- the carrier's id, '' where it gives none. missing counts the parts that never
-- came, of parts.
CREATE TABLE inbound (
    id          BIGINT PRIMARY KEY,
    account_id  BIGINT NOT NULL,
    carrier_id  BIGINT NOT NULL,
    carrier_key TEXT   NOT NULL DEFAULT '',
    phone       TEXT   NOT NULL,
    number      TEXT   NOT NULL,
    contact_id  BIGINT NOT NULL DEFAULT 0,
    body        TEXT   NOT NULL,
    parts       BIGINT NOT NULL,
    missing     BIGINT NOT NULL DEFAULT 0,
    received_at BIGINT NOT NULL
);
CREATE INDEX inbound_by_account ON inbound (account_id, id);
CREATE UNIQUE INDEX inbound_by_key ON inbound (carrier_id, carrier_key, phone) WHERE carrier_key <> '';

-- The parts of long messages: those that wait for their siblings (inbound_id 0),
-- and for a day those of messages that are there, because a carrier that did not
-- hear our acknowledgement sends a part again.
CREATE TABLE inbound_parts (
    id          BIGINT PRIMARY KEY,
    carrier_id  BIGINT NOT NULL,
    phone       TEXT   NOT NULL,
    number      TEXT   NOT NULL,
    reference   BIGINT NOT NULL,
    parts       BIGINT NOT NULL,
    part        BIGINT NOT NULL,
    carrier_key TEXT   NOT NULL DEFAULT '',
    body        TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    inbound_id  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX inbound_parts_by_message ON inbound_parts (phone, carrier_id, number, reference, parts);
CREATE INDEX inbound_parts_waiting ON inbound_parts (received_at) WHERE inbound_id = 0;

-- Who texted this handset? The messages of a campaign stand in the order of their
-- numbers, so that those need no index. A phone number never changes in its row,
-- and so an answer and a receipt still update it in place.
CREATE INDEX messages_by_phone ON messages (phone) WHERE campaign_id = 0;

-- version rises with every change of the configuration: a link that was opened
-- with an older one is opened anew. A carrier that was removed keeps its row for
-- the messages that went over it, without its configuration.
ALTER TABLE carriers ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE carriers ADD COLUMN removed_at BIGINT NOT NULL DEFAULT 0;

-- What a worker may give to a carrier now, in parts: at once, and a second.
-- throughput 0 is no limit; learned is the rate that the carrier holds us to by
-- throttling, 0 when it does not.
CREATE TABLE carrier_paces (
    carrier_id  BIGINT NOT NULL REFERENCES carriers (id),
    incarnation BIGINT NOT NULL,
    at_once     BIGINT NOT NULL,
    throughput  BIGINT NOT NULL,
    learned     BIGINT NOT NULL,
    PRIMARY KEY (carrier_id, incarnation)
);

-- Who runs the installation. An operator need not be a member of any account, so
-- a session may have none; those that are open end here.
ALTER TABLE users ADD COLUMN operator BOOLEAN NOT NULL DEFAULT FALSE;
DROP TABLE sessions;
CREATE TABLE sessions (
    token_hash TEXT   PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    account_id BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- +goose Down
DELETE FROM sessions WHERE account_id IS NULL;
ALTER TABLE users DROP COLUMN operator;
DROP TABLE carrier_paces;
ALTER TABLE carriers DROP COLUMN removed_at;
ALTER TABLE carriers DROP COLUMN version;
DROP INDEX messages_by_phone;
DROP TABLE inbound_parts;
DROP TABLE inbound;
DROP TABLE numbers;

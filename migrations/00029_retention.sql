-- +goose Up

-- How many days an account keeps a class of data; account_id 0 is what holds for
-- those that say nothing.
CREATE TABLE retention_settings (
    account_id BIGINT NOT NULL,
    class      TEXT   NOT NULL,
    days       BIGINT NOT NULL,
    PRIMARY KEY (account_id, class)
);

-- Nothing of an account, or of one class of its data, is removed while a hold
-- stands: lifted_at is 0. account_id 0 is all accounts, class '' all classes.
CREATE TABLE retention_holds (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    class      TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    lifted_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX retention_holds_standing ON retention_holds (account_id) WHERE lifted_at = 0;

-- What each run did. count is of rows that were emptied or removed, oldest_at the
-- age of the oldest that is left, 0 for none.
CREATE TABLE retention_runs (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    class      TEXT   NOT NULL,
    outcome    TEXT   NOT NULL CHECK (outcome IN ('done', 'held', 'failed')),
    count      BIGINT NOT NULL,
    oldest_at  BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    took_ms    BIGINT NOT NULL
);
CREATE INDEX retention_runs_by_account ON retention_runs (account_id, id);

-- The key with which an account's old numbers are replaced, sealed. Without it no
-- token leads back to a number.
CREATE TABLE number_keys (
    account_id BIGINT PRIMARY KEY,
    sealed     TEXT   NOT NULL
);

-- What a range of messages still has: their texts, their numbers, and what
-- carriers said of their parts.
ALTER TABLE ranges ADD COLUMN has_texts BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE ranges ADD COLUMN has_numbers BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE ranges ADD COLUMN has_parts BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX ranges_texts ON ranges (account_id, last_id) WHERE closed = TRUE AND has_texts = TRUE;
CREATE INDEX ranges_numbers ON ranges (account_id, last_id) WHERE closed = TRUE AND has_numbers = TRUE;
CREATE INDEX ranges_parts ON ranges (account_id, last_id) WHERE closed = TRUE AND has_parts = TRUE;

ALTER TABLE inbound ADD COLUMN has_number BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX inbound_numbers ON inbound (account_id, id) WHERE has_number = TRUE;
CREATE INDEX inbound_texts ON inbound (account_id, id) WHERE body <> '';

-- How a roll call ended whose answers were removed: of all (group_id 0) and of each
-- group, how many gave which answer.
CREATE TABLE roll_totals (
    campaign_id BIGINT  NOT NULL REFERENCES campaigns (id),
    group_id    BIGINT  NOT NULL,
    name        TEXT    NOT NULL,
    answered    BOOLEAN NOT NULL,
    choice      TEXT    NOT NULL,
    people      BIGINT  NOT NULL,
    PRIMARY KEY (campaign_id, group_id, answered, choice)
);

CREATE INDEX contacts_gone ON contacts (account_id, updated_at) WHERE state <> 'active' AND phone_reason <> 'gone';
CREATE INDEX audit_entries_detailed ON audit_entries (account_id, seq) WHERE detail <> '';

-- Everything of an account in one file, for its owner. file is its name in the
-- directory of exports; busy_until is up to when somebody writes it, and is put off
-- while they do.
CREATE TABLE account_exports (
    id          BIGINT PRIMARY KEY,
    account_id  BIGINT NOT NULL REFERENCES accounts (id),
    state       TEXT   NOT NULL CHECK (state IN ('asked', 'running', 'ready', 'failed', 'removed')),
    file        TEXT   NOT NULL DEFAULT '',
    bytes       BIGINT NOT NULL DEFAULT 0,
    row_count   BIGINT NOT NULL DEFAULT 0,
    sha256      TEXT   NOT NULL DEFAULT '',
    tries       BIGINT NOT NULL DEFAULT 0,
    busy_until  BIGINT NOT NULL DEFAULT 0,
    asked_at    BIGINT NOT NULL,
    ready_at    BIGINT NOT NULL DEFAULT 0,
    keep_until  BIGINT NOT NULL DEFAULT 0,
    fetched_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX account_exports_by_account ON account_exports (account_id, id);
CREATE INDEX account_exports_open ON account_exports (id) WHERE state IN ('asked', 'running');

-- The end of an account's data, once its deletion has begun: how many rows of which
-- kind are gone, and the certificate (a PDF) when all are.
CREATE TABLE account_deletions (
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    agreement_id BIGINT NOT NULL,
    began_at     BIGINT NOT NULL,
    counts       TEXT   NOT NULL DEFAULT '{}',
    done_at      BIGINT NOT NULL DEFAULT 0,
    sha256       TEXT   NOT NULL DEFAULT '',
    certificate  BYTEA,
    PRIMARY KEY (account_id, agreement_id)
);

-- +goose Down
DROP TABLE account_deletions;
DROP TABLE account_exports;
DROP INDEX audit_entries_detailed;
DROP INDEX contacts_gone;
DROP TABLE roll_totals;
DROP INDEX inbound_texts;
DROP INDEX inbound_numbers;
ALTER TABLE inbound DROP COLUMN has_number;
DROP INDEX ranges_parts;
DROP INDEX ranges_numbers;
DROP INDEX ranges_texts;
ALTER TABLE ranges DROP COLUMN has_parts;
ALTER TABLE ranges DROP COLUMN has_numbers;
ALTER TABLE ranges DROP COLUMN has_texts;
DROP TABLE number_keys;
DROP TABLE retention_runs;
DROP TABLE retention_holds;
DROP TABLE retention_settings;

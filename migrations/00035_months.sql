-- +goose Up

-- What the run of a month ('2026-10') came to for an account: invoiced; nothing to
-- invoice; or skipped, with a problem's code and sentence, to be tried again.
CREATE TABLE billing_runs (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    month      TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('invoiced', 'nothing', 'skipped')),
    reason     TEXT   NOT NULL DEFAULT '',
    detail     TEXT   NOT NULL DEFAULT '',
    invoice_id BIGINT NOT NULL DEFAULT 0,
    ran_at     BIGINT NOT NULL,
    PRIMARY KEY (account_id, month)
);
CREATE INDEX billing_runs_by_time ON billing_runs (month, account_id);

CREATE INDEX ledger_entries_by_time ON ledger_entries (account_id, at);

-- Whether the ledger has what the invoice bills or credits: not when its currency is
-- another than the account's, nor when it was final before there was a ledger of them.
ALTER TABLE invoices ADD COLUMN in_ledger BOOLEAN NOT NULL DEFAULT FALSE;

-- Sums of the entries that went from the ledger with their age, and of the messages
-- that went with their account: what is held against each other stays whole.
CREATE TABLE ledger_carried (
    account_id  BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    kind        TEXT   NOT NULL,
    country     TEXT   NOT NULL,
    unit_micro  BIGINT NOT NULL,
    lane        TEXT   NOT NULL,
    invoice_id  BIGINT NOT NULL,
    micro       BIGINT NOT NULL,
    messages    BIGINT NOT NULL,
    parts       BIGINT NOT NULL,
    PRIMARY KEY (account_id, campaign_id, kind, country, unit_micro, lane, invoice_id)
);
CREATE TABLE messages_carried (
    account_id  BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    money       TEXT   NOT NULL,
    micro       BIGINT NOT NULL,
    messages    BIGINT NOT NULL,
    parts       BIGINT NOT NULL,
    PRIMARY KEY (account_id, campaign_id, money)
);

-- One reconciliation, and what it found to differ. compared counts campaigns (the
-- single messages of an account are one) and invoices.
CREATE TABLE reconciliations (
    id          BIGINT PRIMARY KEY,
    started_at  BIGINT NOT NULL,
    took_ms     BIGINT NOT NULL DEFAULT 0,
    state       TEXT   NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    compared    BIGINT NOT NULL DEFAULT 0,
    messages    BIGINT NOT NULL DEFAULT 0,
    differences BIGINT NOT NULL DEFAULT 0
);
-- messages is a JSON array of ids. Amounts are micro-units.
CREATE TABLE reconciliation_differences (
    reconciliation_id BIGINT NOT NULL REFERENCES reconciliations (id),
    position          BIGINT NOT NULL,
    kind              TEXT   NOT NULL,
    account_id        BIGINT NOT NULL,
    campaign_id       BIGINT NOT NULL,
    messages          TEXT   NOT NULL,
    entry_id          BIGINT NOT NULL,
    invoice_id        BIGINT NOT NULL,
    carrier_id        BIGINT NOT NULL,
    detail            TEXT   NOT NULL,
    expected_micro    BIGINT NOT NULL,
    found_micro       BIGINT NOT NULL,
    PRIMARY KEY (reconciliation_id, position)
);

-- What one part costs us at a carrier from a time on. country '*' is what is not listed.
CREATE TABLE carrier_costs (
    id         BIGINT PRIMARY KEY,
    carrier_id BIGINT NOT NULL,
    country    TEXT   NOT NULL,
    currency   TEXT   NOT NULL,
    micro      BIGINT NOT NULL CHECK (micro >= 0),
    valid_from BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX carrier_costs_once ON carrier_costs (carrier_id, country, valid_from);

-- What was charged of the messages that were accepted on a day (UTC), by the carrier
-- that they went to and the country of the number.
CREATE TABLE route_days (
    day           TEXT   NOT NULL,
    carrier_id    BIGINT NOT NULL,
    country       TEXT   NOT NULL,
    currency      TEXT   NOT NULL,
    messages      BIGINT NOT NULL,
    parts         BIGINT NOT NULL,
    revenue_micro BIGINT NOT NULL,
    PRIMARY KEY (day, carrier_id, country, currency)
);

-- +goose Down
DROP TABLE route_days;
DROP TABLE carrier_costs;
DROP TABLE reconciliation_differences;
DROP TABLE reconciliations;
DROP TABLE messages_carried;
DROP TABLE ledger_carried;
ALTER TABLE invoices DROP COLUMN in_ledger;
DROP INDEX ledger_entries_by_time;
DROP TABLE billing_runs;

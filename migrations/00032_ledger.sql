-- +goose Up

-- The ledger of all that an account is charged, net of VAT. A row moves amount_micro
-- from one ledger account to another, so every row balances by itself:
--   receivable  what the customer owes        reserved  set aside for messages under way
--   unbilled    earned, on no invoice yet     billed    on an invoice
--   rounding    what lines gain by cents      paid      what the customer has paid
-- country, unit_micro (the price of one part) and lane are what invoice lines are made
-- of. reference is the business key of what may be posted once. Nothing is changed; the
-- triggers that see to it, and that keep ledger_balances, are in migrations/ledger.go.
CREATE TABLE ledger_entries_wide (
    id           BIGINT PRIMARY KEY,
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    campaign_id  BIGINT NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('reserve', 'release', 'charge', 'fee', 'bill', 'rounding_up', 'rounding_down',
                                                 'credit', 'payment', 'payment_returned')),
    debit        TEXT   NOT NULL,
    credit       TEXT   NOT NULL,
    amount_micro BIGINT NOT NULL CHECK (amount_micro >= 0),
    currency     TEXT   NOT NULL,
    messages     BIGINT NOT NULL,
    parts        BIGINT NOT NULL,
    country      TEXT   NOT NULL DEFAULT '',
    unit_micro   BIGINT NOT NULL DEFAULT 0,
    lane         TEXT   NOT NULL DEFAULT '',
    reference    TEXT   NOT NULL DEFAULT '',
    invoice_id   BIGINT NOT NULL DEFAULT 0,
    at           BIGINT NOT NULL,
    CHECK (debit <> credit)
);
INSERT INTO ledger_entries_wide (id, account_id, campaign_id, kind, debit, credit, amount_micro, currency, messages, parts, at)
SELECT id, account_id, campaign_id, kind,
       CASE debit WHEN 'revenue' THEN 'unbilled' ELSE debit END,
       CASE credit WHEN 'revenue' THEN 'unbilled' ELSE credit END,
       amount_micro, currency, messages, parts, at
FROM ledger_entries;
DROP TABLE ledger_entries;
ALTER TABLE ledger_entries_wide RENAME TO ledger_entries;
CREATE INDEX ledger_entries_by_campaign ON ledger_entries (account_id, campaign_id, id);
CREATE INDEX ledger_entries_by_account ON ledger_entries (account_id, id);
CREATE UNIQUE INDEX ledger_entries_once ON ledger_entries (account_id, kind, reference) WHERE reference <> '';

-- How an account pays. One without a row pays later, without a limit.
CREATE TABLE billing_terms (
    account_id  BIGINT  PRIMARY KEY REFERENCES accounts (id),
    prepaid     BOOLEAN NOT NULL,
    unlimited   BOOLEAN NOT NULL,
    limit_micro BIGINT  NOT NULL CHECK (limit_micro >= 0),
    updated_at  BIGINT  NOT NULL,
    CHECK (NOT (prepaid AND unlimited)),
    CHECK (limit_micro = 0 OR NOT (prepaid OR unlimited))
);
-- The sum of receivable of an account that has a limit: what a reservation locks.
CREATE TABLE ledger_balances (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
    receivable BIGINT NOT NULL
);
-- What entries that went with their age leave to the ledger accounts, debits less
-- credits. What is older than before_at may be deleted.
CREATE TABLE ledger_openings (
    account_id     BIGINT NOT NULL REFERENCES accounts (id),
    ledger_account TEXT   NOT NULL,
    micro          BIGINT NOT NULL,
    before_at      BIGINT NOT NULL,
    PRIMARY KEY (account_id, ledger_account)
);

-- +goose Down
DROP TABLE ledger_openings;
DROP TABLE ledger_balances;
DROP TABLE billing_terms;
CREATE TABLE ledger_entries_narrow (
    id           BIGINT PRIMARY KEY,
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    campaign_id  BIGINT NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('reserve', 'charge', 'release')),
    debit        TEXT   NOT NULL,
    credit       TEXT   NOT NULL,
    amount_micro BIGINT NOT NULL CHECK (amount_micro >= 0),
    currency     TEXT   NOT NULL,
    messages     BIGINT NOT NULL,
    parts        BIGINT NOT NULL,
    at           BIGINT NOT NULL
);
INSERT INTO ledger_entries_narrow (id, account_id, campaign_id, kind, debit, credit, amount_micro, currency, messages, parts, at)
SELECT id, account_id, campaign_id, kind,
       CASE debit WHEN 'unbilled' THEN 'revenue' ELSE debit END,
       CASE credit WHEN 'unbilled' THEN 'revenue' ELSE credit END,
       amount_micro, currency, messages, parts, at
FROM ledger_entries WHERE kind IN ('reserve', 'charge', 'release');
DROP TABLE ledger_entries;
ALTER TABLE ledger_entries_narrow RENAME TO ledger_entries;
CREATE INDEX ledger_entries_by_campaign ON ledger_entries (account_id, campaign_id, id);

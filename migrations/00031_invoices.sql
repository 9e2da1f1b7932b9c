-- +goose Up

-- The seller is whoever runs the installation: one row. Profiles are JSON: an invoice
-- keeps a copy of both as they were.
CREATE TABLE seller_profile (
    one        BIGINT PRIMARY KEY CHECK (one = 1),
    profile    TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);
-- vat_check is what the register (VIES) answered about the customer's VAT number: JSON.
CREATE TABLE customer_profiles (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
    profile    TEXT   NOT NULL,
    vat_check  TEXT   NOT NULL DEFAULT '',
    updated_at BIGINT NOT NULL
);

-- kind is UNTDID 1001: 380 an invoice, 381 a credit note, which credits one. terms is
-- what was decided of a draft, document the whole as it was finalised: JSON. Amounts are
-- minor units. issued is a day: '2026-11-01'. What is not a draft never changes; the
-- triggers that see to it are in migrations/invoices.go.
CREATE TABLE invoices (
    id           BIGINT PRIMARY KEY,
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    kind         TEXT   NOT NULL CHECK (kind IN ('380', '381')),
    state        TEXT   NOT NULL CHECK (state IN ('draft', 'final', 'cancelled')),
    credits      BIGINT NOT NULL DEFAULT 0,
    number       TEXT   NOT NULL DEFAULT '',
    issued       TEXT   NOT NULL DEFAULT '',
    due          TEXT   NOT NULL DEFAULT '',
    currency     TEXT   NOT NULL DEFAULT '',
    net          BIGINT NOT NULL,
    vat          BIGINT NOT NULL DEFAULT 0,
    gross        BIGINT NOT NULL DEFAULT 0,
    terms        TEXT   NOT NULL,
    document     TEXT   NOT NULL DEFAULT '',
    created_at   BIGINT NOT NULL,
    finalised_at BIGINT NOT NULL DEFAULT 0,
    CHECK ((state = 'final') = (number <> '')),
    CHECK ((kind = '381') = (credits <> 0))
);
CREATE INDEX invoices_by_account ON invoices (account_id, id);
CREATE UNIQUE INDEX invoices_number ON invoices (number) WHERE number <> '';

-- quantity and price are decimals as text. once is what a line may be charged for a
-- single time: a subscription and its period. A line of a credit note says which line
-- of which invoice it credits, and a line is credited once.
CREATE TABLE invoice_lines (
    account_id       BIGINT NOT NULL,
    invoice_id       BIGINT NOT NULL REFERENCES invoices (id),
    position         BIGINT NOT NULL,
    name             TEXT   NOT NULL,
    quantity         TEXT   NOT NULL,
    unit             TEXT   NOT NULL,
    price            TEXT   NOT NULL,
    period_from      TEXT   NOT NULL,
    period_to        TEXT   NOT NULL,
    once             TEXT   NOT NULL DEFAULT '',
    credits_invoice  BIGINT NOT NULL DEFAULT 0,
    credits_position BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (invoice_id, position)
);
CREATE UNIQUE INDEX invoice_lines_once ON invoice_lines (account_id, once) WHERE once <> '';
CREATE UNIQUE INDEX invoice_lines_credited ON invoice_lines (credits_invoice, credits_position) WHERE credits_invoice <> 0;

CREATE TABLE invoice_files (
    account_id BIGINT NOT NULL,
    invoice_id BIGINT NOT NULL REFERENCES invoices (id),
    kind       TEXT   NOT NULL CHECK (kind IN ('xml', 'pdf')),
    content    BYTEA  NOT NULL,
    sha256     TEXT   NOT NULL,
    PRIMARY KEY (invoice_id, kind)
);

-- The last number that was given in each series. A row and no sequence: it goes back
-- with its transaction, so numbers have no gaps.
CREATE TABLE invoice_series (
    name TEXT   PRIMARY KEY,
    last BIGINT NOT NULL
);

-- +goose Down
DROP TABLE invoice_series;
DROP TABLE invoice_files;
DROP TABLE invoice_lines;
DROP TABLE invoices;
DROP TABLE customer_profiles;
DROP TABLE seller_profile;

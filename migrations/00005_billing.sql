-- +goose Up

-- Prices are per part, in micro-units of the book's currency; country '*' is
-- the price for a country that is not listed.
CREATE TABLE price_books (
    id         BIGINT PRIMARY KEY,
    currency   TEXT   NOT NULL,
    valid_from BIGINT NOT NULL
);
CREATE TABLE prices (
    book_id BIGINT NOT NULL REFERENCES price_books (id),
    country TEXT   NOT NULL,
    micro   BIGINT NOT NULL CHECK (micro >= 0),
    PRIMARY KEY (book_id, country)
);

-- Append-only. A row moves amount_micro from one ledger account to another, so
-- every row balances by itself. campaign_id is 0 for single messages.
CREATE TABLE ledger_entries (
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
CREATE INDEX ledger_entries_by_campaign ON ledger_entries (account_id, campaign_id, id);

INSERT INTO price_books (id, currency, valid_from) VALUES (1, 'EUR', 0);
INSERT INTO prices (book_id, country, micro) VALUES
    (1, '*', 90000), (1, 'NO', 45000), (1, 'SE', 42000), (1, 'DK', 38000), (1, 'FI', 55000),
    (1, 'PL', 28000), (1, 'DE', 75000), (1, 'GB', 40000);

-- +goose Down
DROP TABLE ledger_entries;
DROP TABLE prices;
DROP TABLE price_books;

-- +goose Up

-- A list of prices in one currency. Its versions are the price books.
CREATE TABLE price_lists (
    id         BIGINT PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    currency   TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
INSERT INTO price_lists (id, name, currency, created_at) VALUES (1, 'standard', 'EUR', 0);

-- A version is valid from a time until the next one is. One that never became valid
-- can be withdrawn; nothing else about it changes.
ALTER TABLE price_books ADD COLUMN list_id BIGINT REFERENCES price_lists (id);
ALTER TABLE price_books ADD COLUMN withdrawn_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE price_books ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
UPDATE price_books SET list_id = 1;
CREATE UNIQUE INDEX price_books_of_list ON price_books (list_id, valid_from) WHERE withdrawn_at = 0;

-- lane '*' is the price in a lane that is not listed.
CREATE TABLE part_prices (
    book_id BIGINT NOT NULL REFERENCES price_books (id),
    country TEXT   NOT NULL,
    lane    TEXT   NOT NULL,
    micro   BIGINT NOT NULL CHECK (micro >= 0),
    PRIMARY KEY (book_id, country, lane)
);
INSERT INTO part_prices (book_id, country, lane, micro) SELECT book_id, country, '*', micro FROM prices;
DROP TABLE prices;
ALTER TABLE part_prices RENAME TO prices;

-- capabilities is a space-separated list. directory_micro is what a connected
-- directory costs a month, in the list's currency; its periods begin on the anchor,
-- a day of the month.
CREATE TABLE plans (
    id              BIGINT PRIMARY KEY,
    name            TEXT   NOT NULL UNIQUE,
    capabilities    TEXT   NOT NULL,
    list_id         BIGINT NOT NULL REFERENCES price_lists (id),
    directory_micro BIGINT NOT NULL CHECK (directory_micro >= 0),
    anchor          BIGINT NOT NULL CHECK (anchor BETWEEN 1 AND 31),
    created_at      BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL
);
INSERT INTO plans (id, name, capabilities, list_id, directory_micro, anchor, created_at, changed_at)
VALUES (1, 'everything', 'cards directory', 1, 99000000, 1, 0, 0);

-- list_id is a price list of the account's own, 0 for its plan's. An account without
-- a row has the first plan. valid_until is 0 for what goes on.
CREATE TABLE account_plans (
    account_id  BIGINT NOT NULL REFERENCES accounts (id),
    plan_id     BIGINT NOT NULL REFERENCES plans (id),
    list_id     BIGINT NOT NULL DEFAULT 0,
    valid_from  BIGINT NOT NULL,
    valid_until BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, valid_from)
);
CREATE UNIQUE INDEX account_plans_open ON account_plans (account_id) WHERE valid_until = 0;

-- What an account pays for each month. name is that of the item, as bills refer to
-- it. micro is the price of the period under way, charged_to the first day that no
-- charge has been made for.
CREATE TABLE subscriptions (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    item_id    BIGINT NOT NULL UNIQUE,
    name       TEXT   NOT NULL UNIQUE,
    anchor     BIGINT NOT NULL,
    micro      BIGINT NOT NULL,
    charged_to BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX subscriptions_of_account ON subscriptions (account_id);

-- The days on which it was there, both included; last_day is -1 while it goes on.
CREATE TABLE subscription_spans (
    subscription_id BIGINT NOT NULL REFERENCES subscriptions (id),
    first_day       BIGINT NOT NULL,
    last_day        BIGINT NOT NULL DEFAULT -1,
    PRIMARY KEY (subscription_id, first_day)
);
CREATE UNIQUE INDEX subscription_spans_open ON subscription_spans (subscription_id) WHERE last_day = -1;

-- When an administrator disconnected it, 0 while it is connected.
ALTER TABLE connections ADD COLUMN disconnected_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE connections DROP COLUMN disconnected_at;
DROP TABLE subscription_spans;
DROP TABLE subscriptions;
DROP TABLE account_plans;
DROP TABLE plans;
CREATE TABLE country_prices (
    book_id BIGINT NOT NULL REFERENCES price_books (id),
    country TEXT   NOT NULL,
    micro   BIGINT NOT NULL CHECK (micro >= 0),
    PRIMARY KEY (book_id, country)
);
INSERT INTO country_prices (book_id, country, micro) SELECT book_id, country, micro FROM prices WHERE lane = '*';
DROP TABLE prices;
ALTER TABLE country_prices RENAME TO prices;
DROP INDEX price_books_of_list;
ALTER TABLE price_books DROP COLUMN created_at;
ALTER TABLE price_books DROP COLUMN withdrawn_at;
ALTER TABLE price_books DROP COLUMN list_id;
DROP TABLE price_lists;

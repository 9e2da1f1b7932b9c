-- +goose Up

-- A list of numbers that was sent in and looked at, kept for an hour so that exactly
-- what was looked at is suppressed. content is its text; report says afterwards what
-- became of every row, as JSON. It is busy until then while it is being imported.
CREATE TABLE suppression_lists (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    content    TEXT   NOT NULL,
    report     TEXT   NOT NULL DEFAULT '',
    busy_until BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

-- The account's number to which those text who are to stop what a name sends; empty
-- for none.
ALTER TABLE opt_out_settings ADD COLUMN number TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE opt_out_settings DROP COLUMN number;
DROP TABLE suppression_lists;

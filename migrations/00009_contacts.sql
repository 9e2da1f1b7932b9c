-- +goose Up

-- The conditions by which a group kept by hand finds its members, as a JSON
-- array; empty when somebody names them.
ALTER TABLE contact_groups ADD COLUMN rule TEXT NOT NULL DEFAULT '';

-- A list that was uploaded and looked at, kept for an hour so that exactly what
-- was looked at is imported. content is its text, empty once it was taken;
-- report says afterwards what became of every row, as JSON.
CREATE TABLE contact_uploads (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    sha256     TEXT   NOT NULL,
    content    TEXT   NOT NULL,
    report     TEXT   NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);

-- One import at a time in an account: it is busy until then, so that a process
-- that died does not keep the next one out for ever.
CREATE TABLE contact_imports (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
    busy_until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE contact_imports;
DROP TABLE contact_uploads;
ALTER TABLE contact_groups DROP COLUMN rule;

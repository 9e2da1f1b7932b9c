-- +goose Up

-- Append-only, one chain for each account; account_id 0 is the installation.
-- facts are in the chain as they are and hold no personal data. detail may: only
-- its commitment, SHA-256 over salt and detail, is in the chain, so erasing salt
-- and detail leaves a chain that verifies.
CREATE TABLE audit_entries (
    account_id BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    action     TEXT   NOT NULL,
    actor      TEXT   NOT NULL CHECK (actor IN ('user', 'key', 'command', 'system', 'person')),
    actor_id   BIGINT NOT NULL,
    subject    TEXT   NOT NULL,
    subject_id BIGINT NOT NULL,
    facts      TEXT   NOT NULL,
    detail     TEXT   NOT NULL,
    salt       TEXT   NOT NULL,
    commitment TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    PRIMARY KEY (account_id, seq)
);
CREATE INDEX audit_entries_by_subject ON audit_entries (account_id, subject, subject_id);

CREATE TABLE audit_heads (
    account_id BIGINT PRIMARY KEY,
    seq        BIGINT NOT NULL,
    hash       TEXT   NOT NULL
);

-- Keys of those who run the installation: they belong to no account.
CREATE TABLE operator_keys (
    id         BIGINT PRIMARY KEY,
    name       TEXT   NOT NULL,
    key_hash   TEXT   NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE operator_keys;
DROP TABLE audit_heads;
DROP TABLE audit_entries;

-- +goose Up

-- handle is the account's name in commands and URLs ('acme').
CREATE TABLE accounts (
    id         BIGINT PRIMARY KEY,
    handle     TEXT   NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    sender     TEXT   NOT NULL,
    currency   TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('active', 'closed')),
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id            BIGINT PRIMARY KEY,
    email         TEXT   NOT NULL UNIQUE,
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE memberships (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    user_id    BIGINT NOT NULL REFERENCES users (id),
    role       TEXT   NOT NULL CHECK (role IN ('owner', 'admin', 'sender', 'viewer')),
    PRIMARY KEY (account_id, user_id)
);

CREATE TABLE sessions (
    token_hash TEXT   PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- scopes is a space-separated list; '*' is all of them.
CREATE TABLE api_keys (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    key_hash   TEXT   NOT NULL UNIQUE,
    scopes     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE agreements (
    id            BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL REFERENCES accounts (id),
    version       TEXT   NOT NULL,
    language      TEXT   NOT NULL,
    text_sha256   TEXT   NOT NULL,
    state         TEXT   NOT NULL CHECK (state IN ('concluded', 'superseded', 'terminated')),
    signatory     TEXT   NOT NULL,
    title         TEXT   NOT NULL,
    email         TEXT   NOT NULL,
    concluded_at  BIGINT NOT NULL,
    terminated_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX agreements_current ON agreements (account_id) WHERE state = 'concluded';

-- What a POST with an Idempotency-Key answered: status and resource, never text.
CREATE TABLE idempotency_keys (
    account_id   BIGINT NOT NULL,
    key          TEXT   NOT NULL,
    request_hash TEXT   NOT NULL,
    resource     BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (account_id, key)
);

-- +goose Down
DROP TABLE idempotency_keys;
DROP TABLE agreements;
DROP TABLE api_keys;
DROP TABLE sessions;
DROP TABLE memberships;
DROP TABLE users;
DROP TABLE accounts;

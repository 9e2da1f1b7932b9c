-- +goose Up

-- hinted_at is when the directory first told of a change that no run has begun
-- to read since, 0 for not.
ALTER TABLE connections ADD COLUMN hinted_at BIGINT NOT NULL DEFAULT 0;

-- Where a directory notifies us of changes. address_hash is of the secret part of
-- the address that it posts to, which begins with base; state_hash is of the
-- secret that each notification has to repeat. remote_id is the directory's own,
-- '' while there is none, and due_at when to look after it again.
-- code and reason say why there is none. refused counts notifications without
-- the secret.
CREATE TABLE directory_subscriptions (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    resource      TEXT   NOT NULL CHECK (resource IN ('users', 'groups')),
    base          TEXT   NOT NULL,
    address_hash  TEXT   NOT NULL UNIQUE,
    state_hash    TEXT   NOT NULL,
    remote_id     TEXT   NOT NULL DEFAULT '',
    expires_at    BIGINT NOT NULL DEFAULT 0,
    due_at        BIGINT NOT NULL DEFAULT 0,
    code          TEXT   NOT NULL DEFAULT '',
    reason        TEXT   NOT NULL DEFAULT '',
    notified_at   BIGINT NOT NULL DEFAULT 0,
    refused       BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (connection_id, resource)
);

-- An administrator on the way to Microsoft and back: one row a way, gone when
-- they return. sealed is the nonce and the verifier of a sign-in; tenant_id is
-- the one that an administrator of it has signed in from.
CREATE TABLE directory_consents (
    state_hash TEXT   PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    user_id    BIGINT NOT NULL REFERENCES users (id),
    step       TEXT   NOT NULL CHECK (step IN ('sign_in', 'consent')),
    sealed     TEXT   NOT NULL,
    tenant_id  TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE directory_consents;
DROP TABLE directory_subscriptions;
ALTER TABLE connections DROP COLUMN hinted_at;

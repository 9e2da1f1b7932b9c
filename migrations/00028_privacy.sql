-- +goose Up

-- Whom an account erased: no name, no number. what is how much was found of them,
-- as JSON; settled_at when it was looked once more, 0 before.
CREATE TABLE erasures (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    reason     TEXT   NOT NULL,
    what       TEXT   NOT NULL,
    contacts   TEXT   NOT NULL,
    replayed   BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    settled_at BIGINT NOT NULL DEFAULT 0,
    lifted_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX erasures_by_account ON erasures (account_id, id);
CREATE INDEX erasures_unsettled ON erasures (id) WHERE settled_at = 0;

-- By what they are known again: a keyed hash of a directory's object id, or of a
-- number. A number that had opted out stays so when the erasure is lifted.
CREATE TABLE erasure_marks (
    account_id BIGINT NOT NULL,
    mark       TEXT   NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('object', 'number', 'stop')),
    erasure_id BIGINT NOT NULL,
    PRIMARY KEY (account_id, mark, kind, erasure_id)
);

-- Messages whose number was erased. Ranges are searched by the numbers at their
-- ends, of which some are gone.
CREATE INDEX messages_erased ON messages (account_id, campaign_id, id) WHERE substr(phone, 1, 1) = '!';

-- +goose Down
DROP INDEX messages_erased;
DROP TABLE erasure_marks;
DROP TABLE erasures;

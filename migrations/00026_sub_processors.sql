-- +goose Up

-- Who else processes the data, as it was told to the customers: each notice is a
-- version of the list, numbered from 1 without gaps, and none is ever changed. The
-- list at a time follows from the notices that are in effect by then.
-- withdraws is the version of the notice that one of kind 'withdraw' takes back
-- before its day.
CREATE TABLE sub_processor_notices (
    version       BIGINT PRIMARY KEY,
    id            BIGINT NOT NULL UNIQUE,
    kind          TEXT   NOT NULL CHECK (kind IN ('add', 'change', 'remove', 'withdraw')),
    sub_processor BIGINT NOT NULL,
    withdraws     BIGINT NOT NULL DEFAULT 0,
    name          TEXT   NOT NULL,
    address       TEXT   NOT NULL,
    contact       TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    data          TEXT   NOT NULL,
    country       TEXT   NOT NULL,
    transfer      TEXT   NOT NULL,
    parent        BIGINT NOT NULL,
    reason        TEXT   NOT NULL,
    announced_at  BIGINT NOT NULL,
    effective_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX sub_processor_notices_withdrawn ON sub_processor_notices (withdraws) WHERE withdraws <> 0;

-- Each account's proof of notice. who is the user that viewed or the key that read,
-- 0 where nobody is known.
CREATE TABLE sub_processor_evidence (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    notice     BIGINT NOT NULL REFERENCES sub_processor_notices (id),
    kind       TEXT   NOT NULL CHECK (kind IN ('available', 'viewed', 'read', 'fetched')),
    who        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (account_id, notice, kind, who)
);

-- One mail to one owner about one notice. due_at is when it is tried next, and for
-- one that is being sent when its sender is given up for dead.
CREATE TABLE sub_processor_mails (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    notice     BIGINT NOT NULL REFERENCES sub_processor_notices (id),
    user_id    BIGINT NOT NULL REFERENCES users (id),
    state      TEXT   NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'unconfirmed', 'failed')),
    tries      BIGINT NOT NULL DEFAULT 0,
    due_at     BIGINT NOT NULL,
    at         BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, notice, user_id)
);
CREATE INDEX sub_processor_mails_due ON sub_processor_mails (due_at) WHERE state IN ('waiting', 'sending');

CREATE TABLE sub_processor_objections (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    notice     BIGINT NOT NULL REFERENCES sub_processor_notices (id),
    reason     TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('open', 'retracted', 'not_engaged', 'terminated', 'withdrawn')),
    answer     TEXT   NOT NULL DEFAULT '',
    made_at    BIGINT NOT NULL,
    made_by    BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX sub_processor_objections_standing ON sub_processor_objections (account_id, notice) WHERE state <> 'retracted';

-- Which sub-processor runs a carrier.
CREATE TABLE sub_processor_carriers (
    carrier_id    BIGINT PRIMARY KEY REFERENCES carriers (id),
    sub_processor BIGINT NOT NULL
);

-- +goose Down
DROP TABLE sub_processor_carriers;
DROP TABLE sub_processor_objections;
DROP TABLE sub_processor_mails;
DROP TABLE sub_processor_evidence;
DROP TABLE sub_processor_notices;

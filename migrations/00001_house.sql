-- +goose Up

-- What belongs to the installation as a whole: sealed keys and the like.
CREATE TABLE installation (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- The one row that ids are taken from; see internal/db/ids.go.
CREATE TABLE id_block (
    one  BIGINT PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO id_block (one, next) VALUES (1, 1);

-- One row per process that works: it raises counter every 2 s while it lives.
CREATE TABLE incarnations (
    id         BIGINT PRIMARY KEY,
    host       TEXT   NOT NULL,
    pid        BIGINT NOT NULL,
    role       TEXT   NOT NULL CHECK (role IN ('all', 'api', 'worker')),
    counter    BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL DEFAULT 0
);

-- Periodic work: whoever moves due_at forward runs it.
CREATE TABLE jobs (
    name   TEXT   PRIMARY KEY,
    due_at BIGINT NOT NULL
);

-- The outbox. A row is written only when a subscription wants its type, in the
-- transaction that made it true.
CREATE TABLE event_subscriptions (
    account_id BIGINT NOT NULL,
    type       TEXT   NOT NULL,
    consumer   TEXT   NOT NULL,
    PRIMARY KEY (account_id, type, consumer)
);
CREATE TABLE events (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    type       TEXT   NOT NULL,
    data       TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    done_at    BIGINT NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE events;
DROP TABLE event_subscriptions;
DROP TABLE jobs;
DROP TABLE incarnations;
DROP TABLE id_block;
DROP TABLE installation;

-- +goose Up

-- One connection per tenant and account. secret_sealed is write-only.
-- requested_at rises with every request for a sync, so that it orders them.
CREATE TABLE connections (
    id            BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL REFERENCES accounts (id),
    tenant_id     TEXT   NOT NULL,
    client_id     TEXT   NOT NULL,
    secret_sealed TEXT   NOT NULL,
    secret_last4  TEXT   NOT NULL,
    secret_at     BIGINT NOT NULL,
    state         TEXT   NOT NULL CHECK (state IN ('connected', 'failing', 'disconnected')),
    reason        TEXT   NOT NULL DEFAULT '',
    requested_at  BIGINT NOT NULL DEFAULT 0,
    due_at        BIGINT NOT NULL DEFAULT 0,
    every_ms      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    UNIQUE (account_id, tenant_id)
);

-- Where each of the two rounds goes on: a next link or a delta link. It is valid
-- only for what hash was made of: cloud, tenant, client and selected fields.
-- full_round is the mark of the full round that a next link is in the middle of,
-- 0 in a round of changes.
CREATE TABLE delta_links (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    round         TEXT   NOT NULL CHECK (round IN ('people', 'groups')),
    hash          TEXT   NOT NULL,
    link          TEXT   NOT NULL,
    full_round    BIGINT NOT NULL,
    PRIMARY KEY (connection_id, round)
);

-- answers is the connection's requested_at when the run started: the run answers
-- the requests up to that one.
CREATE TABLE sync_runs (
    id             BIGINT PRIMARY KEY,
    account_id     BIGINT NOT NULL,
    connection_id  BIGINT NOT NULL REFERENCES connections (id),
    incarnation    BIGINT NOT NULL,
    answers        BIGINT NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    reason         TEXT   NOT NULL DEFAULT '',
    records        BIGINT NOT NULL DEFAULT 0,
    people         BIGINT NOT NULL DEFAULT 0,
    contact_count  BIGINT NOT NULL DEFAULT 0,
    without_number BIGINT NOT NULL DEFAULT 0,
    invalid        BIGINT NOT NULL DEFAULT 0,
    added          BIGINT NOT NULL DEFAULT 0,
    changed        BIGINT NOT NULL DEFAULT 0,
    removed        BIGINT NOT NULL DEFAULT 0,
    started_at     BIGINT NOT NULL,
    ended_at       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sync_runs_by_connection ON sync_runs (connection_id, id);
CREATE UNIQUE INDEX sync_runs_running ON sync_runs (connection_id) WHERE state = 'running';

-- The mirror: what the directory last said, page by page. seen is the mark of
-- the full round that met the row, so that its end can sweep what it did not
-- meet; 0 when a round of changes wrote it.
-- fields is a JSON object of the selected properties. Of people out of scope it
-- has only those that say so, of removed people none.
CREATE TABLE mirror_people (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    object_id     TEXT   NOT NULL,
    fields        TEXT   NOT NULL,
    removed_at    BIGINT NOT NULL DEFAULT 0,
    seen          BIGINT NOT NULL,
    PRIMARY KEY (connection_id, object_id)
);
CREATE TABLE mirror_groups (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    object_id     TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    removed_at    BIGINT NOT NULL DEFAULT 0,
    seen          BIGINT NOT NULL,
    PRIMARY KEY (connection_id, object_id)
);
-- Direct edges only; a member is a person or a group.
CREATE TABLE mirror_edges (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    group_id      TEXT   NOT NULL,
    member_id     TEXT   NOT NULL,
    seen          BIGINT NOT NULL,
    PRIMARY KEY (connection_id, group_id, member_id)
);

-- +goose Down
DROP TABLE mirror_edges;
DROP TABLE mirror_groups;
DROP TABLE mirror_people;
DROP TABLE sync_runs;
DROP TABLE delta_links;
DROP TABLE connections;

-- +goose Up

-- kind: graph = read by us from Microsoft Graph, scim = told to us by the directory.
-- credential says what secret_sealed holds; secret_expires_at is what the
-- administrator says, 0 for not known, and warned_days the last warning of it.
-- settings is a JSON object: scope and phone rule. A connection in preview is
-- read into the mirror, but the address book does not follow.
-- requested is what requested_at asks for: 'sync', 'preview', or 'group' with
-- its object id in requested_group.
-- succeeded_at is as of when the address book tells what the directory tells;
-- stalled_at is since when that is too long ago, 0 for not. derived says
-- that the address book was derived to its end, and that no group changed since.
ALTER TABLE connections ADD COLUMN kind TEXT NOT NULL DEFAULT 'graph';
ALTER TABLE connections ADD COLUMN cloud TEXT NOT NULL DEFAULT 'global';
ALTER TABLE connections ADD COLUMN credential TEXT NOT NULL DEFAULT 'secret';
ALTER TABLE connections ADD COLUMN secret_expires_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN warned_days BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE connections ADD COLUMN preview BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN requested TEXT NOT NULL DEFAULT 'sync';
ALTER TABLE connections ADD COLUMN requested_group TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN activated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN succeeded_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN stalled_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN derived BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN findings TEXT NOT NULL DEFAULT '[]';

-- The mirror and its links are read again in full: they lack what is new here.
DROP TABLE mirror_edges;
DROP TABLE mirror_groups;
DROP TABLE mirror_people;
DROP TABLE sync_runs;
DROP TABLE delta_links;

-- Where each of the two rounds goes on: a next link or a delta link. It is valid
-- only for what hash was made of: cloud, tenant, client, selected fields, scope.
-- mark is of the round that a next link is in the middle of, whole says that it
-- is a full one; met counts the objects it has met.
CREATE TABLE delta_links (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    round         TEXT   NOT NULL CHECK (round IN ('people', 'groups')),
    hash          TEXT   NOT NULL,
    link          TEXT   NOT NULL,
    mark          BIGINT NOT NULL,
    whole         BIGINT NOT NULL,
    met           BIGINT NOT NULL,
    PRIMARY KEY (connection_id, round)
);

-- answers is the connection's requested_at when the run started: the run answers
-- the requests up to that one. A run that waits goes on at resume_at, by whoever
-- takes it; tries counts the waits since it last got ahead.
-- counts is a JSON object of figures, requests one of what was asked of the
-- directory, by method and resource.
CREATE TABLE sync_runs (
    id            BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL,
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    incarnation   BIGINT NOT NULL,
    kind          TEXT   NOT NULL CHECK (kind IN ('sync', 'preview', 'group')),
    group_id      TEXT   NOT NULL DEFAULT '',
    answers       BIGINT NOT NULL,
    state         TEXT   NOT NULL CHECK (state IN ('running', 'waiting', 'done', 'failed')),
    phase         TEXT   NOT NULL DEFAULT 'groups' CHECK (phase IN ('groups', 'people', 'applying')),
    code          TEXT   NOT NULL DEFAULT '',
    reason        TEXT   NOT NULL DEFAULT '',
    resume_at     BIGINT NOT NULL DEFAULT 0,
    tries         BIGINT NOT NULL DEFAULT 0,
    records       BIGINT NOT NULL DEFAULT 0,
    losses        BIGINT NOT NULL DEFAULT 0,
    counts        TEXT   NOT NULL DEFAULT '{}',
    requests      TEXT   NOT NULL DEFAULT '{}',
    as_of         BIGINT NOT NULL DEFAULT 0,
    started_at    BIGINT NOT NULL,
    ended_at      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sync_runs_by_connection ON sync_runs (connection_id, id);
CREATE UNIQUE INDEX sync_runs_open ON sync_runs (connection_id) WHERE state IN ('running', 'waiting');

-- The mirror: what the directory last said, page by page. seen is the mark of
-- the round that last met the row, so that the end of a full one can sweep what
-- it did not meet.
-- fields is a JSON object of the selected properties. Of people out of scope it
-- has only what the scope reads, and skipped says why; of removed ones, nothing.
-- says is what contacts.Person.Says of the contact that they make.
-- No row here refers to its connection by a foreign key: a check per row is a
-- third of the time of a first sync on PostgreSQL, and connections are never deleted.
CREATE TABLE mirror_people (
    connection_id BIGINT NOT NULL,
    object_id     TEXT   NOT NULL,
    fields        TEXT   NOT NULL,
    skipped       TEXT   NOT NULL DEFAULT '',
    says          BIGINT NOT NULL DEFAULT 0,
    removed_at    BIGINT NOT NULL DEFAULT 0,
    seen          BIGINT NOT NULL,
    PRIMARY KEY (connection_id, object_id)
);
CREATE TABLE mirror_groups (
    connection_id BIGINT NOT NULL,
    object_id     TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    removed_at    BIGINT NOT NULL DEFAULT 0,
    seen          BIGINT NOT NULL,
    PRIMARY KEY (connection_id, object_id)
);
-- Direct edges only; a member is a person or a group.
CREATE TABLE mirror_edges (
    connection_id BIGINT NOT NULL,
    group_id      TEXT   NOT NULL,
    member_id     TEXT   NOT NULL,
    seen          BIGINT NOT NULL,
    PRIMARY KEY (connection_id, group_id, member_id)
);

-- People whom the brake keeps in the address book: loss says what following the
-- directory would cost them. approved_at lets them go with the next run.
CREATE TABLE held_people (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    object_id     TEXT   NOT NULL,
    loss          TEXT   NOT NULL CHECK (loss IN ('removed', 'number')),
    since         BIGINT NOT NULL,
    run_id        BIGINT NOT NULL,
    approved_at   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (connection_id, object_id)
);
CREATE TABLE brake_approvals (
    id            BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL REFERENCES accounts (id),
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    people        BIGINT NOT NULL,
    approved_by   TEXT   NOT NULL,
    at            BIGINT NOT NULL
);

-- What the latest preview of a connection found, a row per person to speak of.
CREATE TABLE preview_people (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    object_id     TEXT   NOT NULL,
    change        TEXT   NOT NULL CHECK (change IN ('', 'added', 'changed', 'removed', 'number')),
    reason        TEXT   NOT NULL,
    shared        BIGINT NOT NULL,
    PRIMARY KEY (connection_id, object_id)
);

-- What a check asked of a directory, beside what runs do. It may be of a tenant
-- that was not connected in the end.
CREATE TABLE access_checks (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    tenant_id  TEXT   NOT NULL,
    requests   TEXT   NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX access_checks_by_tenant ON access_checks (account_id, tenant_id, at);

-- +goose Down
DROP TABLE access_checks;
DROP TABLE preview_people;
DROP TABLE brake_approvals;
DROP TABLE held_people;
ALTER TABLE connections DROP COLUMN findings;
ALTER TABLE connections DROP COLUMN checked_at;
ALTER TABLE connections DROP COLUMN derived;
ALTER TABLE connections DROP COLUMN stalled_at;
ALTER TABLE connections DROP COLUMN succeeded_at;
ALTER TABLE connections DROP COLUMN activated_at;
ALTER TABLE connections DROP COLUMN requested_group;
ALTER TABLE connections DROP COLUMN requested;
ALTER TABLE connections DROP COLUMN preview;
ALTER TABLE connections DROP COLUMN settings;
ALTER TABLE connections DROP COLUMN warned_days;
ALTER TABLE connections DROP COLUMN secret_expires_at;
ALTER TABLE connections DROP COLUMN credential;
ALTER TABLE connections DROP COLUMN cloud;
ALTER TABLE connections DROP COLUMN kind;

-- +goose Up

-- What a connection of kind 'scim' is told. changed is its last change number:
-- every write takes the next one, and holds the row until it is committed, so
-- that numbers become visible in their order. forgotten is the highest number of
-- a removal that is not kept any more.
CREATE TABLE scim_connections (
    connection_id BIGINT PRIMARY KEY REFERENCES connections (id),
    account_id    BIGINT NOT NULL REFERENCES accounts (id),
    changed       BIGINT NOT NULL DEFAULT 0,
    forgotten     BIGINT NOT NULL DEFAULT 0
);

-- Several tokens may be valid at once, so that they can be changed without a
-- pause. token_hash is the SHA-256 of the token.
CREATE TABLE scim_tokens (
    id            BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL REFERENCES accounts (id),
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    name          TEXT   NOT NULL,
    token_hash    TEXT   NOT NULL UNIQUE,
    created_at    BIGINT NOT NULL,
    used_at       BIGINT NOT NULL DEFAULT 0,
    revoked_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX scim_tokens_by_connection ON scim_tokens (connection_id, id);

-- Users and groups. name_key is the userName, or a group's displayName, folded.
-- document is JSON under the schema's names, without a group's members. Of what
-- was deleted the id and the change number stay for a while, and nothing else.
CREATE TABLE scim_resources (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    id            TEXT   NOT NULL,
    account_id    BIGINT NOT NULL,
    kind          TEXT   NOT NULL CHECK (kind IN ('User', 'Group')),
    name_key      TEXT   NOT NULL,
    document      TEXT   NOT NULL,
    changed       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL,
    removed_at    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (connection_id, id)
);
CREATE UNIQUE INDEX scim_resources_name ON scim_resources (connection_id, kind, name_key) WHERE removed_at = 0;
CREATE INDEX scim_resources_listed ON scim_resources (connection_id, kind, id) WHERE removed_at = 0;
CREATE INDEX scim_resources_changed ON scim_resources (connection_id, kind, changed, id);
CREATE INDEX scim_resources_removed ON scim_resources (removed_at) WHERE removed_at <> 0;

-- What resources are looked up by besides id and name: attribute and folded value.
CREATE TABLE scim_keys (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    attribute     TEXT   NOT NULL,
    value_key     TEXT   NOT NULL,
    resource_id   TEXT   NOT NULL,
    PRIMARY KEY (connection_id, attribute, value_key, resource_id)
);
CREATE INDEX scim_keys_by_resource ON scim_keys (connection_id, resource_id);

-- Direct memberships; a member need not be known. Of one that ended the row stays
-- for a while, to tell of it.
CREATE TABLE scim_members (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    group_id      TEXT   NOT NULL,
    member_id     TEXT   NOT NULL,
    changed       BIGINT NOT NULL,
    removed_at    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (connection_id, group_id, member_id)
);
CREATE INDEX scim_members_by_member ON scim_members (connection_id, member_id);
CREATE INDEX scim_members_changed ON scim_members (connection_id, changed, group_id, member_id);
CREATE INDEX scim_members_removed ON scim_members (removed_at) WHERE removed_at <> 0;

-- +goose Down
DROP TABLE scim_members;
DROP TABLE scim_keys;
DROP TABLE scim_resources;
DROP TABLE scim_tokens;
DROP TABLE scim_connections;

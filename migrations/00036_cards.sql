-- +goose Up

-- A design of cards. version is its last one; what a group of cards shows is the version
-- that was applied to it.
CREATE TABLE card_templates (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    name       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    removed_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX card_templates_by_account ON card_templates (account_id, id);
-- body is JSON: sections and fields, looks, code, settings. A version never changes.
CREATE TABLE card_template_versions (
    account_id  BIGINT NOT NULL,
    template_id BIGINT NOT NULL REFERENCES card_templates (id),
    version     BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (template_id, version)
);
-- Logos; a template names them by id.
CREATE TABLE card_images (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    media_type TEXT   NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg')),
    content    BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);

-- How the people of a directory are put into groups of cards. fields and filters are
-- JSON. template_id is the design of a group that comes into being.
CREATE TABLE card_groupings (
    account_id  BIGINT NOT NULL REFERENCES accounts (id),
    tenant_id   TEXT   NOT NULL,
    method      TEXT   NOT NULL CHECK (method IN ('all', 'fields', 'filters')),
    fields      TEXT   NOT NULL,
    filters     TEXT   NOT NULL,
    minors      BOOLEAN NOT NULL DEFAULT FALSE,
    template_id BIGINT NOT NULL DEFAULT 0,
    saved_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, tenant_id)
);
-- place is what makes a group this one: the values of the fields, or the filter. A group
-- without a template has no cards.
CREATE TABLE card_groups (
    id               BIGINT PRIMARY KEY,
    account_id       BIGINT NOT NULL REFERENCES accounts (id),
    tenant_id        TEXT   NOT NULL,
    place            TEXT   NOT NULL,
    name             TEXT   NOT NULL,
    template_id      BIGINT NOT NULL DEFAULT 0,
    template_version BIGINT NOT NULL DEFAULT 0,
    created_at       BIGINT NOT NULL,
    UNIQUE (account_id, tenant_id, place)
);

-- A card of somebody in a directory. contact_id is them in the address book. taken is
-- what the directory says now, by property; once what was taken a single time and edits
-- what the holder wrote, by field: JSON objects of strings. says tells whether something
-- changed. A card that was withdrawn has no values; it keeps its slug.
CREATE TABLE cards (
    id           BIGINT PRIMARY KEY,
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    tenant_id    TEXT   NOT NULL,
    directory_id TEXT   NOT NULL,
    contact_id   BIGINT NOT NULL,
    group_id     BIGINT NOT NULL,
    slug         TEXT   NOT NULL UNIQUE,
    state        TEXT   NOT NULL CHECK (state IN ('active', 'withdrawn')),
    taken        TEXT   NOT NULL DEFAULT '{}',
    once         TEXT   NOT NULL DEFAULT '{}',
    edits        TEXT   NOT NULL DEFAULT '{}',
    language     TEXT   NOT NULL DEFAULT '',
    says         BIGINT NOT NULL DEFAULT 0,
    revision     BIGINT NOT NULL DEFAULT 1,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    withdrawn_at BIGINT NOT NULL DEFAULT 0,
    UNIQUE (account_id, tenant_id, directory_id)
);
CREATE INDEX cards_by_contact ON cards (contact_id);
CREATE INDEX cards_by_group ON cards (group_id, id);
CREATE INDEX cards_withdrawn ON cards (withdrawn_at) WHERE withdrawn_at > 0;
-- Every slug that was ever given, so that none is given again and one whose card is gone
-- answers so.
CREATE TABLE card_slugs (
    slug       TEXT   PRIMARY KEY,
    created_at BIGINT NOT NULL
);
CREATE TABLE card_photos (
    card_id     BIGINT PRIMARY KEY REFERENCES cards (id),
    account_id  BIGINT NOT NULL,
    media_type  TEXT   NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg')),
    content     BYTEA  NOT NULL,
    uploaded_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE card_photos;
DROP TABLE card_slugs;
DROP TABLE cards;
DROP TABLE card_groups;
DROP TABLE card_groupings;
DROP TABLE card_images;
DROP TABLE card_template_versions;
DROP TABLE card_templates;

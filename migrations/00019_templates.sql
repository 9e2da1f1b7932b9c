-- +goose Up

-- What a contact is known by that no other column has, for personal texts.
CREATE TABLE contact_fields (
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    name       TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    PRIMARY KEY (contact_id, name)
);

-- A template is its latest version; archived_at is 0 while it can be used.
CREATE TABLE templates (
    id          BIGINT PRIMARY KEY,
    account_id  BIGINT NOT NULL REFERENCES accounts (id),
    name        TEXT   NOT NULL,
    version_id  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    archived_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX templates_by_name ON templates (account_id, name) WHERE archived_at = 0;
CREATE INDEX templates_by_account ON templates (account_id, id);

-- A version never changes. language is the one for those whose own it lacks.
CREATE TABLE template_versions (
    id          BIGINT PRIMARY KEY,
    template_id BIGINT NOT NULL REFERENCES templates (id),
    number      BIGINT NOT NULL,
    language    TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX template_versions_by_number ON template_versions (template_id, number);

CREATE TABLE template_texts (
    version_id BIGINT NOT NULL REFERENCES template_versions (id),
    language   TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (version_id, language)
);

-- A merged campaign's texts are put into plain characters after merging. all_parts
-- counts those of all its messages; parts is what the longest of them has.
-- unresolved and too_long count members who get no message for what it would say.
ALTER TABLE campaigns ADD COLUMN transliterate BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE campaigns ADD COLUMN all_parts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN unresolved BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN too_long BIGINT NOT NULL DEFAULT 0;
UPDATE campaigns SET all_parts = parts * (queued + sending + sent + unconfirmed + delivered + undelivered + expired + rejected + failed + cancelled + skipped
    + COALESCE((SELECT SUM(d.queued + d.sending + d.sent + d.unconfirmed + d.delivered + d.undelivered + d.expired + d.rejected + d.failed + d.cancelled + d.skipped)
                FROM campaign_deltas d WHERE d.campaign_id = campaigns.id), 0));

-- +goose Down
ALTER TABLE campaigns DROP COLUMN too_long;
ALTER TABLE campaigns DROP COLUMN unresolved;
ALTER TABLE campaigns DROP COLUMN all_parts;
ALTER TABLE campaigns DROP COLUMN transliterate;
DROP TABLE template_texts;
DROP TABLE template_versions;
DROP TABLE templates;
DROP TABLE contact_fields;

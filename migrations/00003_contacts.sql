-- +goose Up

-- A contact is (account, tenant, object id) and keeps its id through hiding,
-- return and restore; one kept by hand has no tenant and no object id.
-- phone is E.164 or empty, and then phone_reason says why.
-- state: active; hidden = deleted here while still in the directory, until the
-- next sync; removed = gone from the directory or out of scope.
CREATE TABLE contacts (
    id            BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL REFERENCES accounts (id),
    source        TEXT   NOT NULL CHECK (source IN ('directory', 'manual')),
    tenant_id     TEXT   NOT NULL DEFAULT '',
    directory_id  TEXT   NOT NULL DEFAULT '',
    name          TEXT   NOT NULL,
    department    TEXT   NOT NULL DEFAULT '',
    job_title     TEXT   NOT NULL DEFAULT '',
    office        TEXT   NOT NULL DEFAULT '',
    email         TEXT   NOT NULL DEFAULT '',
    language      TEXT   NOT NULL DEFAULT '',
    phone_raw     TEXT   NOT NULL DEFAULT '',
    phone_rule    TEXT   NOT NULL CHECK (phone_rule IN ('mobile', 'business', 'manual', 'none')),
    phone         TEXT   NOT NULL DEFAULT '',
    phone_country TEXT   NOT NULL DEFAULT '',
    phone_reason  TEXT   NOT NULL DEFAULT '',
    state         TEXT   NOT NULL CHECK (state IN ('active', 'hidden', 'removed')),
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX contacts_directory ON contacts (account_id, tenant_id, directory_id) WHERE directory_id <> '';
CREATE INDEX contacts_by_account ON contacts (account_id, id);
CREATE INDEX contacts_by_phone ON contacts (account_id, phone);

CREATE TABLE contact_groups (
    id           BIGINT PRIMARY KEY,
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    source       TEXT   NOT NULL CHECK (source IN ('directory', 'manual')),
    tenant_id    TEXT   NOT NULL DEFAULT '',
    directory_id TEXT   NOT NULL DEFAULT '',
    name         TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('active', 'removed')),
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX contact_groups_directory ON contact_groups (account_id, tenant_id, directory_id) WHERE directory_id <> '';
CREATE INDEX contact_groups_by_name ON contact_groups (account_id, name);

-- Who is in a group, nested groups resolved. Rows of hidden and removed contacts
-- may be here: whoever reads asks for contacts.state = 'active'.
CREATE TABLE group_members (
    group_id   BIGINT NOT NULL REFERENCES contact_groups (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    PRIMARY KEY (group_id, contact_id)
);
CREATE INDEX group_members_by_contact ON group_members (contact_id);

-- +goose Down
DROP TABLE group_members;
DROP TABLE contact_groups;
DROP TABLE contacts;

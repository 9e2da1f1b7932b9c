-- +goose Up

-- A short link of an account's to a page, of an event or a sign-up. The version of the
-- template is whose style its code has; 0 is a plain one. ends_at and ended_at are 0 for
-- never.
CREATE TABLE card_invites (
    id               BIGINT PRIMARY KEY,
    account_id       BIGINT NOT NULL REFERENCES accounts (id),
    name             TEXT   NOT NULL,
    slug             TEXT   NOT NULL UNIQUE,
    target           TEXT   NOT NULL,
    template_id      BIGINT NOT NULL DEFAULT 0,
    template_version BIGINT NOT NULL DEFAULT 0,
    ends_at          BIGINT NOT NULL DEFAULT 0,
    ended_at         BIGINT NOT NULL DEFAULT 0,
    created_at       BIGINT NOT NULL
);
CREATE INDEX card_invites_by_account ON card_invites (account_id, id);
-- Every slug of an invite that was ever given, as card_slugs has those of cards.
CREATE TABLE card_invite_slugs (
    slug       TEXT   PRIMARY KEY,
    created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE card_invite_slugs;
DROP TABLE card_invites;

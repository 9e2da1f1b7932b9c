-- +goose Up

-- left_at is when the user was found gone from the account's directory: they can
-- no longer sign in to this account. Granting them a role again lifts it.
ALTER TABLE memberships ADD COLUMN left_at BIGINT NOT NULL DEFAULT 0;

-- owner_email is who answers for the key; flagged_at is when they left, so that
-- somebody decides about it. A flagged key still works.
ALTER TABLE api_keys ADD COLUMN owner_email TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN flagged_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE api_keys DROP COLUMN flagged_at;
ALTER TABLE api_keys DROP COLUMN owner_email;
ALTER TABLE memberships DROP COLUMN left_at;

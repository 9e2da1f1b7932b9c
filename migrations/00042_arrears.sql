-- +goose Up

-- How many days after an invoice is due an account's directories are no longer
-- followed, 0 for never; and since when they are not, 0 while they are.
ALTER TABLE billing_terms ADD COLUMN suspend_days BIGINT NOT NULL DEFAULT 0 CHECK (suspend_days >= 0);
ALTER TABLE billing_terms ADD COLUMN suspended_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE billing_terms DROP COLUMN suspended_at;
ALTER TABLE billing_terms DROP COLUMN suspend_days;

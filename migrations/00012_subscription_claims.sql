-- +goose Up

-- Until when one process asks the directory about its subscriptions: jobs of two
-- processes may overlap, and two who subscribe at once leave one that nobody knows.
ALTER TABLE connections ADD COLUMN subscribing_until BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE connections DROP COLUMN subscribing_until;

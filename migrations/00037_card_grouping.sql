-- +goose Up

-- The version of the design that groups which come into being show: the one that was
-- applied to all, and not one that was saved since.
ALTER TABLE card_groupings ADD COLUMN template_version BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE card_groupings DROP COLUMN template_version;

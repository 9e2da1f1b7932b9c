-- +goose Up
ALTER TABLE connections ADD COLUMN kind TEXT NOT NULL DEFAULT 'graph';

-- +goose Down
ALTER TABLE connections DROP COLUMN kind;

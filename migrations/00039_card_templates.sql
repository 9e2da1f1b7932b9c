-- +goose Up

-- A template that is in use is known by its name.
CREATE UNIQUE INDEX card_templates_by_name ON card_templates (account_id, name) WHERE removed_at = 0;

-- +goose Down
DROP INDEX card_templates_by_name;

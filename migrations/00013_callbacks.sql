-- +goose Up

-- callback_token is the secret part of the address that a provider posts to, ''
-- for a carrier that was added before there was one. features is what the
-- configuration lets the carrier do, as a JSON object.
ALTER TABLE carriers ADD COLUMN callback_token TEXT NOT NULL DEFAULT '';
ALTER TABLE carriers ADD COLUMN features TEXT NOT NULL DEFAULT '{}';
CREATE UNIQUE INDEX carriers_by_callback ON carriers (callback_token) WHERE callback_token <> '';

-- +goose Down
DROP INDEX carriers_by_callback;
ALTER TABLE carriers DROP COLUMN features;
ALTER TABLE carriers DROP COLUMN callback_token;

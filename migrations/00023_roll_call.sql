-- +goose Up

-- A roll call takes answers for asks_ms from its start, or until somebody closes it.
ALTER TABLE campaigns ADD COLUMN asks_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN asks_closed_at BIGINT NOT NULL DEFAULT 0;

-- What does a text answer? One of the campaigns that the account has begun lately.
CREATE INDEX campaigns_by_start ON campaigns (account_id, started_at);

CREATE INDEX inbound_by_phone ON inbound (account_id, phone, id);
CREATE INDEX inbound_by_contact ON inbound (contact_id, id) WHERE contact_id <> 0;
CREATE INDEX inbound_open ON inbound (account_id, id) WHERE action = '' AND handled_at = 0;

-- +goose Down
DROP INDEX inbound_open;
DROP INDEX inbound_by_contact;
DROP INDEX inbound_by_phone;
DROP INDEX campaigns_by_start;
ALTER TABLE campaigns DROP COLUMN asks_closed_at;
ALTER TABLE campaigns DROP COLUMN asks_ms;

-- +goose Up

-- A campaign's text may differ from recipient to recipient: merged says so, and
-- then each message has its own. Its recipients are a group's members, or those of
-- an earlier campaign (source_id) that fit the filter, in JSON. zone is the IANA
-- zone in which its start was said. asks is the question of a roll call, in JSON.
ALTER TABLE campaigns ADD COLUMN template_version_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN merged BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE campaigns ADD COLUMN source_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN audience_filter TEXT NOT NULL DEFAULT '';
ALTER TABLE campaigns ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE campaigns ADD COLUMN asks TEXT NOT NULL DEFAULT '';
-- Members who get no message because they do not want any.
ALTER TABLE campaigns ADD COLUMN suppressed BIGINT NOT NULL DEFAULT 0;

-- Why a range waits, in a word; empty when it only waits its turn.
ALTER TABLE ranges ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- What an inbound message answers, 0 when that is not known; what was done because
-- of its words (stop, start, help); and when somebody dealt with it.
ALTER TABLE inbound ADD COLUMN campaign_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbound ADD COLUMN message_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbound ADD COLUMN action TEXT NOT NULL DEFAULT '';
ALTER TABLE inbound ADD COLUMN handled_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX inbound_by_campaign ON inbound (campaign_id, id) WHERE campaign_id <> 0;

-- The last answer of each recipient to a roll call: one of its choices, or '' for
-- words that are none of them.
CREATE TABLE roll_answers (
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    phone       TEXT   NOT NULL,
    contact_id  BIGINT NOT NULL DEFAULT 0,
    choice      TEXT   NOT NULL DEFAULT '',
    inbound_id  BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, phone)
);

-- +goose Down
DROP TABLE roll_answers;
DROP INDEX inbound_by_campaign;
ALTER TABLE inbound DROP COLUMN handled_at;
ALTER TABLE inbound DROP COLUMN action;
ALTER TABLE inbound DROP COLUMN message_id;
ALTER TABLE inbound DROP COLUMN campaign_id;
ALTER TABLE ranges DROP COLUMN reason;
ALTER TABLE campaigns DROP COLUMN suppressed;
ALTER TABLE campaigns DROP COLUMN asks;
ALTER TABLE campaigns DROP COLUMN zone;
ALTER TABLE campaigns DROP COLUMN audience_filter;
ALTER TABLE campaigns DROP COLUMN source_id;
ALTER TABLE campaigns DROP COLUMN merged;
ALTER TABLE campaigns DROP COLUMN template_version_id;

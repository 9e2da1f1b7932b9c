-- +goose Up

-- Which carriers take what: the operator's rules. account_id 0 and an empty text
-- are any. placed is how many messages of campaigns the rule has placed, from which
-- the next range knows its turn among the carriers' weights.
CREATE TABLE route_rules (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL DEFAULT 0,
    country    TEXT   NOT NULL DEFAULT '',
    prefix     TEXT   NOT NULL DEFAULT '',
    lane       TEXT   NOT NULL DEFAULT '' CHECK (lane IN ('', 'urgent', 'normal', 'bulk')),
    sender     TEXT   NOT NULL DEFAULT '',
    placed     BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX route_rules_by_match ON route_rules (account_id, country, prefix, lane, sender);

-- The carriers of a rule in their order. weight 0 is a fallback.
CREATE TABLE route_targets (
    rule_id    BIGINT NOT NULL REFERENCES route_rules (id),
    place      BIGINT NOT NULL,
    carrier_id BIGINT NOT NULL REFERENCES carriers (id),
    weight     BIGINT NOT NULL,
    PRIMARY KEY (rule_id, place)
);

-- What workers have found of the carriers that have once been ill. probe_at is when
-- it is tried again; failures counts the times since it was last well.
CREATE TABLE route_health (
    carrier_id BIGINT PRIMARY KEY REFERENCES carriers (id),
    state      TEXT   NOT NULL CHECK (state IN ('healthy', 'unhealthy', 'probing')),
    reason     TEXT   NOT NULL DEFAULT '',
    since      BIGINT NOT NULL,
    probe_at   BIGINT NOT NULL DEFAULT 0,
    failures   BIGINT NOT NULL DEFAULT 0
);

-- The rule that chose a range's carrier, 0 for none; and the carrier it was moved
-- away from and goes back to, 0 for none.
ALTER TABLE ranges ADD COLUMN rule_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ranges ADD COLUMN moved_from BIGINT NOT NULL DEFAULT 0;
CREATE INDEX ranges_moved ON ranges (moved_from) WHERE moved_from <> 0;

-- The senders that an account may use; none here is any valid one.
CREATE TABLE account_senders (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    sender     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, sender)
);

-- Members who get no message because their country does not take its sender.
ALTER TABLE campaigns ADD COLUMN sender_refused BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE campaigns DROP COLUMN sender_refused;
DROP TABLE account_senders;
DROP INDEX ranges_moved;
ALTER TABLE ranges DROP COLUMN moved_from;
ALTER TABLE ranges DROP COLUMN rule_id;
DROP TABLE route_health;
DROP TABLE route_targets;
DROP TABLE route_rules;

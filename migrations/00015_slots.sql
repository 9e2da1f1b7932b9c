-- +goose Up

-- A carrier's binds, window and throughput are divided into equal slots,
-- numbered from 0. holder is the incarnation that has the slot, 0 for none;
-- one that has ended has none. status and reason are those of its session.
CREATE TABLE carrier_slots (
    carrier_id BIGINT NOT NULL REFERENCES carriers (id),
    slot       BIGINT NOT NULL,
    holder     BIGINT NOT NULL DEFAULT 0,
    status     TEXT   NOT NULL DEFAULT 'idle' CHECK (status IN ('idle', 'connecting', 'bound', 'refused', 'down')),
    reason     TEXT   NOT NULL DEFAULT '',
    status_at  BIGINT NOT NULL,
    PRIMARY KEY (carrier_id, slot)
);
INSERT INTO carrier_slots (carrier_id, slot, holder, status, reason, status_at)
    SELECT id, 0, holder, status, reason, status_at FROM carriers;
ALTER TABLE carriers DROP COLUMN holder;
ALTER TABLE carriers DROP COLUMN status;
ALTER TABLE carriers DROP COLUMN reason;
ALTER TABLE carriers DROP COLUMN status_at;

-- A dispatched range now says to whom, as a running one does.
UPDATE ranges SET state = 'waiting', generation = generation + 1 WHERE state = 'dispatched';

-- +goose Down
ALTER TABLE carriers ADD COLUMN holder BIGINT NOT NULL DEFAULT 0;
ALTER TABLE carriers ADD COLUMN status TEXT NOT NULL DEFAULT 'idle' CHECK (status IN ('idle', 'connecting', 'bound', 'refused', 'down'));
ALTER TABLE carriers ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE carriers ADD COLUMN status_at BIGINT NOT NULL DEFAULT 0;
DROP TABLE carrier_slots;

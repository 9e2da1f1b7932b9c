-- +goose Up

-- claimed_id is how far the range's messages were given to a carrier for the
-- first time: of those up to it, one that is queued and has no due time is on its
-- way. So a claim writes one row and not one for each message. A message that
-- comes back has a due time and is claimed by its own status.
ALTER TABLE ranges ADD COLUMN claimed_id BIGINT NOT NULL DEFAULT 0;

-- What came back before this had no due time when it could go at once.
UPDATE messages SET due_at = 1 WHERE status = 'queued' AND due_at = 0 AND tries > 0;

-- +goose Down
UPDATE messages SET status = 'sending' WHERE status = 'queued' AND due_at = 0
    AND id <= (SELECT claimed_id FROM ranges WHERE ranges.id = messages.range_id);
ALTER TABLE ranges DROP COLUMN claimed_id;

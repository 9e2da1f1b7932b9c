-- +goose Up

-- due_at is when a process may take up a reconciliation that was asked for: a while later
-- again when that one died. 0 for one that whoever wrote it does at once. entries is a
-- JSON array of ids, of a sum that no message explains.
ALTER TABLE reconciliations ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX reconciliations_due ON reconciliations (due_at) WHERE state = 'running' AND due_at > 0;
ALTER TABLE reconciliation_differences ADD COLUMN entries TEXT NOT NULL DEFAULT '[]';

-- What was skipped is on the invoice of the next month that was not.
UPDATE billing_runs SET state = 'invoiced', reason = '', detail = '', invoice_id = (
    SELECT r.invoice_id FROM billing_runs r WHERE r.account_id = billing_runs.account_id AND r.month > billing_runs.month AND r.state = 'invoiced' ORDER BY r.month LIMIT 1)
WHERE state = 'skipped' AND EXISTS (
    SELECT 1 FROM billing_runs r WHERE r.account_id = billing_runs.account_id AND r.month > billing_runs.month AND r.state = 'invoiced');

-- Who left is in no team.
DELETE FROM team_members WHERE EXISTS (
    SELECT 1 FROM memberships m WHERE m.account_id = team_members.account_id AND m.user_id = team_members.user_id AND m.left_at > 0);

-- +goose Down
ALTER TABLE reconciliation_differences DROP COLUMN entries;
DROP INDEX reconciliations_due;
ALTER TABLE reconciliations DROP COLUMN due_at;

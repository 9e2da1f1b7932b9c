-- +goose Up

-- validity_ms is now 0 where nobody said how long the text is worth sending: its
-- messages then have the same time from when they may go. Until here nobody could.
UPDATE campaigns SET validity_ms = 0;

-- A cancelled campaign is being cleared while it has ranges that are not done:
-- what is queued in them is cancelled, and so is what comes back from a carrier.
ALTER TABLE campaigns ADD COLUMN clearing BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX campaigns_clearing ON campaigns (id) WHERE clearing = TRUE;

-- The recipients of a campaign that has begun are found while it is paused too.
DROP INDEX campaigns_open;
CREATE INDEX campaigns_open ON campaigns (state) WHERE state IN ('accepted', 'running', 'paused');

-- windows is when the campaign may send, as 'Mon-Fri 08:00-20:00, Sat 10:00-16:00',
-- within the account's windows; '' says nothing.
ALTER TABLE campaigns ADD COLUMN windows TEXT NOT NULL DEFAULT '';

-- How an account sends. windows is when, in the recipient's zone; the lane bulk
-- keeps to it, normal where window_normal says so. zone (IANA) is that of recipients
-- whose number tells none, and of the days and months of the caps, which count
-- parts; 0 is no cap.
CREATE TABLE account_sending (
    account_id    BIGINT PRIMARY KEY REFERENCES accounts (id),
    windows       TEXT   NOT NULL,
    window_normal BOOLEAN NOT NULL,
    zone          TEXT   NOT NULL,
    cap_hour      BIGINT NOT NULL,
    cap_day       BIGINT NOT NULL,
    cap_month     BIGINT NOT NULL
);

-- The parts that an account with caps has given to carriers in the current hour, day
-- and month; began names which that is, as '2027-03-28' does a day.
CREATE TABLE sent_parts (
    account_id BIGINT NOT NULL,
    period     TEXT   NOT NULL CHECK (period IN ('hour', 'day', 'month')),
    began      TEXT   NOT NULL,
    parts      BIGINT NOT NULL,
    PRIMARY KEY (account_id, period)
);

-- +goose Down
DROP TABLE sent_parts;
DROP TABLE account_sending;
ALTER TABLE campaigns DROP COLUMN windows;
DROP INDEX campaigns_open;
CREATE INDEX campaigns_open ON campaigns (state) WHERE state IN ('accepted', 'running');
DROP INDEX campaigns_clearing;
ALTER TABLE campaigns DROP COLUMN clearing;
UPDATE campaigns SET validity_ms = 172800000 WHERE validity_ms = 0;

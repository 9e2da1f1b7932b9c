-- +goose Up

-- config_sealed holds passwords. holder is the incarnation that has the
-- carrier's slot: only it talks to the carrier and takes its ranges.
CREATE TABLE carriers (
    id            BIGINT PRIMARY KEY,
    name          TEXT   NOT NULL UNIQUE,
    type          TEXT   NOT NULL,
    config_sealed TEXT   NOT NULL,
    enabled       BOOLEAN NOT NULL,
    holder        BIGINT NOT NULL DEFAULT 0,
    status        TEXT   NOT NULL CHECK (status IN ('idle', 'connecting', 'bound', 'refused', 'down')),
    reason        TEXT   NOT NULL DEFAULT '',
    status_at     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);

-- expand_after is the last phone number that expansion has passed.
-- The counters are the sums over the campaign's messages by status.
CREATE TABLE campaigns (
    id             BIGINT PRIMARY KEY,
    account_id     BIGINT NOT NULL REFERENCES accounts (id),
    name           TEXT   NOT NULL,
    lane           TEXT   NOT NULL CHECK (lane IN ('urgent', 'normal', 'bulk')),
    sender         TEXT   NOT NULL,
    body           TEXT   NOT NULL,
    encoding       TEXT   NOT NULL CHECK (encoding IN ('gsm7', 'ucs2')),
    parts          BIGINT NOT NULL,
    group_id       BIGINT NOT NULL REFERENCES contact_groups (id),
    carrier_id     BIGINT NOT NULL REFERENCES carriers (id),
    price_book_id  BIGINT NOT NULL REFERENCES price_books (id),
    currency       TEXT   NOT NULL,
    ceiling_micro  BIGINT NOT NULL DEFAULT 0,
    reserved_micro BIGINT NOT NULL DEFAULT 0,
    state          TEXT   NOT NULL CHECK (state IN ('accepted', 'running', 'held', 'paused', 'cancelled', 'sent', 'finished')),
    reason         TEXT   NOT NULL DEFAULT '',
    start_at       BIGINT NOT NULL,
    validity_ms    BIGINT NOT NULL,
    expand_after   TEXT   NOT NULL DEFAULT '',
    expanded       BOOLEAN NOT NULL DEFAULT FALSE,
    without_number BIGINT NOT NULL DEFAULT 0,
    invalid_number BIGINT NOT NULL DEFAULT 0,
    shared_number  BIGINT NOT NULL DEFAULT 0,
    queued         BIGINT NOT NULL DEFAULT 0,
    sending        BIGINT NOT NULL DEFAULT 0,
    sent           BIGINT NOT NULL DEFAULT 0,
    unconfirmed    BIGINT NOT NULL DEFAULT 0,
    delivered      BIGINT NOT NULL DEFAULT 0,
    undelivered    BIGINT NOT NULL DEFAULT 0,
    expired        BIGINT NOT NULL DEFAULT 0,
    rejected       BIGINT NOT NULL DEFAULT 0,
    failed         BIGINT NOT NULL DEFAULT 0,
    cancelled      BIGINT NOT NULL DEFAULT 0,
    skipped        BIGINT NOT NULL DEFAULT 0,
    created_at     BIGINT NOT NULL,
    started_at     BIGINT NOT NULL DEFAULT 0,
    finished_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX campaigns_by_account ON campaigns (account_id, id);
CREATE INDEX campaigns_open ON campaigns (state) WHERE state IN ('accepted', 'running');

-- Up to 500 messages with contiguous ids that go to one carrier in one lane.
-- generation rises at every dispatch and take-over: a task that carries an
-- older one does nothing.
CREATE TABLE ranges (
    id            BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL,
    campaign_id   BIGINT NOT NULL,
    carrier_id    BIGINT NOT NULL,
    lane          TEXT   NOT NULL,
    first_id      BIGINT NOT NULL,
    last_id       BIGINT NOT NULL,
    max_parts     BIGINT NOT NULL,
    generation    BIGINT NOT NULL DEFAULT 0,
    state         TEXT   NOT NULL CHECK (state IN ('waiting', 'dispatched', 'running', 'done')),
    due_at        BIGINT NOT NULL,
    incarnation   BIGINT NOT NULL DEFAULT 0,
    dispatched_at BIGINT NOT NULL DEFAULT 0,
    deadline      BIGINT NOT NULL,
    closed        BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX ranges_active ON ranges (carrier_id, state, lane) WHERE state <> 'done';
CREATE INDEX ranges_by_campaign ON ranges (campaign_id, first_id);
CREATE INDEX ranges_by_account ON ranges (account_id, first_id);
CREATE INDEX ranges_open ON ranges (deadline) WHERE closed = FALSE;

-- campaign_id and contact_id are 0 for none. body is empty for the campaign's.
-- money says what became of the reservation of price_micro.
-- The only index is the key, so that on PostgreSQL an answer and a receipt
-- update a row in place.
CREATE TABLE messages (
    id                 BIGINT PRIMARY KEY,
    account_id         BIGINT NOT NULL,
    campaign_id        BIGINT NOT NULL,
    range_id           BIGINT NOT NULL,
    contact_id         BIGINT NOT NULL,
    phone              TEXT   NOT NULL,
    sender             TEXT   NOT NULL DEFAULT '',
    body               TEXT   NOT NULL DEFAULT '',
    encoding           TEXT   NOT NULL,
    parts              BIGINT NOT NULL,
    price_micro        BIGINT NOT NULL,
    money              TEXT   NOT NULL DEFAULT 'reserved' CHECK (money IN ('reserved', 'charged', 'released')),
    status             TEXT   NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'unconfirmed', 'delivered',
                           'undelivered', 'expired', 'rejected', 'failed', 'cancelled', 'skipped')),
    reason             TEXT   NOT NULL DEFAULT '',
    code               TEXT   NOT NULL DEFAULT '',
    tries              BIGINT NOT NULL DEFAULT 0,
    possible_duplicate BOOLEAN NOT NULL DEFAULT FALSE,
    due_at             BIGINT NOT NULL DEFAULT 0,
    queued_at          BIGINT NOT NULL,
    sent_at            BIGINT NOT NULL DEFAULT 0,
    done_at            BIGINT NOT NULL DEFAULT 0
);

-- One row per part the carrier has accepted. carrier_key is the carrier's id in
-- the form that receipts are compared in; carrier_raw is it as it came.
CREATE TABLE message_parts (
    message_id  BIGINT NOT NULL,
    part        BIGINT NOT NULL,
    carrier_id  BIGINT NOT NULL,
    carrier_key TEXT   NOT NULL,
    carrier_raw TEXT   NOT NULL,
    state       TEXT   NOT NULL DEFAULT 'sent' CHECK (state IN ('sent', 'delivered', 'undelivered', 'expired', 'rejected')),
    PRIMARY KEY (message_id, part)
);
CREATE INDEX message_parts_by_key ON message_parts (carrier_key, carrier_id);

-- Receipts that came before the answer they belong to.
CREATE TABLE waiting_receipts (
    id          BIGINT PRIMARY KEY,
    carrier_id  BIGINT NOT NULL,
    carrier_key TEXT   NOT NULL,
    carrier_raw TEXT   NOT NULL,
    phone       TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    code        TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX waiting_receipts_by_key ON waiting_receipts (carrier_key, carrier_id);

-- The messages that are unconfirmed now, to be found by phone number when a
-- receipt comes whose id nobody knows.
CREATE TABLE unconfirmed (
    message_id BIGINT PRIMARY KEY,
    carrier_id BIGINT NOT NULL,
    phone      TEXT   NOT NULL
);
CREATE INDEX unconfirmed_by_phone ON unconfirmed (carrier_id, phone);

-- +goose Down
DROP TABLE unconfirmed;
DROP TABLE waiting_receipts;
DROP TABLE message_parts;
DROP TABLE messages;
DROP TABLE ranges;
DROP TABLE campaigns;
DROP TABLE carriers;

-- +goose Up

-- Numbers that an account sends nothing to, whoever has them: E.164. They belong
-- to no contact, so that no sync, deletion or import takes them along. One stands
-- while lifted_at is 0; what was lifted is kept. inbound_id is the text that asked
-- for it, user_id who wrote it down, 0 where there is none.
CREATE TABLE suppressions (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    phone      TEXT   NOT NULL,
    reason     TEXT   NOT NULL CHECK (reason IN ('stop', 'link', 'manual', 'import')),
    inbound_id BIGINT NOT NULL DEFAULT 0,
    user_id    BIGINT NOT NULL DEFAULT 0,
    note       TEXT   NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    lifted_at  BIGINT NOT NULL DEFAULT 0,
    lifted_by  TEXT   NOT NULL DEFAULT '' CHECK (lifted_by IN ('', 'start', 'link', 'manual'))
);
CREATE UNIQUE INDEX suppressions_standing ON suppressions (account_id, phone) WHERE lifted_at = 0;
CREATE INDEX suppressions_by_account ON suppressions (account_id, id);

-- What an account has decided; without a row it is what the columns say here.
-- urgent: its urgent messages go to suppressed numbers too.
CREATE TABLE opt_out_settings (
    account_id BIGINT  PRIMARY KEY REFERENCES accounts (id),
    replies    BOOLEAN NOT NULL DEFAULT TRUE,
    urgent     BOOLEAN NOT NULL DEFAULT FALSE
);

-- What answered a text of stop, start or help: the n-th of a day (UTC, days since
-- 1970) to a number. Such a message goes to a suppressed number too.
CREATE TABLE opt_out_replies (
    message_id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    phone      TEXT   NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('stop', 'start', 'help')),
    day        BIGINT NOT NULL,
    n          BIGINT NOT NULL
);
CREATE UNIQUE INDEX opt_out_replies_by_day ON opt_out_replies (account_id, phone, day, n);

-- +goose Down
DROP TABLE opt_out_replies;
DROP TABLE opt_out_settings;
DROP TABLE suppressions;

-- +goose Up

-- What is mailed to the holders of cards, each once in a notice. notice is the campaign
-- that says the same by SMS. state: waiting, sending, sent, unconfirmed (the relay may
-- have taken it) or failed.
CREATE TABLE card_mails (
    notice     BIGINT NOT NULL,
    card_id    BIGINT NOT NULL REFERENCES cards (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL,
    language   TEXT   NOT NULL,
    state      TEXT   NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'unconfirmed', 'failed')),
    tries      BIGINT NOT NULL DEFAULT 0,
    due_at     BIGINT NOT NULL,
    at         BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (notice, card_id)
);
CREATE INDEX card_mails_due ON card_mails (due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX card_mails_by_card ON card_mails (card_id);

-- +goose Down
DROP TABLE card_mails;

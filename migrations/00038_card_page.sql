-- +goose Up

-- The code that was texted to a card's holder, of which a card has one. hash is keyed. A
-- card that may get no more codes for a while keeps its row: sent counts them since
-- counted_at.
CREATE TABLE card_codes (
    card_id    BIGINT PRIMARY KEY REFERENCES cards (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL,
    hash       TEXT   NOT NULL,
    tries      BIGINT NOT NULL,
    sent       BIGINT NOT NULL,
    counted_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
-- A browser of whoever proved to be a card's holder. hash is SHA-256 of its token.
CREATE TABLE card_holders (
    hash       TEXT   PRIMARY KEY,
    card_id    BIGINT NOT NULL REFERENCES cards (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL,
    proof      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX card_holders_by_card ON card_holders (card_id);
-- A visitor who asked for a card by SMS and consented to it. number_mark is a keyed hash
-- of the number; the number is nowhere here.
CREATE TABLE card_consents (
    id          BIGINT PRIMARY KEY,
    account_id  BIGINT NOT NULL REFERENCES accounts (id),
    card_id     BIGINT NOT NULL,
    number_mark TEXT   NOT NULL,
    notice      TEXT   NOT NULL,
    language    TEXT   NOT NULL,
    at          BIGINT NOT NULL
);
CREATE INDEX card_consents_by_card ON card_consents (card_id, at);
CREATE INDEX card_consents_by_mark ON card_consents (account_id, number_mark, at);
CREATE INDEX card_consents_by_age ON card_consents (at);

-- +goose Down
DROP TABLE card_consents;
DROP TABLE card_holders;
DROP TABLE card_codes;

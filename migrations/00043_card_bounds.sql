-- +goose Up

-- Lists and exports go through an account's cards in the order of their ids.
CREATE INDEX cards_by_account ON cards (account_id, id);
CREATE INDEX card_photos_by_account ON card_photos (account_id);
CREATE INDEX card_consents_by_account ON card_consents (account_id, at);
-- SQLite uses a partial index only where the query repeats its condition word by word.
DROP INDEX card_mails_due;
CREATE INDEX card_mails_waiting ON card_mails (due_at, notice, card_id) WHERE state = 'waiting';
CREATE INDEX card_mails_sending ON card_mails (due_at) WHERE state = 'sending';
CREATE INDEX card_mails_settled ON card_mails (at) WHERE at > 0;

-- once_from is which property each field of once was taken from: a JSON object by field.
-- A field that is not in it was taken before this was kept.
ALTER TABLE cards ADD COLUMN once_from TEXT NOT NULL DEFAULT '{}';

-- sent_day counts the codes of a card since day_at.
ALTER TABLE card_codes ADD COLUMN sent_day BIGINT NOT NULL DEFAULT 0;
ALTER TABLE card_codes ADD COLUMN day_at   BIGINT NOT NULL DEFAULT 0;
CREATE INDEX card_codes_by_age ON card_codes (day_at);

-- hash is SHA-256 of content, empty for one that is older than this column. used_at is
-- when a version of a design that shows it was saved last, 0 for none; created_at, when it
-- was uploaded last.
ALTER TABLE card_images ADD COLUMN hash    TEXT   NOT NULL DEFAULT '';
ALTER TABLE card_images ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX card_images_by_hash ON card_images (account_id, hash);
UPDATE card_images SET used_at = created_at WHERE EXISTS (SELECT 1 FROM card_template_versions v
    WHERE v.account_id = card_images.account_id AND v.body LIKE '%"logo":' || CAST(card_images.id AS TEXT) || '%');

-- +goose Down
DROP INDEX card_images_by_hash;
ALTER TABLE card_images DROP COLUMN used_at;
ALTER TABLE card_images DROP COLUMN hash;
DROP INDEX card_codes_by_age;
ALTER TABLE card_codes DROP COLUMN day_at;
ALTER TABLE card_codes DROP COLUMN sent_day;
ALTER TABLE cards DROP COLUMN once_from;
DROP INDEX card_mails_settled;
DROP INDEX card_mails_sending;
DROP INDEX card_mails_waiting;
CREATE INDEX card_mails_due ON card_mails (due_at) WHERE state IN ('waiting', 'sending');
DROP INDEX card_consents_by_account;
DROP INDEX card_photos_by_account;
DROP INDEX cards_by_account;

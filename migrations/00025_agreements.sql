-- +goose Up

-- Who runs the installation: the processor of Article 28 GDPR. One row. Whoever is
-- named as signatory signs agreements on its side.
CREATE TABLE processor (
    id              BIGINT PRIMARY KEY CHECK (id = 1),
    legal_name      TEXT   NOT NULL,
    registration    TEXT   NOT NULL,
    address         TEXT   NOT NULL,
    contact         TEXT   NOT NULL,
    dpo             TEXT   NOT NULL,
    representative  TEXT   NOT NULL,
    signatory       TEXT   NOT NULL,
    signatory_title TEXT   NOT NULL,
    changed_at      BIGINT NOT NULL
);

-- Who an account is: the controller.
CREATE TABLE parties (
    account_id     BIGINT PRIMARY KEY REFERENCES accounts (id),
    legal_name     TEXT   NOT NULL,
    registration   TEXT   NOT NULL,
    address        TEXT   NOT NULL,
    contact        TEXT   NOT NULL,
    dpo            TEXT   NOT NULL,
    representative TEXT   NOT NULL,
    changed_at     BIGINT NOT NULL
);

-- A version is offered from a time on and supersedes those before it: agreements of
-- those open nothing any more from grace_until on. The terms are what its text says.
CREATE TABLE agreement_versions (
    version        TEXT   PRIMARY KEY,
    origin         TEXT   NOT NULL CHECK (origin IN ('program', 'operator')),
    offered_from   BIGINT NOT NULL,
    grace_until    BIGINT NOT NULL,
    objection_days BIGINT NOT NULL,
    breach_hours   BIGINT NOT NULL,
    end_days       BIGINT NOT NULL,
    published_at   BIGINT NOT NULL
);

CREATE TABLE agreement_texts (
    version  TEXT NOT NULL REFERENCES agreement_versions (version),
    language TEXT NOT NULL,
    body     TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    PRIMARY KEY (version, language)
);

-- document is all that was shown: the text, the parties and the annexes. What is not
-- known of how somebody had signed in stays empty. closes_at is when a newer version
-- makes this one open nothing any more; 0 while there is none. at_end is what the
-- controller chose for the end, end_deadline by when it is done.
CREATE TABLE agreements_kept (
    id                  BIGINT PRIMARY KEY,
    account_id          BIGINT NOT NULL REFERENCES accounts (id),
    version             TEXT   NOT NULL,
    language            TEXT   NOT NULL,
    text_sha256         TEXT   NOT NULL,
    state               TEXT   NOT NULL CHECK (state IN ('offered', 'concluded', 'superseded', 'terminated')),
    document            TEXT   NOT NULL DEFAULT '',
    document_sha256     TEXT   NOT NULL DEFAULT '',
    parties             TEXT   NOT NULL DEFAULT '',
    signatory           TEXT   NOT NULL DEFAULT '',
    title               TEXT   NOT NULL DEFAULT '',
    email               TEXT   NOT NULL DEFAULT '',
    authority           TEXT   NOT NULL DEFAULT '',
    method              TEXT   NOT NULL DEFAULT '' CHECK (method IN ('', 'session', 'key', 'command', 'upload')),
    actor               TEXT   NOT NULL DEFAULT '',
    actor_id            BIGINT NOT NULL DEFAULT 0,
    actor_email         TEXT   NOT NULL DEFAULT '',
    actor_role          TEXT   NOT NULL DEFAULT '',
    ip                  TEXT   NOT NULL DEFAULT '',
    user_agent          TEXT   NOT NULL DEFAULT '',
    mfa                 TEXT   NOT NULL DEFAULT '',
    sso_issuer          TEXT   NOT NULL DEFAULT '',
    sso_subject         TEXT   NOT NULL DEFAULT '',
    countersigner       TEXT   NOT NULL DEFAULT '',
    countersigner_title TEXT   NOT NULL DEFAULT '',
    pdf_sha256          TEXT   NOT NULL DEFAULT '',
    offered_at          BIGINT NOT NULL DEFAULT 0,
    viewed_at           BIGINT NOT NULL DEFAULT 0,
    signed_at           BIGINT NOT NULL DEFAULT 0,
    concluded_at        BIGINT NOT NULL DEFAULT 0,
    closes_at           BIGINT NOT NULL DEFAULT 0,
    superseded_at       BIGINT NOT NULL DEFAULT 0,
    terminated_at       BIGINT NOT NULL DEFAULT 0,
    at_end              TEXT   NOT NULL DEFAULT '' CHECK (at_end IN ('', 'return', 'delete')),
    end_deadline        BIGINT NOT NULL DEFAULT 0
);
INSERT INTO agreements_kept (id, account_id, version, language, text_sha256, state, signatory, title, email, method, concluded_at, terminated_at)
SELECT id, account_id, version, language, text_sha256, state, signatory, title, email, 'command', concluded_at, terminated_at FROM agreements;
DROP TABLE agreements;
ALTER TABLE agreements_kept RENAME TO agreements;
CREATE UNIQUE INDEX agreements_current ON agreements (account_id) WHERE state = 'concluded';
CREATE UNIQUE INDEX agreements_offered ON agreements (account_id, version, language) WHERE state = 'offered';
CREATE INDEX agreements_by_account ON agreements (account_id, id);

-- Who had which document before them in full, and when first.
CREATE TABLE agreement_views (
    agreement_id    BIGINT NOT NULL REFERENCES agreements (id),
    actor           TEXT   NOT NULL,
    actor_id        BIGINT NOT NULL,
    document_sha256 TEXT   NOT NULL,
    viewed_at       BIGINT NOT NULL,
    PRIMARY KEY (agreement_id, actor, actor_id, document_sha256)
);

CREATE TABLE agreement_files (
    agreement_id BIGINT PRIMARY KEY REFERENCES agreements (id),
    pdf          BYTEA  NOT NULL
);

-- +goose Down
DROP TABLE agreement_files;
DROP TABLE agreement_views;
CREATE TABLE agreements_before (
    id            BIGINT PRIMARY KEY,
    account_id    BIGINT NOT NULL REFERENCES accounts (id),
    version       TEXT   NOT NULL,
    language      TEXT   NOT NULL,
    text_sha256   TEXT   NOT NULL,
    state         TEXT   NOT NULL CHECK (state IN ('concluded', 'superseded', 'terminated')),
    signatory     TEXT   NOT NULL,
    title         TEXT   NOT NULL,
    email         TEXT   NOT NULL,
    concluded_at  BIGINT NOT NULL,
    terminated_at BIGINT NOT NULL DEFAULT 0
);
INSERT INTO agreements_before
SELECT id, account_id, version, language, text_sha256, state, signatory, title, email, concluded_at, terminated_at
FROM agreements WHERE concluded_at > 0;
DROP TABLE agreements;
ALTER TABLE agreements_before RENAME TO agreements;
CREATE UNIQUE INDEX agreements_current ON agreements (account_id) WHERE state = 'concluded';
DROP TABLE agreement_texts;
DROP TABLE agreement_versions;
DROP TABLE parties;
DROP TABLE processor;

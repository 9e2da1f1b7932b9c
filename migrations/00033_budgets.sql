-- +goose Up

-- A team is users and API keys of an account that share budgets; each is in one team
-- at the most.
CREATE TABLE teams (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    removed_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX teams_by_name ON teams (account_id, name) WHERE removed_at = 0;
CREATE TABLE team_members (
    account_id BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    team_id    BIGINT NOT NULL REFERENCES teams (id),
    PRIMARY KEY (account_id, user_id)
);
CREATE TABLE team_keys (
    account_id BIGINT NOT NULL,
    key_id     BIGINT NOT NULL,
    team_id    BIGINT NOT NULL REFERENCES teams (id),
    PRIMARY KEY (account_id, key_id)
);

-- team_id 0 is the whole account. A warning comes at a share of the limit, 0 for none.
CREATE TABLE budgets (
    id           BIGINT PRIMARY KEY,
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    team_id      BIGINT NOT NULL DEFAULT 0,
    name         TEXT   NOT NULL,
    per          TEXT   NOT NULL CHECK (per IN ('campaign', 'day', 'month')),
    limit_micro  BIGINT NOT NULL CHECK (limit_micro > 0),
    warn_percent BIGINT NOT NULL CHECK (warn_percent BETWEEN 0 AND 100),
    created_at   BIGINT NOT NULL,
    removed_at   BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX budgets_by_name ON budgets (account_id, name) WHERE removed_at = 0;

-- What was taken from a budget in a period: '2026-11-22', '2026-11', or a campaign's id.
-- told says that the event of the warning was written.
CREATE TABLE budget_periods (
    budget_id   BIGINT  NOT NULL REFERENCES budgets (id),
    period      TEXT    NOT NULL,
    account_id  BIGINT  NOT NULL,
    spent_micro BIGINT  NOT NULL,
    warned_at   BIGINT  NOT NULL DEFAULT 0,
    told        BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (budget_id, period)
);
CREATE INDEX budget_periods_untold ON budget_periods (budget_id) WHERE warned_at > 0 AND told = FALSE;

-- What each reservation took from each budget, less what was given back of it.
CREATE TABLE budget_entries (
    reservation_id BIGINT NOT NULL,
    budget_id      BIGINT NOT NULL REFERENCES budgets (id),
    period         TEXT   NOT NULL,
    account_id     BIGINT NOT NULL,
    micro          BIGINT NOT NULL,
    PRIMARY KEY (reservation_id, budget_id)
);

-- The team of who started the campaign, and the reservation that paid for a range's
-- messages when budgets counted for it.
ALTER TABLE campaigns ADD COLUMN team_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ranges ADD COLUMN reservation_id BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE ranges DROP COLUMN reservation_id;
ALTER TABLE campaigns DROP COLUMN team_id;
DROP TABLE budget_entries;
DROP TABLE budget_periods;
DROP TABLE budgets;
DROP TABLE team_keys;
DROP TABLE team_members;
DROP TABLE teams;

package migrations

import "github.com/varsel/varsel/internal/db"

// keepLedger has the database itself refuse to change the ledger, but for the removal
// of what is too old, and keep the balances of accounts that have one: whoever posts,
// and whatever becomes of the transaction, the balance is the sum.
func keepLedger(dialect db.Dialect) []string {
	if dialect == db.Postgres {
		return postgresLedger
	}
	return sqliteLedger
}

var sqliteLedger = []string{
	`CREATE TRIGGER IF NOT EXISTS ledger_stays BEFORE UPDATE ON ledger_entries
	 BEGIN SELECT RAISE(ABORT, 'an entry of the ledger does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS ledger_is_kept BEFORE DELETE ON ledger_entries
	 WHEN NOT EXISTS (SELECT 1 FROM ledger_openings WHERE account_id = OLD.account_id AND before_at > OLD.at)
	 BEGIN SELECT RAISE(ABORT, 'an entry of the ledger does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS ledger_balance AFTER INSERT ON ledger_entries
	 WHEN NEW.debit = 'receivable' OR NEW.credit = 'receivable'
	 BEGIN
	   UPDATE ledger_balances SET receivable = receivable + CASE NEW.debit WHEN 'receivable' THEN NEW.amount_micro ELSE -NEW.amount_micro END
	   WHERE account_id = NEW.account_id;
	 END`,
}

// PostgreSQL fires triggers in the order of their names, so that the one of the foreign
// key (RI_ConstraintTrigger) has the account's row locked before ledger_balance looks
// whether there is a balance: see billing.Terms.
var postgresLedger = []string{
	`CREATE OR REPLACE FUNCTION keep_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
	 BEGIN
	   IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM ledger_openings WHERE account_id = OLD.account_id AND before_at > OLD.at) THEN
	     RETURN OLD;
	   END IF;
	   RAISE EXCEPTION 'an entry of the ledger does not change';
	 END $$`,
	`CREATE OR REPLACE FUNCTION keep_ledger_balance() RETURNS trigger LANGUAGE plpgsql AS $$
	 BEGIN
	   UPDATE ledger_balances SET receivable = receivable + CASE NEW.debit WHEN 'receivable' THEN NEW.amount_micro ELSE -NEW.amount_micro END
	   WHERE account_id = NEW.account_id;
	   RETURN NULL;
	 END $$`,
	`CREATE OR REPLACE TRIGGER ledger_stays BEFORE UPDATE OR DELETE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION keep_ledger()`,
	`CREATE OR REPLACE TRIGGER ledger_balance AFTER INSERT ON ledger_entries FOR EACH ROW
	 WHEN (NEW.debit = 'receivable' OR NEW.credit = 'receivable') EXECUTE FUNCTION keep_ledger_balance()`,
}

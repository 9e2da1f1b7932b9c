package migrations

import "github.com/varsel/varsel/internal/db"

// keepPrices has the database itself refuse to change prices: a version can only be
// withdrawn. The triggers name no column of their own step, which goes before them when
// it is taken back.
func keepPrices(dialect db.Dialect) []string {
	if dialect == db.Postgres {
		return postgresPrices
	}
	return sqlitePrices
}

var sqlitePrices = []string{
	`CREATE TRIGGER IF NOT EXISTS prices_stay BEFORE UPDATE ON prices BEGIN SELECT RAISE(ABORT, 'a price does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS prices_are_kept BEFORE DELETE ON prices BEGIN SELECT RAISE(ABORT, 'a price does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS price_books_stay BEFORE UPDATE OF id, currency, valid_from ON price_books
	 BEGIN SELECT RAISE(ABORT, 'a version of a price list does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS price_books_are_kept BEFORE DELETE ON price_books
	 BEGIN SELECT RAISE(ABORT, 'a version of a price list does not change'); END`,
}

var postgresPrices = []string{
	`CREATE OR REPLACE FUNCTION keep_price() RETURNS trigger LANGUAGE plpgsql AS $$
	 BEGIN
	   RAISE EXCEPTION 'a price does not change';
	 END $$`,
	`CREATE OR REPLACE FUNCTION keep_price_book() RETURNS trigger LANGUAGE plpgsql AS $$
	 BEGIN
	   RAISE EXCEPTION 'a version of a price list does not change';
	 END $$`,
	`CREATE OR REPLACE TRIGGER prices_stay BEFORE UPDATE OR DELETE ON prices FOR EACH ROW EXECUTE FUNCTION keep_price()`,
	`CREATE OR REPLACE TRIGGER price_books_stay BEFORE UPDATE OF id, currency, valid_from OR DELETE ON price_books FOR EACH ROW EXECUTE FUNCTION keep_price_book()`,
}

package migrations

import "github.com/varsel/varsel/internal/db"

// keepInvoices has the database itself refuse to change what was finalised or
// cancelled.
func keepInvoices(dialect db.Dialect) []string {
	if dialect == db.Postgres {
		return postgresKeeps
	}
	return sqliteKeeps
}

var sqliteKeeps = []string{
	`CREATE TRIGGER IF NOT EXISTS invoices_stay BEFORE UPDATE ON invoices WHEN OLD.state <> 'draft'
	 BEGIN SELECT RAISE(ABORT, 'what was finalised or cancelled does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS invoices_are_kept BEFORE DELETE ON invoices WHEN OLD.state <> 'draft'
	 BEGIN SELECT RAISE(ABORT, 'what was finalised or cancelled does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS invoice_lines_end BEFORE INSERT ON invoice_lines
	 WHEN EXISTS (SELECT 1 FROM invoices WHERE id = NEW.invoice_id AND state <> 'draft')
	 BEGIN SELECT RAISE(ABORT, 'what was finalised or cancelled does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS invoice_lines_stay BEFORE UPDATE ON invoice_lines
	 WHEN EXISTS (SELECT 1 FROM invoices WHERE id IN (OLD.invoice_id, NEW.invoice_id) AND state <> 'draft')
	 BEGIN SELECT RAISE(ABORT, 'what was finalised or cancelled does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS invoice_lines_are_kept BEFORE DELETE ON invoice_lines
	 WHEN EXISTS (SELECT 1 FROM invoices WHERE id = OLD.invoice_id AND state <> 'draft')
	 BEGIN SELECT RAISE(ABORT, 'what was finalised or cancelled does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS invoice_files_end BEFORE INSERT ON invoice_files
	 WHEN EXISTS (SELECT 1 FROM invoices WHERE id = NEW.invoice_id AND state <> 'draft')
	 BEGIN SELECT RAISE(ABORT, 'what was finalised or cancelled does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS invoice_files_stay BEFORE UPDATE ON invoice_files
	 BEGIN SELECT RAISE(ABORT, 'the file of an invoice does not change'); END`,
	`CREATE TRIGGER IF NOT EXISTS invoice_files_are_kept BEFORE DELETE ON invoice_files
	 BEGIN SELECT RAISE(ABORT, 'the file of an invoice does not change'); END`,
}

var postgresKeeps = []string{
	`CREATE OR REPLACE FUNCTION keep_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
	 BEGIN
	   IF OLD.state <> 'draft' THEN
	     RAISE EXCEPTION 'what was finalised or cancelled does not change';
	   END IF;
	   RETURN COALESCE(NEW, OLD);
	 END $$`,
	`CREATE OR REPLACE FUNCTION keep_invoice_part() RETURNS trigger LANGUAGE plpgsql AS $$
	 BEGIN
	   IF EXISTS (SELECT 1 FROM invoices WHERE id IN (OLD.invoice_id, NEW.invoice_id) AND state <> 'draft') THEN
	     RAISE EXCEPTION 'what was finalised or cancelled does not change';
	   END IF;
	   RETURN COALESCE(NEW, OLD);
	 END $$`,
	`CREATE OR REPLACE FUNCTION keep_invoice_file() RETURNS trigger LANGUAGE plpgsql AS $$
	 BEGIN
	   RAISE EXCEPTION 'the file of an invoice does not change';
	 END $$`,
	`CREATE OR REPLACE TRIGGER invoices_stay BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION keep_invoice()`,
	`CREATE OR REPLACE TRIGGER invoice_lines_stay BEFORE INSERT OR UPDATE OR DELETE ON invoice_lines FOR EACH ROW EXECUTE FUNCTION keep_invoice_part()`,
	`CREATE OR REPLACE TRIGGER invoice_files_end BEFORE INSERT ON invoice_files FOR EACH ROW EXECUTE FUNCTION keep_invoice_part()`,
	`CREATE OR REPLACE TRIGGER invoice_files_stay BEFORE UPDATE OR DELETE ON invoice_files FOR EACH ROW EXECUTE FUNCTION keep_invoice_file()`,
}

-- +goose Up

-- A series is what its numbers begin with: 'K2026-' has given K2026-00001 and so on. So
-- no number is given twice, whatever becomes of the seller's own numbers. The rows of
-- before stay for the way back: their names end with the year.
INSERT INTO invoice_series (name, last)
SELECT rtrim(number, '0123456789'), MAX(CAST(substr(number, length(rtrim(number, '0123456789')) + 1) AS BIGINT))
FROM invoices WHERE number <> '' GROUP BY rtrim(number, '0123456789');

-- What of an invoice was paid before it was written: minor units, with VAT.
ALTER TABLE invoices ADD COLUMN prepaid BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE invoices DROP COLUMN prepaid;
DELETE FROM invoice_series WHERE name LIKE '%-';
UPDATE invoice_series SET last = COALESCE((
    SELECT MAX(CAST(substr(i.number, length(rtrim(i.number, '0123456789')) + 1) AS BIGINT)) FROM invoices i
    WHERE i.number <> '' AND invoice_series.name LIKE '%/' || i.kind || '/' || substr(i.issued, 1, 4)), last);

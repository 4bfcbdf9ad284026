-- Another index begins with the same column.
DROP INDEX IF EXISTS stores_by_owner ON stores;

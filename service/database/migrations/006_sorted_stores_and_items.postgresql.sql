-- Another index begins with the same column.
DROP INDEX IF EXISTS stores_by_owner;
-- List names in byte order, as SQLite and MariaDB do, in any locale.
ALTER TABLE stores ALTER COLUMN name_key TYPE VARCHAR(240) COLLATE "C";
ALTER TABLE items ALTER COLUMN name_key TYPE VARCHAR(240) COLLATE "C";

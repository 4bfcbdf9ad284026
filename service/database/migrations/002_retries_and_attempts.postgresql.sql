-- List names in byte order, as SQLite and MariaDB do, whatever the locale of the database is.
ALTER TABLE users ALTER COLUMN username_key TYPE VARCHAR(64) COLLATE "C";

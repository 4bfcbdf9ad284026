-- List user names in byte order, as SQLite and MariaDB do, in any locale.
ALTER TABLE users ALTER COLUMN username_key TYPE VARCHAR(64) COLLATE "C";

-- The latest schema: portable across SQLite, PostgreSQL and MariaDB, and idempotent.
-- The application generates ids. Times are UTC milliseconds since 1970. A *_key column has the casefolded value,
-- by which values are compared and searched. Every change is also a file in service/database/migrations.

-- The migrations that were applied; empty while the schema is being created.
CREATE TABLE IF NOT EXISTS migrations (
    number BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    CONSTRAINT migrations_number PRIMARY KEY (number)
);

-- Commit markers: the last transaction that each writer (a thread of a process) has committed.
CREATE TABLE IF NOT EXISTS commits (
    writer BIGINT NOT NULL,
    number BIGINT NOT NULL,
    committed_at BIGINT NOT NULL,
    CONSTRAINT commits_writer PRIMARY KEY (writer)
);

CREATE TABLE IF NOT EXISTS users (
    id BIGINT NOT NULL,
    username VARCHAR(64) NOT NULL,
    username_key VARCHAR(64) NOT NULL,
    email VARCHAR(120) NOT NULL,
    email_key VARCHAR(120) NOT NULL,
    password_hash VARCHAR(60) NOT NULL,
    avatar_hash VARCHAR(64) NOT NULL,
    about_me VARCHAR(140) NOT NULL,
    member_since BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    post_count BIGINT NOT NULL DEFAULT 0,
    follower_count BIGINT NOT NULL DEFAULT 0,
    following_count BIGINT NOT NULL DEFAULT 0,
    email_verified_at BIGINT,
    suspended_at BIGINT,
    CONSTRAINT users_id PRIMARY KEY (id),
    CONSTRAINT users_username_key UNIQUE (username_key),
    CONSTRAINT users_email_key UNIQUE (email_key),
    CONSTRAINT users_counts CHECK (post_count >= 0 AND follower_count >= 0 AND following_count >= 0)
);

CREATE TABLE IF NOT EXISTS follows (
    id BIGINT NOT NULL,
    follower_id BIGINT NOT NULL,
    followed_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT follows_id PRIMARY KEY (id),
    CONSTRAINT follows_pair UNIQUE (follower_id, followed_id),
    CONSTRAINT follows_another CHECK (follower_id <> followed_id),
    CONSTRAINT follows_follower FOREIGN KEY (follower_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT follows_followed FOREIGN KEY (followed_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS follows_by_follower ON follows (follower_id, id);
CREATE INDEX IF NOT EXISTS follows_by_followed ON follows (followed_id, id);

CREATE TABLE IF NOT EXISTS posts (
    id BIGINT NOT NULL,
    author_id BIGINT NOT NULL,
    body VARCHAR(140) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    CONSTRAINT posts_id PRIMARY KEY (id),
    CONSTRAINT posts_author FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS posts_by_author ON posts (author_id, id);

-- Bearer tokens. sign_in_id is the id of the token that the sign-in issued, which the later ones renew; renewed_at
-- is null until a token is renewed; lifetime is in seconds, null for the default.
CREATE TABLE IF NOT EXISTS tokens (
    id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    last_used_at BIGINT,
    user_agent VARCHAR(255),
    name VARCHAR(80),
    scope VARCHAR(16) NOT NULL DEFAULT 'write',
    lifetime BIGINT,
    sign_in_id BIGINT NOT NULL DEFAULT 0,
    renewed_at BIGINT,
    CONSTRAINT tokens_id PRIMARY KEY (id),
    CONSTRAINT tokens_digest UNIQUE (digest),
    CONSTRAINT tokens_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS tokens_by_user ON tokens (user_id, id);
CREATE INDEX IF NOT EXISTS tokens_by_expiry ON tokens (expires_at);

-- The total numbers of rows of each kind, in shards that are summed, so that writers do not wait for one row.
CREATE TABLE IF NOT EXISTS totals (
    thing VARCHAR(32) NOT NULL,
    shard BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    CONSTRAINT totals_shard PRIMARY KEY (thing, shard)
);

-- Idempotency keys: a request is claimed while it is processed, and has its response once it is committed.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    digest VARCHAR(64) NOT NULL,
    user_id BIGINT,
    fingerprint VARCHAR(64) NOT NULL,
    claim VARCHAR(32) NOT NULL,
    expires_at BIGINT NOT NULL,
    status BIGINT,
    headers TEXT,
    body TEXT,
    CONSTRAINT idempotency_keys_digest PRIMARY KEY (digest),
    CONSTRAINT idempotency_keys_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS idempotency_keys_by_user ON idempotency_keys (user_id);
CREATE INDEX IF NOT EXISTS idempotency_keys_by_expiry ON idempotency_keys (expires_at);

-- Rate-limited attempts: each occupies one of the slots of its limit until it expires.
CREATE TABLE IF NOT EXISTS tries (
    id BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    place BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT tries_id PRIMARY KEY (id),
    CONSTRAINT tries_place UNIQUE (digest, place)
);
CREATE INDEX IF NOT EXISTS tries_by_expiry ON tries (expires_at);

CREATE TABLE IF NOT EXISTS stores (
    id BIGINT NOT NULL,
    owner_id BIGINT NOT NULL,
    name VARCHAR(80) NOT NULL,
    name_key VARCHAR(240) NOT NULL,
    item_count BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    CONSTRAINT stores_id PRIMARY KEY (id),
    CONSTRAINT stores_name UNIQUE (name_key),
    CONSTRAINT stores_counts CHECK (item_count >= 0),
    CONSTRAINT stores_owner FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS stores_by_owner_and_id ON stores (owner_id, id);
CREATE INDEX IF NOT EXISTS stores_by_owner_and_name ON stores (owner_id, name_key);

CREATE TABLE IF NOT EXISTS items (
    id BIGINT NOT NULL,
    store_id BIGINT NOT NULL,
    name VARCHAR(80) NOT NULL,
    name_key VARCHAR(240) NOT NULL,
    cents BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT items_id PRIMARY KEY (id),
    CONSTRAINT items_name UNIQUE (store_id, name_key),
    CONSTRAINT items_cents CHECK (cents >= 0),
    CONSTRAINT items_store FOREIGN KEY (store_id) REFERENCES stores (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS items_by_store ON items (store_id, id);
CREATE INDEX IF NOT EXISTS items_by_store_and_price ON items (store_id, cents, id);
CREATE INDEX IF NOT EXISTS items_by_name ON items (name_key, id);
CREATE INDEX IF NOT EXISTS items_by_price ON items (cents, id);

-- Key pairs that sign tokens: the current one has the latest signs_from that has passed; published_until is null
-- until there is a newer one.
CREATE TABLE IF NOT EXISTS signing_keys (
    id BIGINT NOT NULL,
    private_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    published_until BIGINT,
    signs_from BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT signing_keys_id PRIMARY KEY (id)
);

-- Mails to be sent, to a user or to an address that may not belong to one. due_at is when the next attempt may
-- begin; a process postpones a mail before it sends it, so that others take over if the process ends.
CREATE TABLE IF NOT EXISTS outbox (
    id BIGINT NOT NULL,
    purpose VARCHAR(32) NOT NULL,
    recipient VARCHAR(120) NOT NULL,
    user_id BIGINT,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT outbox_id PRIMARY KEY (id),
    CONSTRAINT outbox_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS outbox_by_due ON outbox (due_at);
CREATE INDEX IF NOT EXISTS outbox_by_user ON outbox (user_id);

-- Secrets in mail links, as digests: each proves that its holder receives mail at the address.
CREATE TABLE IF NOT EXISTS mail_secrets (
    id BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    purpose VARCHAR(32) NOT NULL,
    user_id BIGINT NOT NULL,
    email_key VARCHAR(120) NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT mail_secrets_id PRIMARY KEY (id),
    CONSTRAINT mail_secrets_digest UNIQUE (digest),
    CONSTRAINT mail_secrets_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS mail_secrets_by_user ON mail_secrets (user_id);
CREATE INDEX IF NOT EXISTS mail_secrets_by_expiry ON mail_secrets (expires_at);

-- commit markers, idempotency keys and rate-limited attempts; user names in byte order

CREATE TABLE IF NOT EXISTS migrations (
    number BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    CONSTRAINT migrations_number PRIMARY KEY (number)
);

CREATE TABLE IF NOT EXISTS commits (
    writer BIGINT NOT NULL,
    number BIGINT NOT NULL,
    committed_at BIGINT NOT NULL,
    CONSTRAINT commits_writer PRIMARY KEY (writer)
);

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

CREATE TABLE IF NOT EXISTS tries (
    id BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    place BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT tries_id PRIMARY KEY (id),
    CONSTRAINT tries_place UNIQUE (digest, place)
);
CREATE INDEX IF NOT EXISTS tries_by_expiry ON tries (expires_at);
CREATE INDEX IF NOT EXISTS tokens_by_expiry ON tokens (expires_at);

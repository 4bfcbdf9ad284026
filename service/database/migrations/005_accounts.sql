-- scopes, names and lifetimes of tokens; suspended accounts; signing keys that are published early; mail

ALTER TABLE users ADD COLUMN IF NOT EXISTS email_verified_at BIGINT;
ALTER TABLE users ADD COLUMN IF NOT EXISTS suspended_at BIGINT;
ALTER TABLE tokens ADD COLUMN IF NOT EXISTS name VARCHAR(80);
ALTER TABLE tokens ADD COLUMN IF NOT EXISTS scope VARCHAR(16) NOT NULL DEFAULT 'write';
ALTER TABLE tokens ADD COLUMN IF NOT EXISTS lifetime BIGINT;
ALTER TABLE tokens ADD COLUMN IF NOT EXISTS sign_in_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN IF NOT EXISTS renewed_at BIGINT;
UPDATE tokens SET sign_in_id = id WHERE sign_in_id = 0;
ALTER TABLE signing_keys ADD COLUMN IF NOT EXISTS signs_from BIGINT NOT NULL DEFAULT 0;

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

-- signing keys

CREATE TABLE IF NOT EXISTS signing_keys (
    id BIGINT NOT NULL,
    private_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    published_until BIGINT,
    CONSTRAINT signing_keys_id PRIMARY KEY (id)
);

-- The schema of the first release, from which the tests of migrations upgrade.

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

CREATE TABLE IF NOT EXISTS tokens (
    id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    last_used_at BIGINT,
    user_agent VARCHAR(255),
    CONSTRAINT tokens_id PRIMARY KEY (id),
    CONSTRAINT tokens_digest UNIQUE (digest),
    CONSTRAINT tokens_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS tokens_by_user ON tokens (user_id, id);

-- Sharded counters: the total is the sum over the shards.
CREATE TABLE IF NOT EXISTS totals (
    thing VARCHAR(32) NOT NULL,
    shard BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    CONSTRAINT totals_shard PRIMARY KEY (thing, shard)
);

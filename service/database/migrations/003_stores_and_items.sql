-- stores and items

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
CREATE INDEX IF NOT EXISTS stores_by_owner ON stores (owner_id);

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

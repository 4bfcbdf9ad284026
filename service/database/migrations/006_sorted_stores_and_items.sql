-- stores and items in every order

CREATE INDEX IF NOT EXISTS stores_by_owner_and_id ON stores (owner_id, id);
CREATE INDEX IF NOT EXISTS stores_by_owner_and_name ON stores (owner_id, name_key);
CREATE INDEX IF NOT EXISTS items_by_store_and_price ON items (store_id, cents, id);
CREATE INDEX IF NOT EXISTS items_by_name ON items (name_key, id);
CREATE INDEX IF NOT EXISTS items_by_price ON items (cents, id);

"""SQL databases: connections, transactions, queries, pagination, migrations. Knows nothing of the domain."""

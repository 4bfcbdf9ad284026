"""SQL databases: connections, transactions, queries, pagination and migrations, without the domain."""

"""Sessions, transactions, locks and results over DuckDB."""

"""Sessions, transactions, locks, and the commands that are no queries."""

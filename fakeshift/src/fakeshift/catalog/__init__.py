"""What is kept of schemas, tables, users and rights."""

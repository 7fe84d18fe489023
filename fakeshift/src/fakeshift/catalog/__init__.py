"""What Redshift knows of schemas, tables, users and privileges."""

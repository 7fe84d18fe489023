"""Redshift's queries as DuckDB's: one small function for each difference."""

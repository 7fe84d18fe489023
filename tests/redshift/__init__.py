"""The local Redshift."""

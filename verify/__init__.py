"""make verify: what the loader and its local Redshift claim, tried against a real AWS (docs/verify.md)."""

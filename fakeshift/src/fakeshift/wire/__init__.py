"""Port 5439: the PostgreSQL protocol 3.0, as Redshift's drivers use it, over the engine's sessions."""

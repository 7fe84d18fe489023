"""Cases of Redshift's documentation, each with its page."""

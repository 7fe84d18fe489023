"""Redshift's own statements: lexer, parser, nodes, parameters."""

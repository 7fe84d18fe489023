"""Statements of the Data API: submitted, run, recorded."""

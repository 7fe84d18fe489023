"""Tests of what make verify runs on a real AWS."""

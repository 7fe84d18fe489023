"""Mechanisms that are taken away, and the tests that notice: ``python -m tests.mutants``."""

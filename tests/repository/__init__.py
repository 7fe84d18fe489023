"""Tests of the repository itself: the documentation, the template, the lints."""

"""Tests of the local AWS and of its commands."""

"""Measures the figures of docs/performance.md and docs/costs.md: ``python -m benchmarks``."""

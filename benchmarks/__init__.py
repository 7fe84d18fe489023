"""Measures what docs/performance.md and docs/costs.md say: ``python -m benchmarks``."""

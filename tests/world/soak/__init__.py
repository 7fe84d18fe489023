"""A random mixture of uploads, loads and faults: ``python -m tests.world.soak``."""

"""make verify: checks the claims of the loader and its local Redshift against a real AWS (docs/verify.md)."""

import sys
from pathlib import Path

# The conformance cases of the local Redshift, and what runs them, are its tests: verify runs them on a real one.
sys.path.append(str(Path(__file__).resolve().parents[1] / "fakeshift" / "tests"))

"""python -m tests.world.soak [--seconds 300] [--seed N]: the random mixture on a local AWS of its own.

Exit code 1, with the seed and the difference, if the tables, the ledger or what is left behind are
ever not what they must be.
"""

import argparse
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.world.deployed import deployed
from tests.world.soak.soak import Soak


def main(arguments: list[str] | None = None) -> int:
    """Sets up, runs, tells."""
    parser = argparse.ArgumentParser(prog="python -m tests.world.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, help="for the same files and actions again")
    parser.add_argument("--isolation", choices=("snapshot", "serializable"), default="snapshot")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else secrets.randbelow(1_000_000)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"seed {seed}, {given.seconds:.0f} s, {given.isolation}, in {folder}", flush=True)
    with deployed(folder, given.isolation) as project:
        project.local("reset")
        soak = Soak(project, seed, lambda line: print(line, flush=True))
        found = soak.run(given.seconds)
    journal = folder / "journal.txt"
    journal.write_text("\n".join(soak.journal))
    print(soak.summary())
    if found:
        print(f"{len(found)} differences with seed {seed}; what was done is in {journal}")
        print("\n".join(found))
        return 1
    print("no differences")
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

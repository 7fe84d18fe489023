"""dbt-redshift against a port: python dbt_tool.py PORT FOLDER, where FOLDER is a copy of dbt_star.

The star schema of this repository's loader in small: seeds of events and songs, a view, a late-binding
view, dimensions, a fact table with every incremental strategy, a snapshot and tests. Built twice.
"""

import json
import sys
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner

PROFILE = """\
star:
  target: local
  outputs:
    local:
      {{type: redshift, method: database, host: 127.0.0.1, port: {port}, user: me, password: x,
        dbname: dev, schema: star, threads: 2, sslmode: disable}}
"""


def run(folder: Path, *words: str) -> Any:
    """A dbt command; every node of it must be well."""
    place = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    ended = dbtRunner().invoke([*words, *place])
    wrong = [
        f"{each.node.name}: {each.message}"
        for each in getattr(ended.result, "results", None) or []
        if str(each.status) not in ("success", "pass")
    ]
    if not ended.success or wrong:
        raise SystemExit(f"dbt {' '.join(words)}: {ended.exception or wrong}")
    return ended.result


def main(port: str, place: str) -> None:
    """Builds twice, the second time with a changed seed; then the docs and the freshness."""
    folder = Path(place)
    (folder / "profiles.yml").write_text(PROFILE.format(port=port))
    first = run(folder, "build")
    users = folder / "seeds" / "raw_users.csv"
    users.write_text(users.read_text().replace("1,Ann,free", "1,Ann,paid"))
    second = run(folder, "build")
    assert len(first.results) == len(second.results) == 15, len(second.results)
    run(folder, "docs", "generate")
    catalog = json.loads((folder / "target" / "catalog.json").read_text())
    columns = catalog["nodes"]["model.star.dim_users"]["columns"]
    assert {name: each["type"] for name, each in columns.items()} == {
        "user_id": "integer", "first_name": "character varying(6)", "level": "character varying(4)",
    }, columns  # fmt: skip
    run(folder, "source", "freshness")


if __name__ == "__main__":
    main(*sys.argv[1:3])

"""Runs last: every statement that the product sent while these tests ran is Redshift's SQL, and has no parameters."""

import json
import re

from sqlfluff.core import FluffConfig, Linter

from tests.world.deployed import Project

# A load's own names and paths, and numbers: statements that differ only in these are one.
OWN_NAMES = re.compile(r"\d{8}[-_]\d{6}[-_][0-9a-f]{8}[\w./-]*|\b\d+\b")


def test_every_statement_parses_in_redshifts_dialect(project: Project) -> None:
    log = project.folder / ".local" / "redshift" / "data" / "sql-in.jsonl"
    shapes: dict[str, str] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        # https://github.com/sqlalchemy-redshift/sqlalchemy-redshift/issues/265
        if not entry["user"].startswith("IAMR:"):
            continue  # a person's, such as the probes of make verify
        assert not entry["parameters"], entry
        # sqlfluff knows no EXPLAIN of CREATE TABLE AS (docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html).
        sql = entry["sql"].removeprefix("EXPLAIN ")
        shapes.setdefault(OWN_NAMES.sub("0", sql), sql)
    kinds = {sql.split(maxsplit=1)[0].upper() for sql in shapes.values()}
    assert {"LOCK", "COPY", "CREATE", "INSERT", "UPDATE", "DELETE", "SELECT", "DROP"} <= kinds
    linter = Linter(config=FluffConfig(overrides={"dialect": "redshift"}))
    wrong = []
    for sql in shapes.values():
        found = linter.parse_string(f"{sql};\n").violations
        wrong += [f"{violation.desc()}\n{sql}" for violation in found]
    assert not wrong, "\n\n".join(wrong[:5])

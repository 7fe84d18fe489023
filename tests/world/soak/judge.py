"""Whether the warehouse is what it must be: whole tables against the oracle, the ledger against the bucket."""

from collections import Counter

from tests.world import oracle
from tests.world.deployed import Project
from tests.world.soak.files import Bucket

SHOWN = 5
FINAL = ("loaded", "withdrawn")


def differences(project: Project, bucket: Bucket, undone: set[str]) -> list[str]:
    """Each difference in words; [] if there is none. Asked for when nothing runs and the sweep finds nothing.

    ``undone`` are the loads that were undone.
    """
    rows = project.query("SELECT key, etag, status, load_id FROM sparkify.files")
    ledger = [(str(key), str(etag), str(status), str(load)) for key, etag, status, load in rows]
    found = _of_the_ledger(ledger, bucket, undone)
    loaded = {(key, etag) for key, etag, status, _ in ledger if status == "loaded"}
    files = {
        _apart(key, etag): bucket.ever[key, etag].content
        for key, etag in loaded & bucket.ever.keys()
        if not bucket.ever[key, etag].bad
    }
    if told := oracle.diff(oracle.tables(files, ambiguous="smallest"), project.star()):
        found.append(told)
    if tables := project.staging_tables():
        found.append(f"{len(tables)} staging tables are left, such as {tables[0]}")
    for unwanted in undone:
        plays = project.query(
            f"SELECT COUNT(*) FROM sparkify.songplays WHERE load_id = '{unwanted}'"
        )
        if plays != [(0,)]:
            found.append(f"load {unwanted} was undone and has {plays[0][0]} plays")
    return found


def _of_the_ledger(
    ledger: list[tuple[str, str, str, str]], bucket: Bucket, undone: set[str]
) -> list[str]:
    told: list[str] = []

    def tell(what: str, files: list[str]) -> None:
        if files:
            more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
            told.append(f"{what}: {', '.join(sorted(files)[:SHOWN])}{more}")

    times = Counter((key, etag) for key, etag, status, _ in ledger if status == "loaded")
    tell("loaded twice", [f"{key} ({etag})" for (key, etag), count in times.items() if count > 1])
    tell("never uploaded", [key for key, etag in times if (key, etag) not in bucket.ever])
    bad = {file: version.bad for file, version in bucket.ever.items() if version.bad}
    tell("bad, and loaded", [f"{file[0]} ({bad[file]})" for file in times if file in bad])
    tell(
        "loaded by a load that was undone",
        [k for k, _, s, load in ledger if load in undone and s == "loaded"],
    )
    words: dict[tuple[str, str], set[str]] = {}
    for key, etag, status, _ in ledger:
        words.setdefault((key, etag), set()).add(status)
    for version in bucket.now.values():
        said = words.get((version.key, version.etag), set())
        wanted = {"rejected"} if version.bad else {"loaded", "withdrawn"}
        if not said & wanted:
            kind = f"bad: {version.bad}" if version.bad else "good"
            tell(
                "in the bucket",
                [f"{version.key} ({kind}) is {sorted(said) or 'not in the ledger'}"],
            )
    return told


def _apart(key: str, etag: str) -> str:
    """A key of its own for each version of a key."""
    dataset, _, rest = key.partition("/")
    return f"{dataset}/{etag}/{rest}"

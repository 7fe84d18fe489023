"""What the ledger says of files: every version of a key with all that happened to it, and the files and rows that were
left out.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.client import queries, rights
from local.client.clients import Clients
from local.client.objects import starts_a_load
from local.problem import Usage
from local.show.tables import Value

MOST_RECORDS = 5_000
MOST_OBJECTS = 10_000
MOST_LOOKS = 20
NOT_LOADED, NOT_TAKEN, NEVER_SEEN = "not loaded", "not taken", "never seen"
LEFT = ("rejected", "unreadable", "waiting", "missing")
WILD = re.compile(r"[*?]")


@dataclass(frozen=True)
class Record:
    """What a load wrote into the ledger about a version of a file. ``at``: ISO 8601, UTC."""

    status: str
    load_id: str
    at: str
    reason: str = ""
    line: int | None = None
    column: str = ""
    code: int | None = None
    lines: int | None = None


@dataclass
class Version:
    """A version of a file. ``records``: the first decides its status, as in the view file_status; then the newest."""

    etag: str
    size: int | None
    dataset: str
    records: list[Record] = field(default_factory=list)

    @property
    def status(self) -> str:
        return self.records[0].status


@dataclass(frozen=True)
class Object:
    """What is in the bucket under a key. ``modified``: ISO 8601, UTC."""

    etag: str
    size: int
    modified: str


@dataclass
class File:
    """A key: its versions in the ledger, the newest first, and what is in the bucket now. gone: nothing is."""

    key: str
    versions: list[Version] = field(default_factory=list)
    now: Object | None = None
    gone: bool = False

    @property
    def version(self) -> Version | None:
        """The version that counts: the one in the bucket, or the newest if there is none."""
        if self.now:
            return next((one for one in self.versions if one.etag == self.now.etag), None)
        return self.versions[0] if self.versions else None

    @property
    def status(self) -> str:
        """The status of the version that counts, or that no load has seen it."""
        if version := self.version:
            return version.status
        return NOT_LOADED if starts_a_load(self.key) else NOT_TAKEN


@dataclass
class Found:
    """What was found. ``nothing``: the words that nothing matches. ``more``: there is more than is told.
    ``not_seen``: why the bucket was not looked at, '' if it was.
    """

    files: list[File] = field(default_factory=list)
    nothing: list[str] = field(default_factory=list)
    more: bool = False
    not_seen: str = ""


@dataclass(frozen=True)
class Asked:
    """A word of a person: a key, a prefix that ends with a slash, a glob, or a name without its folders."""

    word: str

    @property
    def glob(self) -> str:
        """The glob that it is, if it is no key; '' if it can only be a key."""
        if WILD.search(self.word):
            return self.word
        if self.word.endswith("/") or not self.word:
            return f"{self.word}*"
        return "" if "/" in self.word else f"*/{self.word}"

    @property
    def start(self) -> str:
        """What all keys begin with that it may mean."""
        return WILD.split(self.glob or self.word, maxsplit=1)[0]

    @property
    def everywhere(self) -> bool:
        """Whether it may mean a key in any folder."""
        return bool(self.glob) and not self.start

    @property
    def condition(self) -> str:
        """As a condition of SQL."""
        exact = f"key = {queries.literal(self.word)}"
        if not self.glob:
            return exact
        return f"({exact} OR key LIKE {queries.literal(queries.pattern(self.glob))})"

    def of(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that it means: the key of that name, or else those that the glob matches."""
        keys = set(keys)
        if self.word in keys or not self.glob:
            return keys & {self.word}
        parts = (
            {"*": ".*", "?": "."}.get(part) or re.escape(part)
            for part in re.split(r"([*?])", self.glob)
        )
        matches = re.compile("".join(parts), re.DOTALL)
        return {key for key in keys if matches.fullmatch(key)}


def asked(words: Sequence[str], bucket: str) -> list[Asked]:
    """The words as keys of the data bucket. Raises Usage for the URI of another bucket."""
    found = []
    for word in words:
        if word.startswith("s3://"):
            named, _, word = word.removeprefix("s3://").partition("/")
            if named != bucket:
                raise Usage(f"The data bucket is {bucket}, not {named}.")
        found.append(Asked(word))
    return found


def where(clients: Clients, bucket: str, words: Sequence[str]) -> Found:
    """All that is known of the files that the words mean, sorted by key."""
    wanted = asked(words, bucket)
    found = Found()
    files = _in_ledger(clients, bucket, wanted, found)
    try:
        _look(clients, bucket, wanted, files, found)
    except ClientError as error:
        right = rights.missing(error)
        if right is None:
            raise
        found.not_seen = right.text
    meant: set[str] = set()
    for each in wanted:
        mine = each.of(files)
        meant |= mine
        if not mine:
            found.nothing.append(each.word)
    found.files = [files[key] for key in sorted(meant)]
    return found


def _in_ledger(
    clients: Clients, bucket: str, wanted: Sequence[Asked], found: Found
) -> dict[str, File]:
    files: dict[str, File] = {}
    conditions = " OR ".join(each.condition for each in wanted)
    try:
        rows = queries.run(
            clients,
            "SELECT key, etag, size, dataset, status, load_id, recorded_at, reason, error_line, error_column,"  # noqa: S608
            f" error_code, lines FROM {clients.warehouse.schema}.files"
            f" WHERE bucket = {queries.literal(bucket)} AND ({conditions})"
            " ORDER BY key, etag, CASE WHEN status = 'loaded' THEN 0 ELSE 1 END, recorded_at DESC, load_id DESC,"
            f" batch DESC LIMIT {MOST_RECORDS + 1}",
        ).rows
    except queries.SqlError as error:
        if error.nothing_there:
            return {}
        raise
    for row in rows:
        key, etag = str(row[0]), str(row[1])
        file = files.setdefault(key, File(key))
        if not file.versions or file.versions[-1].etag != etag:
            file.versions.append(Version(etag, _number(row[2]), str(row[3])))
        file.versions[-1].records.append(_record(row[4:]))
    if len(rows) > MOST_RECORDS:
        found.more = True
        files.popitem()  # the last may not be complete
    for file in files.values():
        file.versions.sort(key=lambda one: max(each.at for each in one.records), reverse=True)
    return files


def _record(row: Sequence[Value]) -> Record:
    status, load_id, at, reason, line, column, code, lines = row
    return Record(
        str(status),
        str(load_id),
        time_of(at),
        _text(reason),
        _number(line),
        _text(column),
        _number(code),
        _number(lines),
    )


def _look(
    clients: Clients, bucket: str, wanted: Sequence[Asked], files: dict[str, File], found: Found
) -> None:
    """Notes what the bucket has of the files. The whole bucket is never searched: a pattern that begins with a wildcard
    only finds what the ledger has.
    """
    for each in wanted:
        if each.everywhere:
            keys = sorted(each.of(files))[:MOST_LOOKS]
            looks = [Asked(key) for key in keys]
        else:
            looks, keys = [each], []
        for look in looks:
            there = _in_bucket(clients, bucket, look, found)
            for key, now in there.items():
                files.setdefault(key, File(key)).now = now
            if not found.more:
                for key in look.of(files):
                    files[key].gone = key not in there


def _in_bucket(clients: Clients, bucket: str, wanted: Asked, found: Found) -> dict[str, Object]:
    objects: dict[str, Any] = {}
    most = MOST_OBJECTS if wanted.glob else 1
    pages = clients.s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=wanted.start, PaginationConfig={"MaxItems": most}
    )
    for page in pages:
        for each in page.get("Contents", []):
            objects[each["Key"]] = each
    found.more = found.more or len(objects) == MOST_OBJECTS
    return {
        key: Object(
            objects[key]["ETag"].strip('"'),
            objects[key]["Size"],
            time_of(objects[key]["LastModified"]),
        )
        for key in wanted.of(objects)
        if not key.endswith("/")  # a folder marker
    }


@dataclass(frozen=True)
class Bad:
    """A file that was left out, or a row of a loaded file."""

    dataset: str
    status: str
    key: str
    etag: str
    reason: str
    line: int | None
    column: str
    code: int | None
    load_id: str
    at: str
    record: str | None = None


@dataclass
class LeftOut:
    """What was left out, the newest first. ``total``: how many there are; ``bad`` may be only the newest of them."""

    bad: list[Bad] = field(default_factory=list)
    total: int = 0

    @property
    def again(self) -> list[str]:
        """The keys of the files that can be tried again, sorted."""
        return sorted({one.key for one in self.bad if one.status != "missing"})


def rejected(
    clients: Clients, bucket: str, words: Sequence[str], load_id: str, most: int, *, rows: bool
) -> LeftOut:
    """Files that are rejected, unreadable, waiting or missing, or with ``rows`` the rows that were left out of loaded
    files. words, load_id: only these.
    """
    conditions = [f"bucket = {queries.literal(bucket)}"]
    if words:
        conditions.append(f"({' OR '.join(one.condition for one in asked(words, bucket))})")
    if load_id:
        conditions.append(f"load_id = {queries.literal(load_id)}")
    schema = clients.warehouse.schema
    if rows:
        what = (
            "dataset, 'row' AS status, key, etag, reason, line, column_name, code, load_id, recorded_at, raw_record"
            f", COUNT(*) OVER () AS total FROM {schema}.rejected_rows"
        )
    else:
        conditions.append(f"status IN ({', '.join(map(queries.literal, LEFT))})")
        what = (
            "dataset, status, key, etag, reason, error_line, error_column, error_code, load_id, recorded_at"
            f", NULL AS raw_record, COUNT(*) OVER () AS total FROM {schema}.file_status"
        )
    order = f"recorded_at DESC, key{', line' if rows else ''}"
    try:
        found = queries.run(
            clients, f"SELECT {what} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT {most}"
        ).rows
    except queries.SqlError as error:
        if error.nothing_there:
            return LeftOut()
        raise
    return LeftOut([_bad(row) for row in found], int(found[0][-1] or 0) if found else 0)


def _bad(row: Sequence[Value]) -> Bad:
    dataset, status, key, etag, reason, line, column, code, load_id, at, record, _ = row
    return Bad(
        dataset=str(dataset),
        status=str(status),
        key=str(key),
        etag=str(etag),
        reason=_text(reason),
        line=_number(line),
        column=_text(column),
        code=_number(code),
        load_id=str(load_id),
        at=time_of(at),
        record=None if record is None else str(record),
    )


def time_of(value: object) -> str:
    """A time of the database or of S3 in seconds, as ISO 8601 in UTC."""
    return f"{str(value)[:19].replace(' ', 'T')}Z"


def _text(value: Value) -> str:
    return "" if value is None else str(value).strip()


def _number(value: Value) -> int | None:
    return None if value is None else int(value)

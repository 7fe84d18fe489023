"""What Redshift's error texts mean for a load.

Texts, not codes: the Data API gives no SQLSTATE. Source for conflicts:
docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
"""

import re
from enum import Enum

from loader.dataapi import Statement, failure

_CHECK = re.compile(r"check (\w+): figure (\S+), expected (\w+)")
_CLAIM = re.compile(
    r"claim: (\d+) files are loaded already|undo: \S+ left out rows of it|undo: it has published \d+ batches"
)
_AGAIN = re.compile(r"again: this batch is published already")
_LOCK = re.compile(r"lock: publish_lock has \d+ rows")
_UNDONE = re.compile(r"undone: \S+ has undone this load")
_NO_TABLES = re.compile(
    r"(relation|schema|table) \"?[\w.]+\"? (does not exist|not found)|(schema|relation) does not exist"
    r"|cannot copy into nonexistent table",
    re.I,
)
_CONFLICT = re.compile(
    r"error:? *1023\b|serializable isolation violation|deadlock detected|conflict with concurrent transaction"
    r"|could not serialize",
    re.I,
)
_TRANSIENT = re.compile(
    r"connection (was|has been)? ?(closed|reset|refused|terminated|lost)|terminating connection|could not connect"
    r"|communication|restart|shutting down|internal error|temporarily unavailable|out of memory|disk full|timed? ?out"
    r"|is paused|not currently available|cannot accept connections",
    re.I,
)
_SYSTEMIC = re.compile(
    r"not authorized to assume|assume.?role|UnauthorizedException|invalid credential|credentials|"
    r"(?<!not present in )manifest|jsonpath|permission denied|must be owner|PermanentRedirect|Status 301",
    re.I,
)
_CONTENT = re.compile(
    r"inflate|decompress|gzip|bzip2?|zstd|lzop|corrupt|unexpected end of file|4 ?MB|4194304|size of .*object",
    re.I,
)


class Kind(Enum):
    """What a failed statement asks for."""

    NO_TABLES = "make or upgrade the tables, then try again"
    CLAIM = (
        "another load was published meanwhile: plan the batch, or look at the load to undo, again"
    )
    UNDONE = "the load was undone: nothing more of it is published"
    AGAIN = "an earlier attempt has published the batch: publish it again, without its ledger rows"
    CHECK = "a check on the published state failed"
    TRY_AGAIN = "a conflict or an interruption: try again"
    COPY = "COPY failed: look for the bad files"
    OTHER = "anything else: the batch fails"


def kind_of(statement: Statement) -> Kind:
    """What a statement that ended FAILED or ABORTED asks for."""
    text = _own_words(failure(statement))
    part = statement.failed_part
    sql = (part.text if part else "").lstrip().upper()
    if _CHECK.search(text):
        return Kind.CHECK
    if _UNDONE.search(text):
        return Kind.UNDONE
    if _AGAIN.search(text):
        return Kind.AGAIN
    if _CLAIM.search(text):
        return Kind.CLAIM
    if _LOCK.search(text):
        return Kind.OTHER
    if _CONFLICT.search(text):
        return Kind.TRY_AGAIN
    if _NO_TABLES.search(text):
        return Kind.NO_TABLES
    if statement.status == "ABORTED" or _TRANSIENT.search(text):
        return Kind.TRY_AGAIN
    # Redshift need not quote the text that it could not cast: then it is known by its statement, but only now, for a
    # guard meets conflicts and restarts as any other statement does.
    if "'CLAIM: '" in sql or "'UNDO: '" in sql:
        return Kind.CLAIM
    if "AS GUARD" in sql:
        return Kind.CHECK
    if sql.startswith("COPY"):
        return Kind.COPY
    return Kind.OTHER


def failed_check(statement: Statement) -> tuple[str, str, str]:
    """Name, figure and expected figure of the check that failed; '?' for what the error does not tell."""
    found = _CHECK.search(failure(statement))
    if found:
        return found.group(1), found.group(2).rstrip(","), found.group(3)
    return "?", "?", "?"


def concerns_no_file(error: str) -> bool:
    """Whether a COPY error is of the set-up (role, manifest, JSONPaths) and would meet any file.

    Only the error itself says so: its detail names the manifest for any error.
    """
    return bool(
        _SYSTEMIC.search(re.split(r"\bdetail:", _own_words(error), maxsplit=1, flags=re.I)[0])
    )


def is_a_files(error: str) -> bool:
    """Whether a COPY error can only come from the content of one file, whatever the set-up."""
    return bool(_CONTENT.search(_own_words(error)))


def _own_words(error: str) -> str:
    """The error up to the first file that it names: a key may hold any words."""
    return error.partition("s3://")[0]


def is_missing(error: str) -> bool:
    """Whether the error says that a table or the schema does not exist."""
    return bool(_NO_TABLES.search(error))


def may_pass(error: str) -> bool:
    """Whether another attempt may not meet the error: a conflict, a cancel, or an interruption."""
    return bool(
        _CONFLICT.search(error) or _TRANSIENT.search(error) or error.endswith("ended ABORTED")
    )


def is_conflict(error: str) -> bool:
    """Whether the error is a conflict with another transaction, which a new attempt may not meet."""
    return bool(_CONFLICT.search(error))

"""What Redshift's error messages mean for a load.

Texts, not codes: the Data API gives no SQLSTATE. Source for conflicts:
docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
"""

import re
from enum import Enum

from loader.dataapi import Statement, failure

MAX_UNDER_A_RULE = 3

# Texts, not compiled: a function compiles them when a statement has failed, and not when it starts.
_CHECK = r"check (\w+): figure (\S+), expected (\w+)"
_CLAIM = r"claim: (\d+) files are loaded already|undo: \S+ left out rows of it|undo: it has published \d+ batches"
_AGAIN = r"again: this batch is published already"
_LOCK = r"lock: publish_lock has \d+ rows"
_MASK_KEY = r"mask key: \d+ rows"
_UNDONE = r"undone: \S+ has undone this load"
_NO_TABLES = (
    r"(?i)(relation|schema|table) \"?[\w.]+\"? (does not exist|not found)|(schema|relation) does not exist"
    r"|cannot copy into nonexistent table"
)
_NO_COLUMN = r"(?i)column \"?[\w.]+\"? does not exist"
# Also a table that a reset dropped while a statement waited for it: the next attempt sees the new one, or none.
_CONFLICT = (
    r"(?i)error:? *1023\b|serializable isolation violation|deadlock detected|conflict with concurrent transaction"
    r"|could not serialize|dropped by concurrent transaction|relation with oid"
)
_RULE = r"(?i)query monitoring rule"
# The statement was cancelled, or S3 did not answer: this says nothing about any file. Each of these texts is in
# tests/world/redshift_errors.toml, with the page or the thread where it was seen.
_INTERRUPTED = (
    r"(?i)cancell?ed (on user'?s request|by )|canceling statement due to|query monitoring rule|abort query"
    r"|system requested abort|slow ?down|reduce your request rate|status 50[0234]\b|retries exceeded"
    r"|connection limit|i/o error occurred while|connection (attempt failed|to \S+ refused)|ssl syscall|broken ?pipe"
    r"|server socket closed|closed the connection|connection is lost|consuming input failed"
)
# The names of tables and columns, and values, which may be anything.
_NAMED = r"""'[\w.]+'|"[^"]*\""""
# "due to an internal error" gives no cause that passes: it stands before a cause of its own, or for a plan that
# Redshift refuses ("This type of correlated subquery pattern is not supported due to internal error").
_TRANSIENT = (
    r"(?i)connection (was|has been)? ?(closed|reset|refused|terminated|lost)|terminating connection|could not connect"
    r"|\bcommunications?\b|\brestart(ed|ing)?\b|shutting down|(?<!due to )(?<!due to an )internal error"
    r"|temporarily unavailable|out of memory|disk full|\btimed? ?out\b|is paused|not currently available"
    r"|cannot accept connections"
)
# S3's answer to who may not read an object, or may not use its key; the last is what Redshift was seen to say of a file
# of a manifest in its place (github.com/PostHog/posthog/pull/61603), and the loader's manifests have full paths.
_DENIED = r"(?i)access ?denied|status 403\b|not authorized to perform|\bKMS\b|requires full path of an S3 object"


class Kind(Enum):
    """What a failed statement asks for."""

    NO_TABLES = "make or upgrade the tables, then try again"
    CLAIM = "another load was published in the meantime: compare the batch, or the load to undo, with the ledger again"
    UNDONE = "the load was undone: nothing more of it is published"
    AGAIN = "an earlier attempt has published the batch: publish it again, without its ledger rows"
    CHECK = "a check on the published state failed"
    TRY_AGAIN = "a conflict or an interruption: try again"
    COPY = "COPY failed: find the bad files"
    LOST = "the Data API no longer knows the statement: try again"
    TOO_LONG = "it was cancelled for its time limit: the batch fails"
    OTHER = "anything else: the batch fails"


def kind_of(statement: Statement) -> Kind:
    """What a statement that ended FAILED or ABORTED asks for."""
    text = _own_words(failure(statement))
    part = statement.failed_part
    sql = (part.text if part else "").lstrip().upper()
    if re.search(_CHECK, text):
        return Kind.CHECK
    if re.search(_UNDONE, text):
        return Kind.UNDONE
    if re.search(_AGAIN, text):
        return Kind.AGAIN
    if re.search(_CLAIM, text):
        return Kind.CLAIM
    if re.search(_LOCK, text) or re.search(_MASK_KEY, text):
        return Kind.NO_TABLES  # Migrate restores the row, and makes the key or says why it does not
    if re.search(_CONFLICT, text):
        return Kind.TRY_AGAIN
    if re.search(_NO_TABLES, text):
        return Kind.NO_TABLES
    if statement.status == "ABORTED" or _interrupted(text):
        return Kind.TRY_AGAIN
    # Redshift need not quote the text that it could not cast: then it is known by its statement, but only now, for a
    # guard meets conflicts and restarts as any other statement does.
    if "'CLAIM: '" in sql or "'UNDO: '" in sql:
        return Kind.CLAIM
    if "AS MASK_GUARD" in sql:
        return Kind.NO_TABLES
    if "AS GUARD" in sql:
        return Kind.CHECK
    if sql.startswith("COPY"):
        return Kind.COPY
    return Kind.OTHER


def failed_check(statement: Statement) -> tuple[str, str, str]:
    """Name, figure and expected figure of the failed check; '?' for what the error does not contain."""
    found = re.search(_CHECK, failure(statement))
    if found:
        return found.group(1), found.group(2).rstrip(","), found.group(3)
    return "?", "?", "?"


def is_denied(error: str) -> bool:
    """Whether a COPY error says that S3 denies an object, which says nothing about its content."""
    return bool(re.search(_DENIED, _own_words(error)))


def headline(error: str) -> str:
    """The error without its details (location, process, and a repetition)."""
    return re.split(r"\s*\bdetail:", error, maxsplit=1, flags=re.I)[0].strip() or error


def _own_words(error: str) -> str:
    """The error up to the first file that it names, because a key may contain any words."""
    return error.partition("s3://")[0]


def _interrupted(own_words: str) -> bool:
    text = re.sub(_NAMED, "", own_words)
    return bool(re.search(_INTERRUPTED, text) or re.search(_TRANSIENT, text))


def is_missing(error: str) -> bool:
    """Whether the error says that a table or the schema does not exist."""
    return bool(re.search(_NO_TABLES, _own_words(error)))


def is_older(error: str) -> bool:
    """Whether the error says that a column does not exist, as in the ledger of an older version."""
    return bool(re.search(_NO_COLUMN, _own_words(error)))


def may_pass(error: str) -> bool:
    """Whether another attempt may succeed: after a conflict, a cancel, or an interruption."""
    text = _own_words(error)
    return bool(re.search(_CONFLICT, text)) or _interrupted(text) or error.endswith("ended ABORTED")


def is_interruption(message: str) -> bool:
    """Whether an error row says that the query was cancelled or S3 did not answer, and nothing about its file."""
    return bool(re.search(_INTERRUPTED, re.sub(_NAMED, "", _own_words(message))))


def gives_no_reason(message: str) -> bool:
    """Whether an error row only says which file was being read when COPY failed for another reason.

    Seen: github.com/databricks/spark-redshift/issues/205
    """
    return bool(re.match(r"\s*s3 key being read\b", message, re.I))


def attempts(error: str, most: int) -> int:
    """How many attempts to make after an interruption: a query monitoring rule stops the same statement each time."""
    return min(most, MAX_UNDER_A_RULE) if re.search(_RULE, _own_words(error)) else most

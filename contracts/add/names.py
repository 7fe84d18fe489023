"""Names of columns and tables, made of keys."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from contracts.generate.words import RESERVED
from contracts.reading import LONGEST_TABLE, OWN_NAMES

LONGEST = 60
_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "Ø": "O",
        "æ": "ae",
        "Æ": "AE",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "%": " pct ",
        "#": " no ",
    }
)


def words(key: str) -> str:
    """A key in lower-case words joined by underscores: shipToZIP -> ship_to_zip, e-mail -> e_mail, Größe -> grosse.

    '' if it has no Latin letter or digit.
    """
    plain = unicodedata.normalize("NFKD", key.translate(_LETTERS))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    plain = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", plain)
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def column(path: Sequence[str], number: int) -> tuple[str, str]:
    """The name of a path's column, and why it is another than its keys ('' if it is not).

    ``number``: of the column, for keys without a letter.
    """
    name = "_".join(filter(None, map(words, path)))
    if not name:
        return f"column_{number}", "its key has no Latin letter"
    if not name[0].isalpha():
        return f"c_{name}"[:LONGEST].rstrip("_"), "a name begins with a letter"
    if name in RESERVED:
        return f"{name}_", f"{name} is a reserved word in SQL"
    if name in OWN_NAMES:
        return f"source_{name}", f"the loader has a column {name} of its own"
    if len(name) > LONGEST:
        return name[:LONGEST].rstrip("_"), f"a name has at most {LONGEST} letters"
    return name, ""


def free(name: str, taken: Iterable[str], longest: int = LONGEST) -> str:
    """The name, or the first of name_2, name_3 … that is not taken."""
    used, made, number = set(taken), name, 2
    while made in used:
        made = f"{name[: longest - 4].rstrip('_')}_{number}"
        number += 1
    return made


def singular(name: str) -> str:
    """One of what the name says there are many of: orders -> order, entries -> entry."""
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    if re.search(r"(ss|x|ch|sh)es$", name):
        return name[:-2]
    return name[:-1] if re.search(r"[^su]s$", name) else name


def table(dataset: str, path: Sequence[str], taken: Iterable[str]) -> str:
    """The name of the table of an array: orders and items -> order_items."""
    last = words(path[-1]) or "elements"
    name = f"{singular(dataset)}_{last}"[:LONGEST_TABLE].rstrip("_")
    if name.endswith(("_versions", "_history", "_stage")):
        name = f"{name[: LONGEST_TABLE - 5]}_rows"
    used = {*taken, dataset}
    if name in used and len(path) > 1:
        whole = "_".join(filter(None, map(words, path)))
        name = f"{singular(dataset)}_{whole}"[:LONGEST_TABLE].rstrip("_")
    return free(name, used, LONGEST_TABLE)

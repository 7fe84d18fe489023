"""Caches translations of repeated statements, for all databases of the process.

A translation depends on the statement's text and on what the translator asked: relations, the
search path, the user, a value. ``_Asked`` records these questions, and a cached translation is used
only if each has the same answer again. So an altered table, a temporary table that hides it, another
search path or another user lead to another translation, and nothing has to be invalidated.

Marks replace what does not matter: names of tables (``sql.template``), values of parameters, quoted
ids with a time (``20261123-203011-aed5631e``, which a load writes into its statements) and the session's
numbers, as long as only their place matters.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from sqlglot import exp

from fakeshift.catalog.model import Key, Relation
from fakeshift.dialect import bound
from fakeshift.dialect.grammar import WHOLE_NUMBER, Value, is_other_date, parse_query
from fakeshift.dialect.scope import Scope
from fakeshift.dialect.translate import Translated, translate, translate_tree
from fakeshift.errors import RedshiftError
from fakeshift.sql.nodes import Query, TableAttributes
from fakeshift.sql.parameters import Literal, Words, bind, substitute, template_of, words
from fakeshift.sql.template import ANY_MARK, NAME_MARK, VALUE_MARK, VALUE_MARKS, Template

KEPT_CHARACTERS = 10_000_000
KEPT_OF_A_TEXT = 8

_STRING = re.compile(f"'({VALUE_MARK.pattern})'")
_OPEN = re.compile(f"{_STRING.pattern}|{VALUE_MARK.pattern}|{NAME_MARK.pattern}")
_ID = re.compile(r"'(\d{8}-\d{6}-[0-9a-f]{8})'", re.ASCII)
_INTERVAL = re.compile(r"\binterval\b", re.IGNORECASE)
_NUMBERS = (
    "last_copy_id", "last_copy_count", "last_unload_id", "last_unload_count", "last_query_id", "pid"
)  # fmt: skip

Question = tuple[str, tuple[str, ...]]
"""A question and its arguments: ("relation", ("public", "t")), ("user", ())."""


class _Asked:
    """A session's scope that knows names by their marks and records the questions."""

    def __init__(self, scope: Scope, template: Template, known: Words, values: Mapping[str, str]):
        self._scope = scope
        self._template = template
        self._values = values
        self.parameters = tuple(dict.fromkeys(place.name for place in known.places))
        self._slots = (*self.parameters, *_NUMBERS)
        self.answers: dict[Question, object] = {}

    @property
    def can_stay_open(self) -> bool:
        """Whether every parameter has a value, and none has a type or looks like a mark."""
        given = [self._values.get(name) for name in self.parameters]
        return all(
            value is not None and not isinstance(value, Literal) and not ANY_MARK.search(value)
            for value in given
        )

    def _ask(self, what: str, about: tuple[str, ...] = ()) -> object:
        question = (what, about)
        if question not in self.answers:
            self.answers[question] = self.answer(question)
        return self.answers[question]

    def answer(self, question: Question) -> object:
        """The current answer. Raises RedshiftError, for example for a missing table."""
        what, about = question
        if what == "relation":
            return self._shape(self._scope.relation(tuple(map(self._template.restore, about))))
        if what == "value":
            return self._value(*about)
        if what == "word":
            slot, word = about
            return self._value(slot).lower() == word
        if what == "fits":
            slot, size = about
            return len(self._value(slot).encode()) <= int(size)
        if what == "whole":
            return WHOLE_NUMBER.fullmatch(self._value(*about)) is not None
        if what == "date":
            return is_other_date(self._value(*about))
        if what == "privilege":
            kind, *arguments = map(self._template.restore, about)
            return self._scope.has_privilege(tuple(arguments), kind)
        if what == "path":
            return self._scope.existing_schemas_in_path()
        if what == "parameter":
            return self._scope.is_on(*about)
        return {
            "user": self._scope.user,
            "database": self._scope.database_name,
            "collation": self._scope.collation,
        }[what]

    def _shape(self, relation: Relation) -> Relation:
        """Everything a translation may depend on; nothing else is available here."""
        has_identity = any(column.identity for column in relation.columns)
        return replace(
            relation,
            name=self._template.mark_of(relation.name),
            oid=relation.oid if has_identity else 0,
            owner="",
            constraints=(),
            attributes=TableAttributes(),
            depends_on=(),
            comment="",
            column_comments={},
        )

    # -- marks --------------------------------------------------------------------------------

    def mark(self, slot: str) -> str:
        """The mark for a parameter's value or a number of the session."""
        return chr(VALUE_MARKS[self._slots.index(slot)])

    def text(self, mark: str) -> str:
        """The value of a mark; the translation then depends on it."""
        return str(self._ask("value", (self._slot(mark),)))

    def is_word(self, mark: str, word: str) -> bool:
        """Whether the value is this word, in any case; the translation depends only on that."""
        return bool(self._ask("word", (self._slot(mark), word)))

    def fits(self, mark: str, size: int) -> bool:
        """Whether the value has at most ``size`` bytes; a dependency like ``is_word``."""
        return bool(self._ask("fits", (self._slot(mark), str(size))))

    def is_whole(self, mark: str) -> bool:
        """Whether the value is digits, optionally with a sign; a dependency like ``is_word``."""
        return bool(self._ask("whole", (self._slot(mark),)))

    def is_other_date(self, mark: str) -> bool:
        """Whether the value may be a date that DuckDB does not read; a dependency like ``is_word``."""
        return bool(self._ask("date", (self._slot(mark),)))

    def is_parameter(self, mark: str) -> bool:
        """Whether a mark is for a parameter's value."""
        return self._slot(mark) in self.parameters

    def _slot(self, mark: str) -> str:
        return self._slots[ord(mark) - VALUE_MARKS[0]]

    def _value(self, slot: str) -> str:
        return self._values[slot] if slot in self.parameters else self._scope.number(slot).sql()

    def fill(self, text: str) -> str:
        """A text with names and values instead of marks."""
        return _OPEN.sub(self._filled, text)

    def _filled(self, found: re.Match[str]) -> str:
        if found[1]:
            value = self._value(self._slot(found[1]))
            return "'" + value.replace("'", "''") + "'"
        if NAME_MARK.match(found[0]):
            return self._template.name_of(found)
        return self._value(self._slot(found[0]))

    def restored(self, key: Key) -> Key:
        """A relation's key with its name."""
        return (key[0], self._template.restore(key[1]))

    # -- the translator's Scope ----------------------------------------------------------------

    @property
    def user(self) -> str:
        """The database user."""
        return str(self._ask("user"))

    @property
    def database_name(self) -> str:
        """The connected database."""
        return str(self._ask("database"))

    @property
    def collation(self) -> str:
        """The database's collation."""
        return str(self._ask("collation"))

    def is_on(self, parameter: str) -> bool:
        """Whether a boolean parameter of SET is on."""
        return bool(self._ask("parameter", (parameter,)))

    def number(self, name: str) -> exp.Expr:
        """One of the session's numbers, as a mark."""
        return Value(this=self.mark(name), is_string=False, values=self)

    def existing_schemas_in_path(self) -> list[str]:
        """The existing schemas of the search path."""
        return cast(list[str], self._ask("path"))

    def relation(self, name: tuple[str, ...]) -> Relation:
        """A table or view; raises RedshiftError if it does not exist."""
        return cast(Relation, self._ask("relation", name))

    def has_privilege(self, arguments: tuple[str, ...], kind: str) -> bool:
        """Answers has_table_privilege and has_schema_privilege."""
        return bool(self._ask("privilege", (kind, *arguments)))

    def describe(self, sql: str, system: frozenset[str]) -> list[str]:
        """Not recorded: the types follow from the text and the relations, which are."""
        return self._scope.describe(self.fill(sql), system)


@dataclass(frozen=True)
class _Kept:
    """A translation with marks, and the answers that it depends on."""

    answers: dict[Question, object]
    translated: Translated

    def holds(self, asked: _Asked) -> bool:
        """Whether every question has the same answer again."""
        try:
            return all(asked.answer(q) == answer for q, answer in self.answers.items())
        except RedshiftError:
            return False

    def filled(self, asked: _Asked) -> Translated:
        """The translation for the current statement."""
        built = self.translated
        return replace(
            built,
            sql=asked.fill(built.sql),
            reads=frozenset(map(asked.restored, built.reads)),
            named=frozenset(map(asked.restored, built.named)),
            target=asked.restored(built.target) if built.target else None,
            query_id=asked.fill(built.query_id),
            check=asked.fill(built.check),
            then=asked.fill(built.then),
            origins=tuple(
                origin and replace(origin, table=asked.restored(("", origin.table))[1])
                for origin in built.origins
            ),
        )


class Translations:
    """The cached translations by text; evicts the least recently used. Thread-safe."""

    def __init__(self, characters: int = KEPT_CHARACTERS):
        self._characters = characters
        self._size = 0
        self._kept: OrderedDict[str, tuple[_Kept, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many translations are cached."""
        with self._lock:
            return sum(map(len, self._kept.values()))

    def translate(self, query: Query, scope: Scope) -> Translated:
        """Like ``dialect.translate`` of the bound text, with the same errors; then raises, as the
        planner does, for a parameter in a place that does not accept one.
        """
        text, ids = _without_ids(query)
        template, known = template_of(text)
        built = self._translate(query, scope, template, known, ids)
        if built.is_distributed and any(place.name not in ids for place in known.places):
            bound.refuse(template_of(query.sql)[0].text)
        return built

    def _translate(
        self, query: Query, scope: Scope, template: Template, known: Words, ids: Mapping[str, str]
    ) -> Translated:
        asked = _Asked(scope, template, known, {**query.values, **ids})
        if not known.several and asked.can_stay_open:
            text = template.text[known.start : known.end]
            for kept in self._of(text):
                if kept.holds(asked):
                    return kept.filled(asked)
            built = _translated(template, known, asked)
            if built is not None:
                self._keep(text, built)
                return built.filled(asked)
        text = bind(query.sql, query.values)
        known = words(text)
        return translate(text[known.start : known.end], scope)

    def _of(self, text: str) -> tuple[_Kept, ...]:
        with self._lock:
            if text in self._kept:
                self._kept.move_to_end(text)
            return self._kept.get(text, ())

    def _keep(self, text: str, built: _Kept) -> None:
        with self._lock:
            before = self._kept.pop(text, ())
            self._kept[text] = after = (built, *before)[:KEPT_OF_A_TEXT]
            self._size += _size(text, after) - _size(text, before)
            while self._size > self._characters:
                self._size -= _size(*self._kept.popitem(last=False))


def _size(text: str, kept: tuple[_Kept, ...]) -> int:
    return sum(len(text) + len(one.translated.sql) for one in kept)


def _without_ids(query: Query) -> tuple[str, dict[str, str]]:
    """The text with ``:id_<n>`` for each quoted id, and their values by name.

    The text as it is, if an id may be inside a comment or between two strings.
    """
    ids = tuple(dict.fromkeys(_ID.findall(query.sql)))
    names = {value: f"id_{n}" for n, value in enumerate(ids)}
    if not ids or any(name in query.sql for name in names.values()):
        return query.sql, {}
    text, count = _ID.subn(lambda found: ":" + names[found[1]], query.sql)
    try:
        _, known = template_of(text)
    except RedshiftError:
        return query.sql, {}
    if sum(place.name in names.values() for place in known.places) != count:
        return query.sql, {}
    return text, {name: value for value, name in names.items()}


def _translated(template: Template, known: Words, asked: _Asked) -> _Kept | None:
    """None for a statement that fails, or that cannot be translated with marks."""
    try:
        marked = substitute(template.text, known, lambda name: f"'{asked.mark(name)}'")
        tree = parse_query(marked, asked)
        if not all(map(_is_open, tree.walk())):
            return None
        if _INTERVAL.search(marked):  # an interval's text decides how it is parsed
            for name in asked.parameters:
                asked.text(asked.mark(name))
        built = translate_tree(tree, asked)
    except RedshiftError:
        return None
    bare = VALUE_MARK.findall(_STRING.sub("", built.sql + built.check + built.then))
    if any(asked.is_parameter(mark) for mark in bare):
        return None
    return _Kept(asked.answers, built)


def _is_open(node: exp.Expr) -> bool:
    """Whether no value's mark has become a name or part of a longer text."""
    text = node.args.get("this")
    return isinstance(node, Value) or not (isinstance(text, str) and VALUE_MARK.search(text))


TRANSLATIONS = Translations()
"""The translations of this process."""

"""The SQL that we parse: sqlglot's Redshift, but every function keeps its name.

sqlglot would turn functions into canonical ones while it parses and back into DuckDB's when it
prints, and lose some meaning each way (DATEADD, LISTAGG, GETDATE, ...). Here a function stays
``exp.Anonymous`` until ``dialect.functions`` translates it; one that is not listed there does not
exist.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Protocol

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ParseError, TokenError
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.parsers.redshift import RedshiftParser
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import SQLGLOTC_INSTALLED

from fakeshift.dialect import foreign, qualified
from fakeshift.errors import RedshiftError, syntax_error
from fakeshift.sql import tokens
from fakeshift.sql.template import VALUE_MARK

if SQLGLOTC_INSTALLED:
    # The classes below extend its parser and generator, and a compiled class cannot be extended:
    # each query would fail with "interpreted classes cannot inherit from compiled".
    raise ImportError(
        "fakeshift needs sqlglot's Python build, but its compiled build (sqlglotc) is installed in this environment. "
        "Run `pip uninstall sqlglotc`, or install fakeshift in a separate environment."
    )


class Values(Protocol):
    """The values of marks; records what the translation asks about them."""

    def text(self, mark: str) -> str:
        """The value."""

    def is_word(self, mark: str, word: str) -> bool:
        """Whether the value is this word, in any case."""

    def fits(self, mark: str, size: int) -> bool:
        """Whether the value has at most ``size`` bytes."""

    def is_whole(self, mark: str) -> bool:
        """Whether the value is digits, optionally with a sign."""

    def is_other_date(self, mark: str) -> bool:
        """Whether the value may be a date that DuckDB does not read as one."""


WHOLE_NUMBER = re.compile(r"\s*[+-]?\d+\s*")
_KEPT_FUNCTION_PARSERS = ("CAST", "CONVERT", "EXTRACT", "POSITION", "SUBSTRING", "TRIM", "TRY_CAST")


_INTERVAL_UNITS = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})


class Value(exp.Literal):
    """A literal whose text is not in the tree: ``this`` is a mark for it.

    The text comes from ``values``, which records that the translation depends on it. The generated
    SQL has the mark.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "is_string": True, "values": True}

    @property
    def this(self) -> str:
        """The value's text."""
        return str(self.args["values"].text(self.args["this"]))

    @property
    def name(self) -> str:
        """The value's text."""
        return self.this

    def text(self, key: str) -> str:
        """The value's text, of ``this``."""
        return self.this if key == "this" else ""


class Call(exp.Expression):
    """A call of one of DuckDB's functions or of our macros, created before ``functions`` checks calls.

    ``functions`` refuses names that are not Redshift's; this name is not from the statement.
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expressions": False}


class Settled(exp.Expression):
    """``list_extract(list_transform([value], lambda rs_v: this(rs_v, ...)), 1)``: a macro call whose
    first argument has a type (``typed``).
    """

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "value": True, "expressions": False}


def call(name: str, *args: exp.Expr) -> Call:
    """``call("json", x)`` -> ``json(x)``."""
    return Call(this=name, expressions=list(args))


def is_word(node: exp.Expr, word: str) -> bool:
    """Whether an expression is the string ``word``, in any case."""
    if isinstance(node, Value) and node.is_string:
        return bool(node.args["values"].is_word(node.args["this"], word))
    return bool(node.is_string) and node.name.lower() == word


def fits(node: exp.Expr, size: int) -> bool:
    """Whether an expression is a string of at most ``size`` bytes."""
    if isinstance(node, Value) and node.is_string:
        return bool(node.args["values"].fits(node.args["this"], size))
    return bool(node.is_string) and len(node.name.encode()) <= size


def is_whole(node: exp.Expr) -> bool:
    """Whether an expression is a string of digits, optionally with a sign."""
    if isinstance(node, Value) and node.is_string:
        return bool(node.args["values"].is_whole(node.args["this"]))
    return bool(node.is_string) and WHOLE_NUMBER.fullmatch(node.name) is not None


_LIKE_A_DATE = re.compile(
    r"\s*(?:\d{8}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|[A-Za-z]{3,9}[ -]\d|\d{1,2}[ -][A-Za-z]{3}|\d{4}-[A-Za-z]{3})"
)
_ISO_DATE = re.compile(r"\s*\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?\s*")


def is_other_date(text: str) -> bool:
    """Whether a text may be a date that DuckDB does not read as one."""
    return bool(_LIKE_A_DATE.match(text)) and not _ISO_DATE.fullmatch(text)


def may_be_date(node: exp.Expr) -> bool:
    """``is_other_date`` for a string literal."""
    if not isinstance(node, exp.Literal) or not node.is_string:
        return False
    if isinstance(node, Value):
        return bool(node.args["values"].is_other_date(node.args["this"]))
    return is_other_date(node.name)


def same(one: exp.Expr, other: exp.Expr) -> bool:
    """Whether two expressions and their values are equal."""
    return _with_values(one) == _with_values(other)


def _with_values(node: exp.Expr) -> exp.Expr:
    if node.find(Value) is None:
        return node
    return node.transform(
        lambda inner: (
            exp.Literal(this=inner.this, is_string=inner.is_string)
            if isinstance(inner, Value)
            else inner
        )
    )


def _string(parser: RedshiftParser, token: Token) -> exp.Expr:
    values = parser.dialect.settings.get("values")
    if values is not None and VALUE_MARK.fullmatch(token.text):
        return parser.expression(Value(this=token.text, is_string=True, values=values), token)
    return parser.expression(exp.Literal(this=token.text, is_string=True), token)


_LITERAL_TYPES = (
    exp.DataType.Type.DATE,
    exp.DataType.Type.TIME,
    exp.DataType.Type.TIMESTAMP,
    exp.DataType.Type.TIMESTAMPTZ,
)


def _typed_literal(this: exp.Expr, kind: exp.DataType) -> exp.Expr:
    """``DATE '2008-01-01'::varchar``: the type applies to the string, the cast to both."""
    literal = this
    while isinstance(literal, exp.Cast):
        literal = literal.this
    built = exp.Cast(this=literal.copy(), to=kind)
    if literal is this:
        return built
    literal.replace(built)
    return this


class RedshiftSource(Redshift):
    """Redshift's SQL, as input.

    With the setting ``values`` (Values), a string that is a value's mark becomes a Value.
    """

    SUPPORTED_SETTINGS = {*Redshift.SUPPORTED_SETTINGS, "values"}  # noqa: RUF012 - as declared there

    Tokenizer = tokens.Tokenizer

    class Parser(RedshiftParser):
        STRING_PARSERS: ClassVar[dict[Any, Any]] = {
            **RedshiftParser.STRING_PARSERS,
            TokenType.STRING: _string,
        }
        PRIMARY_PARSERS: ClassVar[dict[Any, Any]] = {
            **RedshiftParser.PRIMARY_PARSERS,
            TokenType.STRING: _string,
        }
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: RedshiftParser.FUNCTION_PARSERS[name] for name in _KEPT_FUNCTION_PARSERS
        }
        TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = {
            **RedshiftParser.TYPE_LITERAL_PARSERS,
            **dict.fromkeys(_LITERAL_TYPES, lambda _, this, kind: _typed_literal(this, kind)),
        }
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            "ANY": RedshiftParser.NO_PAREN_FUNCTION_PARSERS["ANY"],
            "CASE": RedshiftParser.NO_PAREN_FUNCTION_PARSERS["CASE"],
            "SYSDATE": lambda self: self.expression(exp.Anonymous(this="SYSDATE", expressions=[])),
            "APPROXIMATE": lambda self: self._parse_function(),
        }

        def _parse_interval(self, *args: Any, **kwargs: Any) -> Any:
            """INTERVAL, a string and an optional qualifier; sqlglot would parse the string.

            https://docs.aws.amazon.com/redshift/latest/dg/r_interval_data_types.html
            """
            place = self._index
            if not self._match(TokenType.INTERVAL) or not self._match(TokenType.STRING):
                self._retreat(place)
                return super()._parse_interval(*args, **kwargs)
            text = _string(self, self._prev)
            unit = self._interval_unit()
            if unit is not None and self._match_text_seq("TO"):
                unit = self._interval_unit() or unit
            return self.expression(exp.Interval(this=text, unit=unit))

        def _parse_types(self, *args: Any, **kwargs: Any) -> Any:
            """Records how a type is written: STRING and DOUBLE are not Redshift types."""
            written = self._curr.text.upper() if self._curr else ""
            kind = super()._parse_types(*args, **kwargs)
            if isinstance(kind, exp.DataType) and self._prev.text.upper() != "PRECISION":
                kind.meta["written"] = written
            return kind

        def _interval_unit(self) -> exp.Var | None:
            if self._curr is None or self._curr.text.upper() not in _INTERVAL_UNITS:
                return None
            self._advance()
            if self._match(TokenType.L_PAREN):
                self._expect(self._match(TokenType.NUMBER) and self._match(TokenType.R_PAREN))
                return exp.var("SECOND")
            return exp.var(self._prev.text.upper())

        def _parse_delete(self) -> exp.Delete:
            """DELETE [FROM] table: sqlglot reads the table of a DELETE without FROM as a list.

            https://docs.aws.amazon.com/redshift/latest/dg/r_DELETE.html
            """
            tree = super()._parse_delete()
            tables = tree.args.get("tables") or []
            if not tree.args.get("this") and len(tables) == 1:
                tree.set("this", tables[0])
                tree.set("tables", None)
            return tree

        def _parse_merge(self) -> exp.Merge:
            """MERGE as Redshift has it: both WHEN clauses, matched first, or REMOVE DUPLICATES.

            The target has no alias, the source is a table, a WHEN has no condition of its own.
            https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
            """
            self._expect(self._match(TokenType.INTO))
            target = self._parse_table_parts()
            self._expect(self._match(TokenType.USING))
            self._expect(self._curr and self._curr.token_type != TokenType.L_PAREN)
            source = self._parse_table()
            self._expect(self._match(TokenType.ON))
            tree = exp.Merge(this=target, using=source, on=self._parse_disjunction())
            if self._match_text_seq("REMOVE"):
                self._expect(self._match_text_seq("DUPLICATES"))
                return tree
            whens = [self._merge_when(matched=True), self._merge_when(matched=False)]
            tree.set("whens", exp.Whens(expressions=whens))
            return tree

        def _merge_when(self, *, matched: bool) -> exp.When:
            self._expect(self._match(TokenType.WHEN))
            self._expect(matched or self._match(TokenType.NOT))
            self._expect(self._match_text_seq("MATCHED") and self._match(TokenType.THEN))
            if not matched:
                self._expect(self._match(TokenType.INSERT))
                named = self._curr and self._curr.token_type == TokenType.L_PAREN
                columns = self._parse_wrapped_id_vars() if named else []
                self._expect(self._match_text_seq("VALUES"))
                insert = exp.Insert(this=exp.Tuple(expressions=columns))
                insert.set("expression", self._parse_value())
                return exp.When(matched=False, then=insert)
            if self._match(TokenType.DELETE):
                return exp.When(matched=True, then=exp.var("DELETE"))
            self._expect(self._match(TokenType.UPDATE) and self._match(TokenType.SET))
            assignments = self._parse_csv(self._parse_equality)
            return exp.When(matched=True, then=exp.Update(expressions=assignments))

        def _expect(self, is_there: object) -> None:
            if not is_there:
                self.raise_error("Expected something else", self._curr)


def _settled(generator: DuckDBGenerator, node: exp.Expr) -> str:
    others = ", ".join(["rs_v", *map(generator.sql, node.expressions)])
    value = generator.sql(node, "value")
    return f"list_extract(list_transform([{value}], lambda rs_v: {node.args['this']}({others})), 1)"


class DuckTarget(DuckDB):
    """DuckDB's SQL, as output; nulls sort as in Redshift, by a setting of the connection."""

    NULL_ORDERING = Redshift.NULL_ORDERING

    class Generator(DuckDBGenerator):
        TRANSFORMS: ClassVar[dict[Any, Any]] = {
            **DuckDBGenerator.TRANSFORMS,
            Value: lambda _, value: (
                f"'{value.args['this']}'" if value.is_string else value.args["this"]
            ),
            Call: lambda self, node: self.func(
                node.args["this"], *node.expressions, normalize=False
            ),
            Settled: lambda self, node: _settled(self, node),
        }

        def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
            """``last_value(a) IGNORE NULLS`` -> ``last_value(a IGNORE NULLS)``."""
            inner = self.sql(expression, "this")
            if isinstance(expression.this, exp.Anonymous):
                return f"{inner[:-1]} IGNORE NULLS)"
            return f"{inner} IGNORE NULLS"

        def respectnulls_sql(self, expression: exp.RespectNulls) -> str:
            """The default."""
            return self.sql(expression, "this")


def parse_query(sql: str, values: Values | None = None) -> exp.Expr:
    """One query or DML statement as sqlglot's tree; raises RedshiftError if it does not parse.

    With ``values`` a string literal that is a value's mark becomes a Value.
    """
    source = RedshiftSource(values=values) if values else RedshiftSource()
    try:
        read = qualified.unqualified(sql, source.tokenize(sql))
        foreign.refuse_tokens(read)
        parsed = source.parser().parse(read, sql)
        trees: list[exp.Expr] = [tree for tree in parsed if tree is not None]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise syntax_error(str(first.get("highlight") or "")) from error
    except TokenError as error:
        raise RedshiftError(f"syntax error: {error}", sqlstate="42601") from error
    if len(trees) != 1:
        raise RedshiftError("cannot insert multiple commands into a prepared statement")
    return trees[0]


def parse_expression(sql: str) -> exp.Expr:
    """One scalar expression, such as a column's default."""
    tree = parse_query(f"SELECT {sql}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        raise syntax_error(sql)
    expression: exp.Expr = tree.expressions[0]
    return expression


def to_duckdb(tree: exp.Expr) -> str:
    """DuckDB's text of a translated tree."""
    return tree.sql(dialect=DuckTarget, comments=False)

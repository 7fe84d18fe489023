"""The forms of SQL that a statement uses, and what is wrong with it for Redshift: python -m local.sql_lint asks.

A form is a short name such as ``DELETE … USING``, ``COPY … MANIFEST`` or ``sys_load_detail.file_etag``. The names are
closed: what is not known here gets a name all the same, the parser's own, so that nothing slips through unseen.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

logging.getLogger("sqlglot").setLevel(
    logging.ERROR
)  # it warns of each statement that it reads by words

# Functions that fail when the statement also reads a table; in lower case.
# docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
LEADER_ONLY = frozenset((
    "current_schema", "current_schemas", "has_database_privilege", "has_schema_privilege",
    "has_table_privilege", "substr", "factorial", "log", "age", "current_time", "current_timestamp",
    "localtime", "isfinite", "now", "getbit", "get_bit", "get_byte", "set_bit", "set_byte", "to_ascii",
))  # fmt: skip
# Catalogue relations that the leader node alone reads; beside a table of ours they are refused as its functions are.
# docs.aws.amazon.com/redshift/latest/dg/c_join_PG.html
_CATALOGUE = re.compile(r"pg_\w+|information_schema\.\w+")
_SYSTEM = re.compile(r"(sys|svv|svl|svcs|stl|stv|pg)_\w+")
# Words that are functions without brackets.
_BARE = frozenset((
    "current_date", "current_schema", "current_time", "current_timestamp", "current_user", "current_user_id",
    "localtime", "localtimestamp", "session_user", "sysdate", "user",
))  # fmt: skip
# Words before a bracket that call nothing.
_NO_CALLS = frozenset((
    "all", "and", "any", "as", "between", "by", "case", "cast", "distinct", "distkey", "else", "except",
    "exists", "from", "group", "having", "identity", "in", "include", "including", "inner", "intersect", "into",
    "is", "join", "left", "like", "limit", "not", "on", "or", "order", "outer", "over", "partition", "right",
    "row_number", "select", "set", "some", "sortkey", "table", "then", "union", "unique", "using", "values",
    "when", "where", "with", "bigint", "char", "character", "decimal", "double", "integer", "int", "numeric",
    "real", "smallint", "timestamp", "timestamptz", "varbyte", "varchar",
))  # fmt: skip
# Words that a statement is named by, if it is no query, no DML and no CREATE TABLE: the rest of its words are names.
_WORDS = frozenset((
    "abort", "add", "all", "alter", "analyze", "append", "as", "authorization", "auto", "begin", "by", "call",
    "cancel", "cascade", "close", "column", "comment", "commit", "cluster", "create", "database", "declare",
    "default", "delete", "deallocate", "disable", "distkey", "diststyle", "drop", "encode", "end", "even",
    "execute", "exists", "explain", "external", "fetch", "for", "from", "function", "grant", "group", "groups",
    "if", "in", "include", "insert", "into", "key", "last", "lock", "materialized", "not", "null", "on", "only",
    "option", "or", "owner", "password", "prepare", "privileges", "procedure", "public", "refresh", "rename",
    "replace", "reset", "restrict", "revoke", "role", "rollback", "schema", "select", "session", "set", "show",
    "sortkey", "start", "table", "tables", "temp", "temporary", "to", "transaction", "truncate", "type",
    "unload", "update", "usage", "user", "using", "vacuum", "view", "with",
))  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """What Redshift refuses, or what must not be relied on, in one statement."""

    kind: str  # correlated, parameter, leader node, equijoin, grouped IN, unknown type, unresolved, unread
    text: str


@dataclass
class Reading:
    """What a statement uses, and what is wrong with it."""

    forms: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


class Tables:
    """The columns of the tables that statements have made, by name without the schema."""

    def __init__(self, system: Mapping[str, Iterable[str]] | None = None) -> None:
        self._columns: dict[str, frozenset[str] | None] = {
            name: frozenset(columns) for name, columns in (system or {}).items()
        }

    def columns(self, name: str) -> frozenset[str] | None:
        """The columns of a table, or None if they are not known."""
        return self._columns.get(name)

    def note(self, text: str) -> None:
        """Remembers the table that a statement makes or changes; other statements say nothing."""
        if not re.match(r"create\b|alter\s+table\b", text.strip(), re.IGNORECASE):
            return
        try:
            tree = sqlglot.parse_one(text, dialect="redshift")
        except (ParseError, TokenError):
            return
        if isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW"):
            name = tree.find(exp.Table).name  # type: ignore[union-attr]
            self._columns[name] = self._made(tree)
        elif isinstance(tree, exp.Alter):
            added = {a.name for a in tree.args["actions"] if isinstance(a, exp.ColumnDef)}
            known = self._columns.get(tree.this.name)
            if known is not None:
                self._columns[tree.this.name] = known | added

    def _made(self, tree: exp.Create) -> frozenset[str] | None:
        if isinstance(tree.expression, exp.Query):
            return _Resolver(self).query(tree.expression, None)
        like = tree.find(exp.LikeProperty)
        if like:
            return self._columns.get(like.this.name)
        return frozenset(column.name for column in tree.find_all(exp.ColumnDef))


def read(text: str, tables: Tables) -> Reading:
    """The forms and the problems of one statement."""
    reading = Reading()
    explained = re.match(r"\s*EXPLAIN\s+", text, re.IGNORECASE)
    if explained:
        reading.forms.add("EXPLAIN")
        text = text[explained.end() :]
    try:
        tokens = sqlglot.tokenize(text, dialect="redshift")
    except TokenError as error:
        reading.problems.append(Problem("unread", f"it cannot be read: {error}"))
        return reading
    for name in _parameters(text):
        reading.problems.append(
            Problem(
                "parameter",
                f"the Data API parameter :{name}: Redshift's server takes none in subqueries, COPY and DDL; put the "
                "value in as a literal, by a placeholder with a pattern",
            )
        )
    first = _word(tokens[0]) if tokens else ""
    second = _word(tokens[1]) if len(tokens) > 1 else ""
    if first == "copy":
        reading.forms |= set(_copy(tokens))
    elif first in ("select", "with", "insert", "update", "delete", "merge") or (
        first == "create" and _creates(tokens) in ("table", "view")
    ):
        _parsed(text, tokens, tables, reading)
    elif first in _WORDS:
        reading.forms.add(_skeleton(tokens))
        if first == "alter" and second == "table":
            reading.forms |= _types(tokens)
    else:
        reading.forms.add(_skeleton(tokens) or "an empty statement")
    return reading


def _parsed(text: str, tokens: list[Token], tables: Tables, reading: Reading) -> None:
    """A query, DML, CREATE TABLE or CREATE VIEW."""
    try:
        tree = sqlglot.parse_one(text, dialect="redshift")
    except ParseError as error:
        reading.problems.append(
            Problem("unread", f"it cannot be read: {str(error).splitlines()[0]}")
        )
        return
    if isinstance(tree, exp.Command):
        reading.forms.add(_skeleton(tokens))
        return
    called = set(_calls(tokens))
    reading.forms |= called | set(_literals(tokens)) | set(_Classifier().forms(tree))
    if isinstance(tree, exp.Update | exp.Delete) and not _joins_its_target(tree):
        reading.problems.append(
            Problem(
                "equijoin",
                'no condition of its WHERE says target.column = source.column: Redshift answers "Target table must be '
                'part of an equijoin predicate"',
            )
        )
    reading.problems += [*_untyped(tree), *_grouped_in(tree)]
    resolver = _Resolver(tables)
    resolver.statement(tree)
    reading.problems += resolver.problems
    reading.forms |= resolver.system
    if resolver.system and not isinstance(tree, exp.Query):
        reading.forms.add("a system view read by a statement that writes")
    relations = {_relation(table) for table in tree.find_all(exp.Table)} - {""}
    read_tables = {name for name in relations if not _CATALOGUE.fullmatch(name)}
    leader = {name for name in called if name.partition("(")[0].lower() in LEADER_ONLY}
    leader |= {name for name in relations if _CATALOGUE.fullmatch(name)}
    if read_tables and "PG_LAST_COPY_COUNT()" in called:
        reading.forms.add("PG_LAST_COPY_COUNT() beside a table")
    if read_tables and leader:
        reading.problems.append(
            Problem(
                "leader node",
                f"{', '.join(sorted(leader))} runs on the leader node only, beside {', '.join(sorted(read_tables))}: "
                "ask for it in a statement of its own",
            )
        )


# ---------------------------------------------------------------- by words


def _word(token: Token) -> str:
    """The token in lower case if it is a word and no quoted name or text."""
    if token.token_type in (TokenType.STRING, TokenType.NUMBER, TokenType.IDENTIFIER):
        return ""
    return token.text.lower()


_PARAMETER = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(?<![:\w]):([A-Za-z_]\w*)", re.DOTALL
)


def _parameters(text: str) -> list[str]:
    return sorted({match[1] for match in _PARAMETER.finditer(text) if match[1]})


def _creates(tokens: list[Token]) -> str:
    """What a CREATE makes."""
    words = [_word(token) for token in tokens[1:6]]
    return next(
        (w for w in words if w not in ("or", "replace", "temp", "temporary", "local", "external")),
        "",
    )


def _skeleton(tokens: list[Token]) -> str:
    """A statement by its words: GRANT USAGE ON SCHEMA … TO GROUP …; what is in brackets is left out."""
    parts: list[str] = []
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == ";" or depth > 1 or (depth == 1 and token.text != "("):
            continue
        word = _word(token)
        if token.text in ("(", ")"):
            part = "(…)" if token.text == "(" else ""
        elif token.text == ",":
            part = ","
        elif word in _WORDS and parts[-1:] not in (["DISTKEY"], ["COLUMN"]):  # then it is a name
            part = word.upper()
        else:
            part = "…"
        last = parts[-1] if parts else ""
        if part == "," and last == "…":
            parts[-1] = "…, …"
        elif part not in ("", ",", last) and not (part in ("…", "(…)") and last in ("…", "…, …")):
            parts.append(part)
    return " ".join(parts)


def _types(tokens: list[Token]) -> set[str]:
    return {
        f"{token.text.upper()}(n)" if after.text == "(" else token.text.upper()
        for token, after in zip(tokens, tokens[1:] + tokens[-1:], strict=True)
        if _word(token) in _TYPE_WORDS
    }


_TYPE_WORDS = frozenset((
    "bigint", "boolean", "char", "date", "decimal", "integer", "int", "numeric", "real", "smallint",
    "timestamp", "timestamptz", "varchar",
))  # fmt: skip


def _copy(tokens: list[Token]) -> Iterator[str]:
    """COPY and each of its options."""
    yield "COPY"
    position = next((i for i, token in enumerate(tokens) if _word(token) == "from"), len(tokens))
    if any(token.text == "(" for token in tokens[:position]):
        yield "COPY table (columns)"
    rest = [token for token in tokens[position + 2 :] if token.text != ";"]
    while rest:
        token, rest = rest[0], rest[1:]
        option = [_word(token).upper() or "…"]
        while rest and _word(rest[0]).upper() in _COPY_FOLLOWS.get(option[0], ()):
            option.append(_word(rest[0]).upper())
            rest = rest[1:]
        if rest and rest[0].token_type in (TokenType.STRING, TokenType.NUMBER):
            option.append(_copy_value(option[0], rest[0]))
            rest = rest[1:]
        yield " ".join(["COPY …", *option])


_COPY_FOLLOWS = {
    "FORMAT": ("AS", "JSON", "CSV", "PARQUET", "AVRO", "ORC"),
    "COMPUPDATE": ("ON", "OFF", "TRUE", "FALSE", "PRESET"),
    "STATUPDATE": ("ON", "OFF", "TRUE", "FALSE"),
    "IAM_ROLE": ("DEFAULT",),
    "DATEFORMAT": ("AS",),
    "DELIMITER": ("AS",),
    "IGNOREHEADER": ("AS",),
    "JSON": ("AS",),
    "MAXERROR": ("AS",),
    "NULL": ("AS",),
    "QUOTE": ("AS",),
    "REGION": ("AS",),
    "TIMEFORMAT": ("AS",),
}


def _copy_value(option: str, token: Token) -> str:
    """An option's value by its kind; one of a short list as it is."""
    if token.token_type == TokenType.NUMBER:
        return "n"
    if token.text.startswith("s3://"):
        return "'jsonpaths'"
    return {"IAM_ROLE": "'arn'", "REGION": "'region'"}.get(option, f"'{token.text}'")


def _calls(tokens: list[Token]) -> Iterator[str]:
    """The functions that are called: TRIM(), EXTRACT(DOW), TO_CHAR('YYYY-MM-DD'), SYSDATE."""
    for i, token in enumerate(tokens):
        word = _word(token)
        before = tokens[i - 1].text if i else ""
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if not re.fullmatch(r"[a-z_]\w*", word) or before == ".":
            continue
        if word in _BARE and before.lower() != "as":
            yield word.upper() + ("()" if after == "(" else "")
        elif after == "(" and word not in _NO_CALLS and before.lower() not in ("into", "table"):
            yield f"{word.upper()}({_argument(word, tokens[i + 2 :])})"


def _argument(word: str, tokens: list[Token]) -> str:
    """What of a function's arguments is part of its form."""
    if word in ("extract", "date_part", "date_trunc", "dateadd", "datediff") and tokens:
        return tokens[0].text.upper()
    if word == "count" and tokens:
        return {"*": "*", "distinct": "DISTINCT"}.get(tokens[0].text.lower(), "")
    if word == "to_char":
        depth = 1
        for token in tokens:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth == 1 and token.token_type == TokenType.STRING:
                return f"'{token.text}'"
            if depth == 0:
                break
    return ""


def _literals(tokens: list[Token]) -> Iterator[str]:
    for token, after in pairwise(tokens):
        if after.token_type == TokenType.STRING and _word(token) in (
            "timestamp",
            "date",
            "interval",
        ):
            yield f"{token.text.upper()} '…'"
        if _word(token) == "nulls":
            yield f"NULLS {after.text.upper()}"
        if token.token_type == TokenType.DCOLON:
            yield "::"


# ---------------------------------------------------------------- by the tree

_PLAIN = (
    exp.Alias, exp.And, exp.Column, exp.Identifier, exp.Literal, exp.Not, exp.Null, exp.Or, exp.Paren, exp.Schema,
    exp.Select, exp.Star, exp.Table, exp.TableAlias, exp.Tuple, exp.Var, exp.Where, exp.From, exp.Order,
    exp.Values, exp.Subquery, exp.Query, exp.DataTypeParam, exp.Properties, exp.CTE, exp.ColumnDef,
    exp.ColumnConstraint, exp.If, exp.Placeholder,  # a parameter, which is a problem of its own
)  # fmt: skip
_NAMED: dict[type[exp.Expr], str] = {
    exp.Between: "BETWEEN",
    exp.Case: "CASE",
    exp.DPipe: "||",
    exp.Group: "GROUP BY",
    exp.Having: "HAVING",
    exp.Limit: "LIMIT",
    exp.Offset: "OFFSET",
    exp.With: "WITH",
    exp.Qualify: "QUALIFY",
    exp.Like: "LIKE",
    exp.NotNullColumnConstraint: "NOT NULL",
    exp.DefaultColumnConstraint: "DEFAULT",
    exp.GeneratedAsIdentityColumnConstraint: "IDENTITY (0, 1)",
    exp.DistKeyProperty: "DISTKEY (…)",
    exp.DistStyleProperty: "DISTSTYLE",
    exp.SortKeyProperty: "SORTKEY (…)",
    exp.Distinct: "SELECT DISTINCT",
}


class _Classifier:
    """The forms of a parsed statement, but for functions, which are told by their words."""

    def forms(self, tree: exp.Expr) -> Iterator[str]:
        yield self._statement(tree)
        for node in tree.walk():
            yield from self._node(node)

    def _statement(self, tree: exp.Expr) -> str:
        if isinstance(tree, exp.Insert):
            return (
                "INSERT … VALUES" if isinstance(tree.expression, exp.Values) else "INSERT … SELECT"
            )
        if isinstance(tree, exp.Update):
            alias = " (target with an alias)" if tree.this.alias else ""
            again = self._again(tree, tree.args.get("from_"))
            return ("UPDATE … FROM" if tree.args.get("from_") else "UPDATE … SET") + alias + again
        if isinstance(tree, exp.Delete):
            alias = " (target with an alias)" if tree.this.alias else ""
            using = tree.args.get("using") or []
            again = "".join(self._again(tree, source) for source in using[:1])
            return ("DELETE … USING" if using else "DELETE FROM") + alias + again
        if isinstance(tree, exp.Create):
            return self._create(tree)
        return "SELECT" if isinstance(tree, exp.Query) else type(tree).__name__

    @staticmethod
    def _again(tree: exp.Expr, sources: exp.Expr | None) -> str:
        """Whether the target is read as a source too, outside of derived tables."""
        for table in sources.find_all(exp.Table) if sources else ():
            if table.name == tree.this.name and not table.find_ancestor(exp.Subquery):
                return " (its own target again)"
        return ""

    @staticmethod
    def _create(tree: exp.Create) -> str:
        properties = tree.args.get("properties")
        kept = properties.expressions if properties else []
        words = ["CREATE"]
        words += ["OR REPLACE"] if tree.args.get("replace") else []
        words += ["TEMPORARY"] if any(isinstance(p, exp.TemporaryProperty) for p in kept) else []
        words += [str(tree.kind)]
        words += ["IF NOT EXISTS"] if tree.args.get("exists") else []
        if isinstance(tree.expression, exp.Query):
            words += ["… AS SELECT"]
        elif like := tree.find(exp.LikeProperty):
            options = " ".join(
                f"{p.this} {p.args['value']}".upper()
                for p in like.expressions
                if p.args.get("value")
            )
            words += [f"(LIKE … {options})" if options else "(LIKE …)"]
        return " ".join(words)

    def _node(self, node: exp.Expr) -> Iterator[str]:
        if type(node) in _NAMED:
            if isinstance(node, exp.Distinct) and not isinstance(node.parent, exp.Select):
                return
            yield _NAMED[type(node)]
            if isinstance(node, exp.Group) and not all(
                isinstance(key, exp.Column) for key in node.expressions
            ):
                yield "GROUP BY expression"
            if isinstance(node, exp.GeneratedAsIdentityColumnConstraint):
                start, step = node.args.get("start"), node.args.get("increment")
                if (str(start), str(step)) != ("0", "1"):
                    yield f"IDENTITY ({start}, {step})"
        elif isinstance(node, exp.Union):
            yield "UNION" if node.args.get("distinct") else "UNION ALL"
        elif isinstance(node, exp.SetOperation):
            yield type(node).__name__.upper()
        elif isinstance(node, exp.Join):
            yield from self._join(node)
        elif isinstance(node, exp.In):
            yield from self._in(node)
        elif isinstance(node, exp.Exists):
            yield "EXISTS (SELECT …)"
        elif isinstance(node, exp.Subquery):
            yield from self._subquery(node)
        elif isinstance(node, exp.Window):
            function = (
                type(node.this).__name__
                if not isinstance(node.this, exp.Anonymous)
                else node.this.name
            )
            names = {"RowNumber": "ROW_NUMBER()", "Count": "COUNT()"}
            yield f"{names.get(function, function.upper())} OVER (…)"
            if node.args.get("spec"):
                yield "OVER (… ROWS …)"
        elif isinstance(node, exp.Ordered):
            yield "ORDER BY"
        elif isinstance(node, exp.Cast):
            yield from self._cast(node)
        elif isinstance(node, exp.DataType):
            name = node.sql(dialect="redshift")
            yield re.sub(r"\(.*\)", "(n)" if "," not in name else "(n, m)", name)
        elif (
            isinstance(node, exp.Star | exp.Column)
            and node.is_star
            and node.find_ancestor(exp.Select)
        ):
            if not isinstance(node.parent, exp.Count | exp.Column):
                yield "SELECT alias.*" if isinstance(node, exp.Column) else "SELECT *"
        elif isinstance(node, exp.Is):
            yield "IS NULL"
        elif isinstance(node, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE):
            yield "comparison"
        elif isinstance(node, exp.Add | exp.Sub | exp.Mul):
            yield "+ - *"
        elif isinstance(node, exp.Div | exp.Mod):
            yield "/ inside CASE" if node.find_ancestor(exp.Case) else "/"
        elif isinstance(node, exp.LikeProperty | exp.TemporaryProperty) or (
            isinstance(node, exp.Property) and isinstance(node.parent, exp.LikeProperty)
        ):
            return
        elif not isinstance(node, (*_PLAIN, exp.Func, exp.DML, exp.Create)):
            yield type(node).__name__

    @staticmethod
    def _join(node: exp.Join) -> Iterator[str]:
        side, kind = str(node.args.get("side") or ""), str(node.args.get("kind") or "")
        if node.args.get("using"):
            yield "JOIN … USING"
        if node.args.get("method"):
            yield f"{node.args['method']} JOIN"
        within = {"UPDATE": "UPDATE … FROM … ", "DELETE": "DELETE … USING … "}.get(
            _within(node), ""
        )
        if not side and not kind and not node.args.get("on"):
            yield f"{within}a, b" if within else "FROM a, b"
            return
        yield f"{within}{side or kind or 'INNER'} JOIN"
        select = node.parent
        if side == "LEFT" and isinstance(select, exp.Select) and select.args.get("where"):
            name = node.alias_or_name
            for test in select.args["where"].find_all(exp.Is):
                column = test.this
                if (
                    isinstance(column, exp.Column)
                    and column.table == name
                    and not isinstance(test.parent, exp.Not)
                ):
                    yield "LEFT JOIN … IS NULL"

    @staticmethod
    def _in(node: exp.In) -> Iterator[str]:
        negated = "NOT IN" if isinstance(node.parent, exp.Not) else "IN"
        if not node.args.get("query"):
            yield f"{negated} (list)"
            return
        yield f"{_within(node)} … WHERE x {negated} (SELECT …)"

    @staticmethod
    def _subquery(node: exp.Subquery) -> Iterator[str]:
        parent = node.parent
        if isinstance(parent, exp.From | exp.Join) or (
            isinstance(parent, exp.Delete) and node.arg_key == "using"
        ):
            yield "derived table"
        elif not isinstance(
            parent, exp.In | exp.Exists | exp.Union | exp.Create | exp.Insert | exp.Subquery
        ):
            yield "scalar subquery"

    @staticmethod
    def _cast(node: exp.Cast) -> Iterator[str]:
        yield "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST(… AS type)"
        if isinstance(node.this, exp.Case):
            yield "CAST(CASE … END AS type)"
        case = node.find_ancestor(exp.Case, exp.Query)
        texts = (exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR)
        fixed = isinstance(node.this, exp.Literal | exp.Null)
        if isinstance(case, exp.Case) and node.to.this not in texts and not fixed:
            yield "CAST to a number inside CASE"


def _within(node: exp.Expr) -> str:
    """The kind of the innermost statement or query around a node."""
    around = node.find_ancestor(exp.Select, exp.Update, exp.Delete)
    return {exp.Update: "UPDATE", exp.Delete: "DELETE"}.get(
        type(around) if around else exp.Select, "SELECT"
    )


# ---------------------------------------------------------------- by names


@dataclass
class _Scope:
    """The sources of one query: alias -> table name and columns (None: not known)."""

    parent: "_Scope | None"
    sources: dict[str, tuple[str, frozenset[str] | None]] = field(default_factory=dict)
    aliases: frozenset[str] = frozenset()


class _Resolver:
    """Finds where each column comes from: one that comes from an outer query makes its subquery correlated."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._with: dict[str, frozenset[str] | None] = {}
        self.problems: list[Problem] = []
        self.system: set[str] = set()  # the columns of system views that are read

    def statement(self, tree: exp.Expr) -> None:
        if isinstance(tree, exp.Query):
            self.query(tree, None)
        elif isinstance(tree, exp.Create):
            if isinstance(tree.expression, exp.Query):
                self.query(tree.expression, None)
        elif isinstance(tree, exp.Insert):
            if isinstance(tree.expression, exp.Query) and not isinstance(
                tree.expression, exp.Values
            ):
                self.query(tree.expression, None)
        elif isinstance(tree, exp.Update | exp.Delete):
            scope = _Scope(None)
            self._source(tree.this, scope)
            start = tree.args.get("from_")
            found = [*([start] if start else []), *(tree.args.get("using") or [])]
            self._sources([s.this if isinstance(s, exp.From) else s for s in found], scope)
            for part in (*tree.args.get("expressions", ()), tree.args.get("where")):
                self._columns(part, scope, aliases=False)

    def query(self, query: exp.Expr, parent: _Scope | None) -> frozenset[str] | None:
        """Looks through a query; its columns, or None if they are not known."""
        for cte in query.args["with_"].expressions if query.args.get("with_") else ():
            self._with[cte.alias] = self.query(cte.this, parent)
        if isinstance(query, exp.Subquery):
            return self.query(query.this, parent)
        if isinstance(query, exp.SetOperation):
            left = self.query(query.this, parent)
            self.query(query.expression, parent)
            return left
        if not isinstance(query, exp.Select):
            return None
        scope = _Scope(parent, aliases=frozenset(e.alias for e in query.expressions if e.alias))
        start = query.args.get("from_")
        joins = query.args.get("joins") or []
        self._sources([*([start.this] if start else []), *(join.this for join in joins)], scope)
        for join in joins:
            self._columns(join.args.get("on"), scope, aliases=False)
        self._columns(query.args.get("where"), scope, aliases=False)
        for part in (
            *query.expressions,
            *(query.args.get(a) for a in ("group", "having", "order", "qualify")),
        ):
            self._columns(part, scope, aliases=True)
        return self._output(query, scope)

    def _sources(self, sources: list[exp.Expr], scope: _Scope) -> None:
        """Tables first, so that a derived table that reaches for one beside it is seen."""
        for source in sources:
            if isinstance(source, exp.Table):
                self._source(source, scope)
                inner = [join.this for join in source.args.get("joins") or []]
                self._sources(inner, scope)
                for join in source.args.get("joins") or []:
                    self._columns(join.args.get("on"), scope, aliases=False)
        for source in sources:
            if isinstance(source, exp.Subquery):
                scope.sources[source.alias] = (source.alias, self.query(source.this, scope))
                inner = [join.this for join in source.args.get("joins") or []]
                self._sources(inner, scope)
                for join in source.args.get("joins") or []:
                    self._columns(join.args.get("on"), scope, aliases=False)

    def _source(self, table: exp.Expr, scope: _Scope) -> None:
        name = table.name.lower()
        columns = self._with[name] if name in self._with else self._tables.columns(name)
        scope.sources[(table.alias or name).lower()] = (name, columns)

    def _output(self, query: exp.Select, scope: _Scope) -> frozenset[str] | None:
        names: set[str] = set()
        for item in query.expressions:
            if item.is_star:
                of = (
                    [item.table]
                    if isinstance(item, exp.Column) and item.table
                    else list(scope.sources)
                )
                for alias in of:
                    columns = scope.sources.get(alias, ("", None))[1]
                    if columns is None:
                        return None
                    names |= columns
            else:
                names.add(item.alias_or_name.lower())
        return frozenset(names)

    def _columns(self, part: exp.Expr | None, scope: _Scope, *, aliases: bool) -> None:
        """Each column of an expression; a query within it is looked through by itself."""
        if part is None:
            return
        for node in part.walk(prune=lambda n: isinstance(n, exp.Query)):
            if isinstance(node, exp.Query):
                self.query(node, scope)
            elif isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                self._column(node, scope, aliases=aliases)

    def _column(self, column: exp.Column, scope: _Scope, *, aliases: bool) -> None:
        name, qualifier = column.name.lower(), column.table.lower()
        if self._is_local(name, qualifier, scope, aliases=aliases):
            return
        outer = scope.parent
        while outer:
            if self._is_local(name, qualifier, outer, aliases=False):
                self._say(
                    "correlated",
                    f"{column.sql()} comes from an outer query: a correlated subquery; use LEFT JOIN … IS NULL, "
                    "DELETE … USING, UPDATE … FROM, or a temporary table of the same batch",
                )
                return
            outer = outer.parent
        self._say("unresolved", f"{column.sql()} comes from no table that is known here")

    def _is_local(self, name: str, qualifier: str, scope: _Scope, *, aliases: bool) -> bool:
        if qualifier:
            if qualifier not in scope.sources:
                return False
            self._note(scope.sources[qualifier][0], name)
            return True
        for table, columns in scope.sources.values():
            if columns is not None and name in columns:
                self._note(table, name)
                return True
        if aliases and name in scope.aliases:
            return True
        unknown = [table for table, columns in scope.sources.values() if columns is None]
        if unknown and scope.parent:
            self._say(
                "unresolved",
                f"{name}: the columns of {unknown[0]} are not known here, so it may come from an outer query; write "
                "alias.column",
            )
            return True
        for table in unknown or [t for t, _ in scope.sources.values() if _SYSTEM.fullmatch(t)]:
            self._note(table, name)
            return True
        return False

    def _note(self, table: str, column: str) -> None:
        if _SYSTEM.fullmatch(table):
            self.system.add(f"{table}.{column}")

    def _say(self, kind: str, text: str) -> None:
        problem = Problem(kind, text)
        if problem not in self.problems:
            self.problems.append(problem)


def _untyped(tree: exp.Expr) -> Iterator[Problem]:
    """Texts and NULLs without a type as columns of a derived table, a view or a CTAS.

    Source: github.com/tuva-health/tuva-core/pull/1166, github.com/calogica/dbt-expectations/issues/98
    """
    for select in tree.find_all(exp.Select):
        parent = select.parent
        inside = isinstance(parent, exp.CTE | exp.Create) or (
            isinstance(parent, exp.Subquery) and isinstance(parent.parent, exp.From | exp.Join)
        )
        for item in select.expressions if inside else ():
            value = item.unalias()
            if isinstance(value, exp.Null) or (isinstance(value, exp.Literal) and value.is_string):
                yield Problem(
                    "unknown type",
                    f'the column {item.alias_or_name or value.sql()} has no type: Redshift may answer "failed to find '
                    'conversion function from unknown"; write CAST(… AS type)',
                )


def _grouped_in(tree: exp.Expr) -> Iterator[Problem]:
    """IN (SELECT SUM(…) … GROUP BY …), which Redshift refuses even without a correlation; MIN and MAX are taken.

    Source: docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html (its last example)
    """
    for test in tree.find_all(exp.In):
        query = test.args.get("query")
        select = query.this if isinstance(query, exp.Subquery) else query
        if not isinstance(select, exp.Select) or not select.args.get("group"):
            continue
        for item in select.expressions:
            if any(not isinstance(a, exp.Min | exp.Max) for a in item.find_all(exp.AggFunc)):
                yield Problem(
                    "grouped IN",
                    "IN (SELECT an aggregate … GROUP BY …) is not supported by Redshift; join a derived table",
                )


def _joins_its_target(tree: exp.Update | exp.Delete) -> bool:
    """Whether UPDATE … FROM, DELETE … USING joins its target to a source by an equality; true without a source.

    Source: docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html
    """
    if not tree.args.get("from_") and not tree.args.get("using"):
        return True
    where = tree.args.get("where")
    target = (tree.this.alias or tree.this.name).lower()
    for test in (
        where.this.flatten()
        if where and isinstance(where.this, exp.And)
        else [where and where.this]
    ):
        if isinstance(test, exp.EQ):
            left, right = (
                {column.table.lower() for column in side.find_all(exp.Column)}
                for side in (test.left, test.right)
            )
            if {target} in (left, right) and target not in left & right and left and right:
                return True
    return False


def _relation(table: exp.Table) -> str:
    """A table as it is read or written: with its schema if that is the catalogue's."""
    name = table.name.lower()
    return f"{table.db.lower()}.{name}" if table.db.lower() == "information_schema" else name

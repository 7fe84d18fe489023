"""The forms of SQL that a statement uses, and what is wrong with it for Redshift, for python -m tools.sql_lint.

A form is a short name such as ``DELETE … USING``, ``COPY … MANIFEST`` or ``sys_load_detail.file_etag``. The names are
closed: what is unknown here gets the parser's own name, so that nothing goes unnoticed.
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
# Functions that the guide shows without a table only; beside one they are a form of their own.
_ALONE = ("CURRENT_DATABASE()", "CURRENT_USER", "DB_COLLATION()", "PG_LAST_COPY_COUNT()")
# Catalogue relations: a query of these alone runs on the leader node. Redshift joins some of them to tables, by columns
# of some types; the rule here is stricter and refuses each join.
# docs.aws.amazon.com/redshift/latest/dg/c_sql-functions-leader-node.html and c_join_PG.html
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
    """Something in one statement that Redshift refuses, or that must not be relied on."""

    kind: str  # correlated, parameter, leader node, equijoin, grouped IN, unknown type, unresolved, unread
    text: str


@dataclass
class Reading:
    """What a statement uses, and what is wrong with it."""

    forms: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


class Tables:
    """The columns of the tables that statements have created, by name without the schema."""

    def __init__(self, system: Mapping[str, Iterable[str]] | None = None) -> None:
        self._columns: dict[str, frozenset[str] | None] = {
            name: frozenset(columns) for name, columns in (system or {}).items()
        }

    def columns(self, name: str) -> frozenset[str] | None:
        """The columns of a table, or None if they are not known."""
        return self._columns.get(name)

    def note(self, text: str) -> None:
        """Records the table that a statement creates or changes; ignores other statements."""
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
        text = text[explained.end() :]
    try:
        tokens = _tokens(text)
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
    for token in tokens:
        if token.token_type in (TokenType.PLACEHOLDER, TokenType.PARAMETER):
            reading.problems.append(
                Problem(
                    "parameter",
                    f"the placeholder {token.text}: the loader sends no parameters; put the value in as a literal",
                )
            )
            break
    first = _word(tokens[0]) if tokens else ""
    second = _word(tokens[1]) if len(tokens) > 1 else ""
    if explained:
        # docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html: of these statements only
        known = first in ("select", "insert", "update", "delete") or (
            first == "create" and _creates(tokens) == "table" and "select" in map(_word, tokens)
        )
        what = f"{first} {_creates(tokens)}" if first == "create" else first
        reading.forms.add("EXPLAIN" if known else f"EXPLAIN {what.upper()}".strip())
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
    if isinstance(tree, exp.Update | exp.Delete) and not isinstance(tree.this, exp.Table):
        reading.problems.append(Problem("unread", "the table that it changes was not found"))
        return
    if isinstance(tree, exp.Command):
        reading.forms.add(_skeleton(tokens))
        return
    called = set(_calls(tokens))
    reading.forms |= called | set(_literals(tokens)) | set(_Classifier(called).forms(tree))
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
    if read_tables:
        reading.forms |= {f"{name} beside a table" for name in called if name in _ALONE}
    if read_tables and leader:
        reading.problems.append(
            Problem(
                "leader node",
                f"{', '.join(sorted(leader))} runs on the leader node only, beside {', '.join(sorted(read_tables))}: "
                "ask for it in a statement of its own",
            )
        )


# ---------------------------------------------------------------- by words


def _tokens(text: str) -> list[Token]:
    """The tokens of a statement; of LOCK, CALL and the like too, whose words the tokenizer leaves as one text."""
    tokens = sqlglot.tokenize(text, dialect="redshift")
    if len(tokens) > 1 and tokens[1].token_type == TokenType.STRING:
        rest = text[tokens[0].end + 1 :].lstrip()
        if not rest.startswith("'"):
            return [tokens[0], *sqlglot.tokenize(f"SELECT {rest}", dialect="redshift")[1:]]
    return tokens


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
    """A statement by its words: GRANT USAGE ON SCHEMA … TO GROUP …; what is in brackets is left out.

    A word that is not known is a name where a name may be, and else it stays: LOCK … NOWAIT.
    """
    parts: list[str] = []
    depth = 0
    for before, token in zip([None, *tokens], tokens, strict=False):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == ";" or depth > 1 or (depth == 1 and token.text != "("):
            continue
        word = _word(token)
        if token.text in ("(", ")"):
            part = "(…)" if token.text == "(" else ""
        elif token.text == ",":
            part = ","
        elif word in _WORDS:  # after these two it is a name
            part = "…" if parts[-1:] in (["DISTKEY"], ["COLUMN"]) else word.upper()
        elif _is_second(before, token) and word not in _TYPE_WORDS:
            part = word.upper()
        else:
            part = "…"
        last = parts[-1] if parts else ""
        if part == "," and last == "…":
            parts[-1] = "…, …"
        elif part not in ("", ",", last) and not (part in ("…", "(…)") and last in ("…", "…, …")):
            parts.append(part)
    return " ".join(parts)


def _is_second(before: Token | None, token: Token) -> bool:
    """Whether a word follows a name without a point or a comma between them, so that it is no name."""
    if before is None or not re.fullmatch(r"[a-z_]\w*", _word(token)):
        return False
    value = before.token_type in (TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER)
    word = _word(before)
    name = bool(re.fullmatch(r"[a-z_]\w*", word)) and word not in _WORDS
    return value or name or before.text == ")"


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
    source = tokens[position + 1].text if position + 1 < len(tokens) else ""
    if not source.startswith("s3://"):
        yield f"COPY … FROM '{source.partition(':')[0]}:…'"
    rest = [token for token in tokens[position + 2 :] if token.text != ";"]
    words = [_word(token) for token in rest]
    packed = [word.upper() for word in words if word in ("gzip", "bzip2", "zstd", "lzop")]
    if len(packed) > 1:
        yield f"COPY … {' '.join(packed)}"
    seen: set[str] = set()
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
        if option[0] in seen:
            yield f"COPY … {option[0]} twice"
        seen.add(option[0])


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
    if tokens and tokens[0].text.lower() == "all":
        return "ALL"
    if word in ("extract", "date_part", "date_trunc", "dateadd", "datediff") and tokens:
        return tokens[0].text.upper()
    if word == "count" and tokens:
        return {"*": "*", "distinct": "DISTINCT"}.get(tokens[0].text.lower(), "")
    if word == "trim" and tokens and tokens[0].text.lower() in ("both", "leading", "trailing"):
        return tokens[0].text.upper()
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
        if _word(after) == "default" and token.text in ("(", ",", "="):
            yield "DEFAULT as a value"
        if _word(token) == "generated" and _word(after) in ("by", "always"):
            yield f"GENERATED {'ALWAYS' if _word(after) == 'always' else 'BY DEFAULT'} AS IDENTITY"
        if token.token_type == TokenType.DCOLON:
            yield "::"


# ---------------------------------------------------------------- by the tree

# What the parser may find, with the arguments that it may have: all else is a form by the parser's own name. The
# arguments that are no form of their own have a word in the form (kind, side) or are one of the names below.
_BOTH = "this expression"
_KNOWN: dict[type[exp.Expr], str] = {
    exp.Add: _BOTH, exp.Sub: _BOTH, exp.Mul: _BOTH, exp.Div: f"{_BOTH} typed safe", exp.Mod: _BOTH,
    exp.And: _BOTH, exp.Or: _BOTH, exp.Not: "this", exp.Paren: "this", exp.DPipe: f"{_BOTH} safe",
    exp.EQ: _BOTH, exp.NEQ: _BOTH, exp.LT: _BOTH, exp.LTE: _BOTH, exp.GT: _BOTH, exp.GTE: _BOTH,
    exp.Between: "this low high", exp.In: "this expressions query", exp.Is: _BOTH, exp.Like: _BOTH,
    exp.Exists: "this", exp.Case: "this ifs default", exp.If: "this true", exp.Cast: "this to",
    exp.TryCast: "this to safe", exp.DataType: "this expressions", exp.DataTypeParam: "this",
    exp.Alias: "this alias", exp.Column: "this table", exp.Identifier: "this quoted", exp.Literal: "this is_string",
    exp.Null: "", exp.Star: "", exp.Var: "this", exp.Tuple: "expressions",
    exp.Placeholder: "this jdbc", exp.Parameter: "this",  # problems of their own
    exp.Select: "distinct expressions from_ joins where group having order limit offset with_ qualify",
    exp.Union: f"{_BOTH} distinct with_", exp.Except: f"{_BOTH} distinct with_",
    exp.Intersect: f"{_BOTH} distinct with_", exp.Distinct: "expressions on", exp.From: "this",
    exp.Where: "this", exp.Group: "expressions all", exp.Having: "this", exp.Qualify: "this",
    exp.Order: "expressions", exp.Ordered: "this desc nulls_first", exp.Limit: "expression",
    exp.Offset: "expression", exp.With: "expressions", exp.CTE: "this alias", exp.Subquery: "this alias",
    exp.Values: "expressions", exp.Table: "this db alias", exp.TableAlias: "this",
    exp.Join: "this on using kind side method", exp.Window: "this partition_by order over spec",
    exp.Insert: "this expression default", exp.Update: "this expressions from_ where",
    exp.Delete: "this using where",
    exp.Create: "this kind expression properties exists replace no_schema_binding",
    exp.Schema: "this expressions", exp.ColumnDef: "this kind constraints", exp.ColumnConstraint: "kind",
    exp.NotNullColumnConstraint: "", exp.DefaultColumnConstraint: "this",
    exp.GeneratedAsIdentityColumnConstraint: "this start increment", exp.Properties: "expressions",
    exp.DistKeyProperty: "this", exp.DistStyleProperty: "this", exp.SortKeyProperty: "this",
    exp.TemporaryProperty: "", exp.LikeProperty: "this expressions", exp.Property: "this value",
}  # fmt: skip
# Functions by the words that are listed for them; of another one each argument is let pass, for its word is refused.
_FUNCTIONS: dict[type[exp.Expr], tuple[str, str]] = {
    exp.Coalesce: ("COALESCE NVL", "this expressions is_nvl"),
    exp.Count: ("COUNT", "this big_int"),
    exp.CurrentDatabase: ("CURRENT_DATABASE", ""),
    exp.CurrentTimestamp: ("GETDATE SYSDATE CURRENT_TIMESTAMP", "sysdate"),
    exp.CurrentUser: ("CURRENT_USER", ""),
    exp.Extract: ("EXTRACT", "this expression"),
    exp.Max: ("MAX", "this"),
    exp.Min: ("MIN", "this"),
    exp.Nullif: ("NULLIF", "this expression"),
    exp.RowNumber: ("", ""),  # a form by its window
    exp.Sum: ("SUM", "this"),
    exp.TimeToStr: ("TO_CHAR", "this format"),
    exp.Trim: ("TRIM RTRIM LTRIM BTRIM", "this position"),
}
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
}


class _Classifier:
    """The forms of a parsed statement, but for functions, which are known by their words."""

    def __init__(self, called: set[str]) -> None:
        self._words = {name.partition("(")[0] for name in called}

    def forms(self, tree: exp.Expr) -> Iterator[str]:
        yield self._statement(tree)
        for node in tree.walk():
            yield from self._node(node)
            yield from self._unknown(node)

    def _unknown(self, node: exp.Expr) -> Iterator[str]:
        """A kind of node, or an argument of one, that is not on the lists above; a function without its word."""
        words, known = _FUNCTIONS.get(type(node), ("", _KNOWN.get(type(node))))
        if type(node) in _FUNCTIONS:
            if words and self._words.isdisjoint(words.split()):
                yield type(node).__name__
        elif known is None:
            own = {node.name.upper()} if isinstance(node, exp.Anonymous) else set()
            own |= set(node.sql_names()) if isinstance(node, exp.Func) and not own else set()
            if self._words.isdisjoint(own):
                yield type(node).__name__
            return
        allowed = (known or "").split()
        if isinstance(node, exp.Table | exp.Subquery) and _within(node) != "SELECT":
            allowed.append("joins")  # of an UPDATE or DELETE, whose joins have forms of their own
        for name, value in node.args.items():
            if value not in (None, False, []) and name not in allowed:
                yield f"{type(node).__name__} {name}"

    def _statement(self, tree: exp.Expr) -> str:
        if isinstance(tree, exp.Insert):
            if tree.args.get("default"):
                return "INSERT … DEFAULT VALUES"
            what = "VALUES" if isinstance(tree.expression, exp.Values) else "SELECT"
            # The columns are named, so that a new one changes nothing.
            columns = "" if isinstance(tree.this, exp.Schema) else " without columns"
            return f"INSERT … {what}{columns}"
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
            words += ["(columns)"] if isinstance(tree.this, exp.Schema) else []
            words += ["… AS SELECT"]
            words += ["WITH NO SCHEMA BINDING"] if tree.args.get("no_schema_binding") else []
        elif like := tree.find(exp.LikeProperty):
            options = " ".join(
                f"{p.this} {p.args['value']}".upper()
                for p in like.expressions
                if p.args.get("value")
            )
            words += [f"(LIKE … {options})" if options else "(LIKE …)"]
        return " ".join(words)

    def _node(self, node: exp.Expr) -> Iterator[str]:
        if isinstance(node, exp.Distinct):
            yield from self._distinct(node)
        elif type(node) in _NAMED:
            yield _NAMED[type(node)]
            if isinstance(node, exp.Case) and node.this:
                yield "CASE x WHEN …"
            if isinstance(node, exp.DefaultColumnConstraint) and not isinstance(
                node.this, exp.Literal | exp.CurrentTimestamp
            ):
                yield f"DEFAULT {node.this.sql(dialect='redshift')}"
            if isinstance(node, exp.Group):
                yield from self._group(node)
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
            # An aggregate with an order needs a frame: docs.aws.amazon.com/redshift/latest/dg/r_WF_COUNT.html
            order = " ORDER BY …" if node.args.get("order") else ""
            frame = " ROWS …" if node.args.get("spec") else ""
            yield f"{names.get(function, function.upper())} OVER (…{order}{frame})"
        elif isinstance(node, exp.Ordered):
            yield "ORDER BY 1" if isinstance(node.this, exp.Literal) else "ORDER BY"
        elif isinstance(node, exp.Cast):
            yield from self._cast(node)
        elif isinstance(node, exp.DataType):
            name = node.sql(dialect="redshift")
            yield re.sub(r"\([\d ]+\)", "(n)", re.sub(r"\(\d+, *\d+\)", "(n, m)", name))
        elif (
            isinstance(node, exp.Star | exp.Column)
            and node.is_star
            and node.find_ancestor(exp.Select)
        ):
            if not isinstance(node.parent, exp.Count | exp.Column):
                yield "SELECT alias.*" if isinstance(node, exp.Column) else "SELECT *"
        elif isinstance(node, exp.Is):
            yield "IS NULL" if isinstance(node.expression, exp.Null) else "IS TRUE"
        elif isinstance(node, exp.Tuple):
            if not isinstance(node.parent, exp.Values | exp.Distinct):
                yield "row (a, b)"
        elif isinstance(node, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE):
            if not (isinstance(node.parent, exp.Update) and node.arg_key == "expressions"):
                yield "comparison"
            elif isinstance(node.this, exp.Column) and node.this.table:
                yield "UPDATE … SET table.column"
        elif isinstance(node, exp.Add | exp.Sub | exp.Mul):
            yield "+ - *"
        elif isinstance(node, exp.Div | exp.Mod):
            yield "/ inside CASE" if node.find_ancestor(exp.Case) else "/"

    @staticmethod
    def _distinct(node: exp.Distinct) -> Iterator[str]:
        if node.args.get("on"):
            yield "SELECT DISTINCT ON (…)"
        elif isinstance(node.parent, exp.Select):
            yield "SELECT DISTINCT"
        elif not isinstance(node.parent, exp.Count):
            yield f"{type(node.parent).__name__.upper()}(DISTINCT)"
        elif len(node.expressions) > 1:
            yield "COUNT(DISTINCT a, b)"

    @staticmethod
    def _group(node: exp.Group) -> Iterator[str]:
        if node.args.get("all"):
            yield "GROUP BY ALL"
        if any(isinstance(key, exp.Literal) for key in node.expressions):
            yield "GROUP BY 1"
        if any(not isinstance(key, exp.Column | exp.Literal) for key in node.expressions):
            yield "GROUP BY expression"

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
        on = node.args.get("on")
        if on and not any(_equates(test, node.alias_or_name) for test in _conditions(on)):
            yield f"{within}{side or kind or 'INNER'} JOIN without an equality"
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


def _conditions(where: exp.Expr) -> Iterator[exp.Expr]:
    """What a condition asks for by AND."""
    if isinstance(where, exp.Paren):
        yield from _conditions(where.this)
    elif isinstance(where, exp.And):
        yield from _conditions(where.left)
        yield from _conditions(where.right)
    else:
        yield where


def _equates(test: exp.Expr, name: str) -> bool:
    """Whether a condition is an equality of one source's columns and others'."""
    if not isinstance(test, exp.EQ):
        return False
    left, right = (
        {column.table.lower() for column in side.find_all(exp.Column)}
        for side in (test.left, test.right)
    )
    if "" in left | right:  # a column without a table may be of either
        return bool(left and right)
    return bool(left and right) and {name.lower()} in (left, right) and left.isdisjoint(right)


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
            if isinstance(tree.expression, exp.Values):
                self._columns(tree.expression, _Scope(None), aliases=False)
            elif isinstance(tree.expression, exp.Query):
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
        """Checks a query; returns its columns, or None if they are not known."""
        for cte in query.args["with_"].expressions if query.args.get("with_") else ():
            self._with[cte.alias] = self.query(cte.this, parent)
        if isinstance(query, exp.Subquery | exp.SetOperation):
            output = self.query(query.this, parent)
            if isinstance(query, exp.SetOperation):
                self.query(query.expression, parent)
            # The order of a union is by its columns.
            result = _Scope(parent, {"": ("the union", output)})
            for name in ("order", "limit", "offset"):
                self._columns(query.args.get(name), result, aliases=False)
            return output
        if not isinstance(query, exp.Select):
            return None
        scope = _Scope(
            parent, aliases=frozenset(e.alias.lower() for e in query.expressions if e.alias)
        )
        start = query.args.get("from_")
        joins = query.args.get("joins") or []
        self._sources([*([start.this] if start else []), *(join.this for join in joins)], scope)
        for join in joins:
            self._columns(join.args.get("on"), scope, aliases=False)
        for name, value in query.args.items():
            if name not in ("with_", "from_", "joins"):
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, exp.Expr):
                        aliases = name in ("group", "having", "order")
                        self._columns(part, scope, aliases=aliases)
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
        """Each column of an expression; a query within it is checked separately."""
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
        if aliases and name in scope.aliases and not _outer_has(scope, name):
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


def _outer_has(scope: _Scope, name: str) -> bool:
    """Whether a query around this one has a column of the name, which the alias would hide or not."""
    outer = scope.parent
    while outer:
        if any(columns and name in columns for _, columns in outer.sources.values()):
            return True
        outer = outer.parent
    return False


def _has_no_type(value: exp.Expr) -> bool:
    """Whether a value is made of texts and NULLs alone."""
    if isinstance(value, exp.Paren):
        return _has_no_type(value.this)
    if isinstance(value, exp.Case):
        default = value.args.get("default")
        results = [branch.args["true"] for branch in value.args["ifs"]]
        return all(_has_no_type(result) for result in [*results, *([default] if default else [])])
    if isinstance(value, exp.DPipe):
        return _has_no_type(value.left) and _has_no_type(value.right)
    if isinstance(value, exp.Coalesce):
        return all(_has_no_type(part) for part in [value.this, *value.expressions])
    return isinstance(value, exp.Null) or (isinstance(value, exp.Literal) and value.is_string)


def _untyped(tree: exp.Expr) -> Iterator[Problem]:
    """Texts and NULLs without a type as columns of a derived table, a view, a CTAS or a branch of a union.

    Source: github.com/tuva-health/tuva-core/pull/1166, github.com/calogica/dbt-expectations/issues/98
    """
    for select in tree.find_all(exp.Select):
        around, inside = select.parent, False
        while isinstance(around, exp.Subquery | exp.SetOperation):
            inside = inside or isinstance(around, exp.SetOperation)
            inside = inside or (isinstance(around, exp.Subquery) and around.arg_key == "using")
            around = around.parent
        inside = inside or isinstance(around, exp.CTE | exp.Create | exp.From | exp.Join)
        for item in select.expressions if inside else ():
            value = item.unalias()
            if _has_no_type(value):
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

"""Syntax that sqlglot and DuckDB accept and Redshift does not: an error at the first such word.

https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html
https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from fakeshift.errors import RedshiftError, syntax_error

_AFTER_A_COMMA = frozenset(
    {TokenType.FROM, TokenType.R_PAREN, TokenType.WHERE, TokenType.SEMICOLON}
)
_OF_A_JOIN = frozenset(
    {
        TokenType.CROSS,
        TokenType.NATURAL,
        TokenType.LEFT,
        TokenType.RIGHT,
        TokenType.FULL,
        TokenType.INNER,
        TokenType.OUTER,
    }
)
_JOINS = frozenset({"", "INNER", "OUTER", "CROSS", "NATURAL"})
_TYPES = frozenset(
    {"STRING", "DOUBLE", "VARCHAR2", "NUMBER", "DATETIME", "TINYINT", "BINARY", "BLOB"}
)

_ARGUMENTS: dict[type[exp.Expr], dict[str, str]] = {
    exp.Star: {"replace": "REPLACE"},
    exp.Union: {"by_name": "BY"},
    exp.Except: {"by_name": "BY"},
    exp.Intersect: {"by_name": "BY"},
    exp.Insert: {"by_name": "BY"},
    exp.CTE: {"materialized": "MATERIALIZED"},
    exp.Select: {"windows": "WINDOW"},
    exp.WindowSpec: {"exclude": "EXCLUDE"},
    exp.Limit: {"limit_options": "%"},
}
_NODES: dict[type[exp.Expr], str] = {
    exp.Glob: "glob",
    exp.StartsWith: "^@",
    exp.JSONExtract: "->",
    exp.JSONExtractScalar: "->>",
    exp.CurrentCatalog: "current_catalog",
}


def refuse_tokens(tokens: Sequence[Token]) -> None:
    """Raises RedshiftError for ``SELECT a, FROM t``, ``IN (1,)``, ``a == 1``, ``* EXCEPT (a)``, for a query that begins
    with FROM, and for a join without a condition.
    """
    _refuse_from_first(tokens)
    _refuse_free_joins(tokens)
    for token, following, after in zip(tokens, tokens[1:], [*tokens[2:], None], strict=False):
        if token.token_type == TokenType.COMMA and following.token_type in _AFTER_A_COMMA:
            raise syntax_error(following.text)
        excepts = token.token_type == TokenType.STAR and following.token_type == TokenType.EXCEPT
        if excepts and after is not None and after.token_type == TokenType.L_PAREN:
            raise syntax_error(following.text)
        if token.text == "==" and token.token_type == TokenType.EQ:
            raise RedshiftError("operator does not exist: ==", sqlstate="42883")


def _refuse_from_first(tokens: Sequence[Token]) -> None:
    """DuckDB's ``FROM t`` for ``SELECT * FROM t``: alone, in brackets, after AS, and in INSERT."""
    kinds = [token.token_type for token in tokens]
    for place, kind in enumerate(kinds):
        before = kinds[place - 1] if place else None
        in_a_call = place > 1 and kinds[place - 2] == TokenType.VAR  # TRIM (FROM a)
        if kind == TokenType.FROM and (
            before is None
            or before == TokenType.ALIAS
            or (before == TokenType.L_PAREN and not in_a_call)
        ):
            raise syntax_error("FROM")
    if kinds[:2] == [TokenType.INSERT, TokenType.INTO]:
        for kind in kinds[2:]:
            if kind in (TokenType.SELECT, TokenType.VALUES, TokenType.WITH, TokenType.L_PAREN):
                return
            if kind == TokenType.FROM:
                raise syntax_error("FROM")


def _refuse_free_joins(tokens: Sequence[Token]) -> None:
    """``a JOIN b`` without ON or USING: DuckDB takes it for CROSS JOIN."""
    joins = 0
    words: set[TokenType] = set()  # of the join that is being named
    for token in tokens:
        if token.token_type == TokenType.JOIN:
            joins += not words & {TokenType.CROSS, TokenType.NATURAL}
            words = set()
        elif token.token_type in _OF_A_JOIN:
            words.add(token.token_type)
        else:
            words = set()
    conditions = sum(each.token_type in (TokenType.ON, TokenType.USING) for each in tokens)
    if joins > conditions:
        raise RedshiftError("syntax error: JOIN without ON or USING", sqlstate="42601")


def refuse(tree: exp.Expr) -> None:
    """Raises RedshiftError for a clause, an operator or a type that Redshift does not have."""
    for node in tree.walk():
        for argument, word in _ARGUMENTS.get(type(node), {}).items():
            if node.args.get(argument):
                raise syntax_error(word)
        if type(node) in _NODES:
            raise syntax_error(_NODES[type(node)])
        if isinstance(node, exp.With) and node.args.get("recursive"):
            _refuse_recursion(node)
        if isinstance(node, exp.Join):
            for word in (node.kind, str(node.args.get("method") or "")):
                if word.upper() not in _JOINS:
                    raise syntax_error(word)
        if isinstance(node, exp.DataType) and node.meta.get("written") in _TYPES:
            written = node.meta["written"].lower()
            raise RedshiftError(f'type "{written}" does not exist', sqlstate="42704")


def _refuse_recursion(node: exp.With) -> None:
    """A recursive CTE must name its columns and be a UNION ALL.

    https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html
    """
    for cte in node.expressions:
        name = cte.alias.lower()
        if all(table.name.lower() != name for table in cte.this.find_all(exp.Table)):
            continue
        if not cte.args["alias"].columns:
            raise RedshiftError(f'recursive CTE "{name}" must have a column list', sqlstate="42601")
        if not isinstance(cte.this, exp.Union) or cte.this.args.get("distinct"):
            raise RedshiftError(f'recursive CTE "{name}" must be a UNION ALL', sqlstate="42601")

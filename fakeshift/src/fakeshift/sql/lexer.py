"""A cursor over the tokens of one statement, for the statements that we parse ourselves."""

from __future__ import annotations

from sqlglot.tokenizer_core import Token, TokenType

from fakeshift.errors import RedshiftError, syntax_error
from fakeshift.sql.reserved import RESERVED
from fakeshift.sql.tokens import folded, tokenize

_STRINGS = (TokenType.STRING, TokenType.HEREDOC_STRING)
"""``'text'`` and ``$$text$$``."""


class Tokens:
    """Reads a statement word by word; every error is Redshift's ``syntax error at or near``."""

    def __init__(self, sql: str):
        self.sql = sql
        self._tokens = tokenize(sql)
        while self._tokens and self._tokens[-1].token_type == TokenType.SEMICOLON:
            self._tokens.pop()
        if any(token.token_type == TokenType.SEMICOLON for token in self._tokens):
            raise RedshiftError("cannot insert multiple commands into a prepared statement")
        self._next = 0

    def peek(self, ahead: int = 0) -> Token | None:
        """The token ``ahead`` of the cursor, None past the end."""
        place = self._next + ahead
        return self._tokens[place] if place < len(self._tokens) else None

    @property
    def at_end(self) -> bool:
        """Whether every token has been read."""
        return self._next >= len(self._tokens)

    def word(self, ahead: int = 0) -> str:
        """The unquoted word ahead in upper case; "" for a string, a quoted name, the end."""
        token = self.peek(ahead)
        if token is None or token.token_type in (*_STRINGS, TokenType.IDENTIFIER):
            return ""
        return token.text.upper()

    def next_is(self, *words: str) -> bool:
        """Whether exactly these words follow. A token may hold several (``CHARACTER VARYING``)."""
        return self._match(words) is not None

    def accept(self, *words: str) -> bool:
        """Reads these words if they follow; returns whether they did."""
        end = self._match(words)
        if end is None:
            return False
        self._next = end
        return True

    def _match(self, words: tuple[str, ...]) -> int | None:
        wanted, place = list(words), self._next
        while wanted:
            token = self._tokens[place] if place < len(self._tokens) else None
            if token is None or token.token_type in (*_STRINGS, TokenType.IDENTIFIER):
                return None
            for part in token.text.upper().split():
                if not wanted or wanted.pop(0) != part:
                    return None
            place += 1
        return place

    def accept_any(self, *words: str) -> str:
        """Reads one of these single words; returns it, or ""."""
        for word in words:
            if self.accept(word):
                return word
        return ""

    def expect(self, *words: str) -> None:
        """Reads these words or raises a syntax error."""
        if not self.accept(*words):
            raise self.error()

    def error(self) -> RedshiftError:
        """``syntax error at or near`` the next token."""
        token = self.peek()
        return syntax_error(self.text_of(token) if token else "")

    def text_of(self, token: Token) -> str:
        """A token as written in the statement; of several words (``PARTITION BY``) the first."""
        return self.sql[token.start : token.end + 1].split()[0]

    def finish(self) -> None:
        """Raises a syntax error if anything is left."""
        if not self.at_end:
            raise self.error()

    def take(self) -> Token:
        """Reads any one token."""
        token = self.peek()
        if token is None:
            raise syntax_error("")
        self._next += 1
        return token

    def identifier(self) -> str:
        """A name, folded to lower case as Redshift folds quoted ones too.

        https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
        """
        token = self.peek()
        if token is None or token.token_type in _STRINGS:
            raise self.error()
        quoted = token.token_type == TokenType.IDENTIFIER
        plain = token.text.removeprefix("#").replace("_", "a").replace("$", "a")
        if not quoted and not plain.isalnum():
            raise self.error()
        if not quoted and token.text[0].isdigit():
            raise self.error()
        if quoted and not token.text:
            raise RedshiftError(
                'zero-length delimited identifier at or near """"', sqlstate="42601"
            )
        self._next += 1
        return folded(token.text)

    def name(self) -> str:
        """An identifier that names a table or column: a reserved word must be quoted.

        https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
        """
        if self.word().lower() in RESERVED:
            raise self.error()
        return self.identifier()

    def exact_identifier(self) -> str:
        """A user's or role's name: quoted ones keep their case (``"IAMR:Loader"``)."""
        token = self.peek()
        name = self.identifier()
        quoted = token is not None and token.token_type == TokenType.IDENTIFIER
        return token.text if quoted and token is not None else name

    def qualified_name(self) -> tuple[str, ...]:
        """``table``, ``schema.table`` or ``database.schema.table``."""
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.identifier())
        return tuple(parts)

    def string(self) -> str:
        """A string literal's value."""
        token = self.peek()
        if token is None or token.token_type not in _STRINGS:
            raise self.error()
        self._next += 1
        return token.text

    def next_is_string(self) -> bool:
        """Whether a string literal follows."""
        token = self.peek()
        return token is not None and token.token_type in _STRINGS

    def integer(self) -> int:
        """An integer, optionally with a sign."""
        sign = -1 if self.accept("-") else 1
        token = self.peek()
        if token is None or token.token_type != TokenType.NUMBER or not token.text.isdigit():
            raise self.error()
        self._next += 1
        return sign * int(token.text)

    def expression_text(self, *stops: str) -> str:
        """The text up to a comma or closing parenthesis of this depth, or one of the words."""
        depth, first, last = 0, self.peek(), None
        while (token := self.peek()) is not None:
            if depth == 0 and (self.word() in (",", ")") or self.word() in stops):
                break
            depth += {"(": 1, ")": -1}.get(self.word(), 0)
            last = token
            self._next += 1
        if first is None or last is None:
            raise self.error()
        return self.sql[first.start : last.end + 1]

    def rest(self) -> str:
        """All of the text from the cursor on."""
        token = self.peek()
        self._next = len(self._tokens)
        if token is None:
            return ""
        return self.sql[token.start : self._tokens[-1].end + 1]

"""Protocol buffers in text form, read without their definitions: keys, values and where they stand.

    max_batch_size { value: 128 }     # a comment
    allowed_batch_sizes: [1, 8]; prometheus_config: < enable: true, path: "/x" >

References: https://protobuf.dev/reference/protobuf/textformat-spec/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tfkit.errors import UsageError

_TOKEN = re.compile(
    r"""(?P<blank>[\s]+|\#[^\n]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<word>[-+]?[A-Za-z0-9_.][A-Za-z0-9_.+]*)
    |(?P<mark>[{}<>\[\]:;,])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LETTERS |= {mark: mark for mark in "\\'\"?"}
_CLOSING = {"{": "}", "<": ">"}
_DEPTH = 20  # messages in messages; those read here have two


@dataclass(frozen=True)
class Value:
    """One value, not yet taken for a type.

    Args:
        kind: a word (number, true, false …), a text, or a message.
        content: the word, the text without quotes, or the message's fields.
        place: line and column.
    """

    kind: Literal["word", "text", "message"]
    content: str | list[Field]
    place: tuple[int, int]


@dataclass(frozen=True)
class Field:
    """One key with a value; a list gives one field for each of its items."""

    key: str
    value: Value
    place: tuple[int, int]


def parse(text: str, file: Path | str) -> list[Field]:
    """The fields of a text, in its order.

    Args:
        text: of the message.
        file: told where something is wrong.
    Raises: UsageError with file, line and column.
    """
    return _Reader(list(_tokens(text, file)), file).fields(until=None, depth=0)


def complaint(file: Path | str, place: tuple[int, int], message: str) -> UsageError:
    """The error to raise for what stands at a place of a file."""
    return UsageError(f"{file}:{place[0]}:{place[1]}: {message}")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    place: tuple[int, int]


def _tokens(text: str, file) -> Iterator[_Token]:
    at, line, start = 0, 1, 0
    while at < len(text):
        place = (line, at - start + 1)
        match = _TOKEN.match(text, at)
        if match is None:
            what = "a text without its end" if text[at] in "\"'" else f"unexpected {text[at]!r}"
            raise complaint(file, place, f"{what}.")
        if match.lastgroup != "blank":
            yield _Token(match.lastgroup, match[0], place)
        breaks = match[0].count("\n")
        if breaks:
            line, start = line + breaks, at + match[0].rindex("\n") + 1
        at = match.end()
    yield _Token("end", "the end of the file", (line, at - start + 1))


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Token], file):
        self.tokens, self.file, self.at = tokens, file, 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.next
        self.at += token.kind != "end"
        return token

    def skip(self, *marks: str) -> bool:
        """Whether one of the marks was there, and is now behind."""
        found = self.next.kind == "mark" and self.next.text in marks
        self.at += found
        return found

    def refuse(self, token: _Token, expected: str):
        raise complaint(self.file, token.place, f"expected {expected}, got {token.text}.")

    def fields(self, until: str | None, depth: int) -> list[Field]:
        found: list[Field] = []
        while not (self.next.kind == "end" if until is None else self.skip(until)):
            key = self.take()
            if key.kind != "word" or not re.fullmatch(r"[A-Za-z_]\w*", key.text):
                self.refuse(key, f"a key or {until}" if until else "a key")
            colon = self.skip(":")
            if colon and self.skip("["):
                values = self.items(depth)
            else:
                values = [self.value(depth, colon)]
            found += [Field(key.text, value, key.place) for value in values]
            self.skip(",", ";")
        return found

    def items(self, depth: int) -> list[Value]:
        """The values of a list, whose bracket is open."""
        values: list[Value] = []
        while not self.skip("]"):
            if values and not self.skip(","):
                self.refuse(self.next, "',' or ']'")
            values.append(self.value(depth, colon=True))
        return values

    def value(self, depth: int, colon: bool) -> Value:
        token = self.take()
        if token.kind == "mark" and token.text in _CLOSING:
            if depth >= _DEPTH:
                self.refuse(token, f"at most {_DEPTH} messages in each other")
            return Value("message", self.fields(_CLOSING[token.text], depth + 1), token.place)
        if not colon:
            self.refuse(token, "':' or a message in { }")
        if token.kind == "text":
            parts = [token]
            while self.next.kind == "text":  # "a" "b" is "ab", over lines too
                parts.append(self.take())
            return Value("text", "".join(self.unquoted(part) for part in parts), token.place)
        if token.kind != "word":
            self.refuse(token, "a value")
        return Value("word", token.text, token.place)

    def unquoted(self, token: _Token) -> str:
        """A text without quotes and escapes; octal and hexadecimal ones are bytes of UTF-8."""

        def plain(match: re.Match) -> bytes:
            octal, hexadecimal, four, eight, letter = match.groups()
            if octal or hexadecimal:
                code = int(octal, 8) if octal else int(hexadecimal, 16)
                return bytes([code & 0xFF])
            if four or eight:
                return chr(int(four or eight, 16)).encode()
            return _LETTERS[letter].encode()

        inside, raw, at = token.text[1:-1], b"", 0
        try:
            for match in _ESCAPE.finditer(inside):
                raw += inside[at : match.start()].encode() + plain(match)
                at = match.end()
            return (raw + inside[at:].encode()).decode()
        except (ValueError, OverflowError, KeyError) as error:
            what = "an unknown escape" if isinstance(error, KeyError) else "bytes that are no UTF-8"
            raise complaint(self.file, token.place, f"a text with {what}.") from error


def quoted(text: str) -> str:
    """A text as it is written: what a reader of ASCII needs is escaped."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'

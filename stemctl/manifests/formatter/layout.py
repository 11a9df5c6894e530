"""Formats a manifest by moving its tokens: no value is read or rewritten.

Line breaks between tokens stay where they are. Indentation, spaces inside a line, empty lines and
line ends may change.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml
from yaml.events import StreamEndEvent
from yaml.tokens import (
    AliasToken,
    BlockEndToken,
    BlockEntryToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    DirectiveToken,
    FlowEntryToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    KeyToken,
    ScalarToken,
    StreamEndToken,
    StreamStartToken,
    ValueToken,
)

from stemctl.manifests.document import LINE_END
from stemctl.manifests.formatter.block_text import STEP, block_text, continued
from stemctl.manifests.yaml_parser import Parser

_OPENING = {FlowMappingStartToken, FlowSequenceStartToken}
_CLOSING = {FlowMappingEndToken, FlowSequenceEndToken}
_ENDING = {ScalarToken, *_CLOSING}
"""What a colon or comma may follow without a space. After an alias, anchor or tag, some readers
read it as a part of the name.
"""


class Formatted(NamedTuple):
    """A formatted text, and the comments in it."""

    text: str
    comments: tuple[str, ...]


class CannotFormat(Exception):
    """A construct that cannot be formatted: where it is, and what to do."""

    def __init__(self, mark: Any, message: str, remedy: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.message = message
        self.remedy = remedy


def format_text(text: str) -> Formatted:
    """Format a text that is valid YAML.

    Raises:
        CannotFormat: it contains a construct that has no format.
    """
    return _Layout(LINE_END.sub("\n", text)).run()


def same_content(old: str, new: str) -> bool:
    """Whether a parser reads the same values, with the same spelling, from both texts."""
    return _content(old) == _content(new)


def _content(text: str) -> list[tuple[Any, ...]]:
    parser = Parser(text)
    found = []
    while type(event := parser.get_event()) is not StreamEndEvent:
        attributes = (
            getattr(event, name, None)
            for name in ("anchor", "tag", "implicit", "value", "style", "flow_style")
        )
        found.append((type(event), *attributes))
    return found


class _Block(NamedTuple):
    """A block collection: its column in the old text, its indentation in the new text.

    A `loose` list has its items at the column of the key above: no token marks its beginning.
    """

    column: int
    indent: int
    is_list: bool = False
    loose: bool = False


_ROOT = _Block(-1, -STEP)


class _Layout:
    """Formats one text, token by token."""

    def __init__(self, text: str) -> None:
        self.is_ended = text.endswith("\n")
        self.text = text if self.is_ended else text + "\n"
        self.out: list[str] = []
        self.comments: list[str] = []
        self.end = 0
        self.before: type[yaml.Token] = StreamStartToken
        self.blocks = [_ROOT]
        self.closed: list[_Block] = []
        self.at_key = False
        self.depth = 0
        self.base = 0

    def run(self) -> Formatted:
        """Format the whole text."""
        scanner = Parser(self.text)
        while type(token := scanner.get_token()) is not StreamEndToken:
            self.take(token)
        self.gap(len(self.text), 0)
        self.out.append("\n")
        return Formatted("".join(self.out), tuple(self.comments))

    def take(self, token: Any) -> None:
        """Follow the structure, and write tokens that have text."""
        kind = type(token)
        if kind is BlockMappingStartToken or kind is BlockSequenceStartToken:
            self.open(token, kind is BlockSequenceStartToken)
        elif kind is BlockEndToken:
            self.end_loose()
            self.closed.append(self.blocks.pop())
        elif token.start_mark.index < token.end_mark.index:
            self.write(token, kind)
        elif kind is KeyToken and not self.depth:
            self.end_loose()
            self.at_key = True

    def open(self, token: Any, is_list: bool, loose: bool = False) -> None:
        """Begin a block collection."""
        self.blocks.append(
            _Block(token.start_mark.column, self.blocks[-1].indent + STEP, is_list, loose)
        )

    def end_loose(self) -> None:
        """End a loose list, at the next key or at the end of the mapping."""
        if self.blocks[-1].loose:
            self.closed.append(self.blocks.pop())

    def write(self, token: Any, kind: type[yaml.Token]) -> None:
        """Write a token, after the comments and spaces before it."""
        if kind is DirectiveToken:
            message = "a YAML directive cannot be formatted"
            raise CannotFormat(token.start_mark, message, "remove the line: it is not needed")
        if kind is ScalarToken and not self.depth and self.blocks[-1] is _ROOT:
            message = "text without a key cannot be formatted"
            remedy = "begin with the name of a list, such as `sessions:`"
            raise CannotFormat(token.start_mark, message, remedy)
        if not self.depth:
            if kind is BlockEntryToken and not self.blocks[-1].is_list:
                self.open(token, is_list=True, loose=True)
            elif kind is KeyToken or kind is ValueToken:
                self.end_loose()
        start, end = token.start_mark.index, token.end_mark.index
        begins_line = self.between(token, kind)
        if kind in _OPENING:
            self.enter(begins_line)
        elif kind in _CLOSING:
            self.depth -= 1
        if kind is ScalarToken and token.style in ("|", ">"):
            end = self.block(start)
        else:
            further = self.inner() + (STEP if self.depth else 0)
            self.out.append(continued(self.text[start:end], further))
        self.end, self.before, self.at_key = end, kind, False
        self.closed.clear()

    def block(self, start: int) -> int:
        """Write a block scalar, and return its end."""
        found = block_text(self.text, start, self.blocks[-1].column, self.is_ended)
        header, lines = found.at(max(self.inner(), STEP))
        self.out.append(header)
        if found.comment:
            self.out.append("  ")
            self.comment(found.comment)
        self.out.append(lines)
        return found.end

    def enter(self, begins_line: bool) -> None:
        """Open a bracket. Its lines are indented from the bracket if alone, else from its key."""
        if not self.depth:
            alone = begins_line or self.blocks[-1].is_list
            self.base = max(0, self.blocks[-1].indent + (STEP if alone else 0))
        self.depth += 1

    def inner(self) -> int:
        """The indentation of a line inside the open collection.

        Inside brackets, and for the closing one, it is always more than that of the key: strict
        readers require it.
        """
        least = max(0, self.blocks[-1].indent + STEP)
        return max(least, self.base + STEP * self.depth) if self.depth else least

    def indent(self, kind: type[yaml.Token]) -> int:
        """The indentation of a token that begins a line."""
        if self.depth:
            if kind in _CLOSING:
                return max(self.blocks[-1].indent + STEP, self.inner() - STEP)
            return self.inner()
        if self.at_key or kind in (BlockEntryToken, KeyToken, ValueToken):
            return self.blocks[-1].indent
        return self.inner()

    def between(self, token: Any, kind: type[yaml.Token]) -> bool:
        """Write the comments before a token, then a space or a line break.

        Returns whether the token begins a line.
        """
        start, column = token.start_mark.index, token.start_mark.column
        if self.out and "\n" not in self.text[self.end : start]:
            self.out.append(_space(self.before, kind))
            return False
        blank = self.gap(start, column, self.indent(kind))
        self.line(blank, self.indent(kind))
        return True

    def gap(self, end: int, column: int, indent: int = 0) -> bool:
        """Write the comments up to `end`.

        The line continues there at `column` of the old text, at `indent` of the new text. Returns
        whether the last line before it is empty.
        """
        lines = self.text[self.end : end].split("\n")
        blank = False
        if self.out:
            behind = lines.pop(0)
            if comment := behind.strip(" \t"):
                spaces = behind[: behind.index("#")]
                # Editors write one space, people align comments. Both stay.
                self.out.append(spaces if spaces and "\t" not in spaces else "  ")
                self.comment(comment)
        for line in lines[:-1]:
            comment = line.strip(" \t")
            if comment:
                self.line(blank, self.comment_indent(line.index("#"), column, indent))
                self.comment(comment)
            blank = not comment
        return blank

    def line(self, blank: bool, indent: int) -> None:
        """Begin a line, after an empty line if `blank`."""
        breaks = ("\n\n" if blank else "\n") if self.out else ""
        self.out.append(breaks + " " * indent)

    def comment(self, text: str) -> None:
        self.out.append(text)
        self.comments.append(text)

    def comment_indent(self, column: int, next_column: int, next_indent: int) -> int:
        """The indentation of a comment: that of the next token.

        A comment further to the right belongs to the collection that ends before it.
        """
        if self.depth:
            return self.inner()
        if column > next_column:
            for block in self.closed:  # the innermost first
                if block.column <= column:
                    return block.indent
        return next_indent


def _space(before: type[yaml.Token], after: type[yaml.Token]) -> str:
    """The space between two tokens of a line."""
    if before in _OPENING:
        return ""
    if after in _CLOSING or after is FlowEntryToken:
        is_close = before in _ENDING or before is FlowEntryToken or before is AliasToken
    else:
        is_close = after is ValueToken and before in _ENDING
    return "" if is_close else " "

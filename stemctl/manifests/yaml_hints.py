"""What a YAML parser says about text that is not valid YAML, in the words of its author."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace


class SyntaxHint(Struct, frozen=True):
    """What is wrong, and what to type. LINE stands for the line where the broken construct begins.

    `at_opening`: the caret belongs to the beginning of the construct. `unclosed`: it has brackets
    that are still open.
    """

    message: str
    remedy: str
    at_opening: bool = False
    unclosed: bool = False


_NOT_CLOSED = SyntaxHint(
    "this quote or bracket is never closed", "add the closing quote or bracket", at_opening=True
)
_BLOCK = SyntaxHint(
    "text is not allowed after `|` or `>`", "begin the text on the next line, with more indentation"
)
_ESCAPE = "write `\\\\` for `\\`, or use single quotes"
_UNALIGNED = "the indentation does not match the lines above"

_PHRASES = {
    "mapping values are not allowed": SyntaxHint(
        "a key is not allowed here", 'quote text that contains ": ", or fix the indentation'
    ),
    "unexpected end of stream": _NOT_CLOSED,
    "unexpected document indicator": _NOT_CLOSED,
    "unknown escape character": SyntaxHint("unknown escape sequence in double quotes", _ESCAPE),
    "invalid Unicode character escape": SyntaxHint(
        "this escape sequence is not a Unicode character", "write the character itself"
    ),
    "did not find expected hexdecimal": SyntaxHint("incomplete escape sequence", _ESCAPE),
    "',' or '}'": SyntaxHint(
        "the `{` in line LINE needs `,` or `}` here",
        "add `,` or `}`, or quote the text",
        unclosed=True,
    ),
    "',' or ']'": SyntaxHint(
        "the `[` in line LINE needs `,` or `]` here",
        "add `,` or `]`, or quote the text",
        unclosed=True,
    ),
    "could not find expected ':'": SyntaxHint(
        "missing colon", "write `NAME: VALUE`", at_opening=True
    ),
    "'-' indicator": SyntaxHint(
        "this is not an item of the list in line LINE", "begin it with `-`, or fix the indentation"
    ),
    "expected key": SyntaxHint(_UNALIGNED, "align it with the keys of line LINE"),
    "<block end>": SyntaxHint(_UNALIGNED, "align it with line LINE"),
    "sequence entries are not allowed": SyntaxHint(
        "a list cannot begin here", "begin the list on its own line"
    ),
    "alphabetic or numeric character": SyntaxHint(
        "a name must follow `&` or `*`", "quote text that begins with `&` or `*`"
    ),
    "<document start>": SyntaxHint(
        "text after the end of the document", "remove it, or fix the brackets above"
    ),
    "chomping or indentation": _BLOCK,
    "comment or line break": _BLOCK,
}
"""Hints by a phrase of the parser's message."""


def explain(problem: str, before: str, after: str, opened: int) -> SyntaxHint:
    """The hint for a parser's `problem`, found between the texts `before` and `after` of a line.

    `opened` is the line where the broken construct begins.
    """
    if after.startswith("\t"):
        return SyntaxHint("a tab is not allowed here", "indent with spaces")
    if "cannot start any token" in problem:
        return SyntaxHint(f"unquoted text cannot begin with `{after[:1]}`", "quote the text")
    hint = next((hint for phrase, hint in _PHRASES.items() if phrase in problem), None)
    if hint is None:
        remedy = "quote text, and align what belongs together"
        return SyntaxHint(f"not valid YAML: {problem}", remedy)
    if hint.unclosed and not before.strip() and not after.strip():
        return _NOT_CLOSED
    if hint.message == _UNALIGNED and before.rstrip().endswith(("'", '"')):
        return SyntaxHint(
            "text continues after its closing quote",
            "write `''` for an apostrophe inside single quotes",
        )
    line = str(opened)
    message, remedy = hint.message.replace("LINE", line), hint.remedy.replace("LINE", line)
    return replace(hint, message=message, remedy=remedy)

"""What a YAML parser says about text that is no YAML, in the words of somebody who writes records."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SyntaxHint:
    """What is wrong, what to type, and whether the place to look at is where the broken thing begins."""

    message: str
    remedy: str
    at_opening: bool = False


_NOT_CLOSED = SyntaxHint("this is never closed", "close the quote or bracket", at_opening=True)

_BLOCK = SyntaxHint("the text begins below this line", "write | alone, and the text below it")

_PHRASES = {
    "mapping values are not allowed": SyntaxHint(
        "a key is not allowed here", 'put text that holds ": " in quotes, or mend the indentation'
    ),
    "unexpected end of stream": _NOT_CLOSED,
    "unexpected document indicator": _NOT_CLOSED,
    "unknown escape character": SyntaxHint(
        "no such escape in double quotes", "write \\\\ for \\, or use single quotes"
    ),
    "invalid Unicode character escape": SyntaxHint(
        "not the code of a character", "write the character itself"
    ),
    "did not find expected hexdecimal": SyntaxHint(
        "not an escape", "write \\\\ for \\, or use single quotes"
    ),
    "',' or '}'": SyntaxHint(
        "the { of line LINE is not closed before this", "write , or }, or put text in quotes"
    ),
    "',' or ']'": SyntaxHint(
        "the [ of line LINE is not closed before this", "write , or ], or put text in quotes"
    ),
    "could not find expected ':'": SyntaxHint(
        "a colon is missing", "write   NAME: VALUE", at_opening=True
    ),
    "'-' indicator": SyntaxHint(
        "not an item of the list of line LINE", "begin it with - or mend the indentation"
    ),
    "expected key": SyntaxHint(
        "the indentation does not fit the lines above", "align it with the keys of line LINE"
    ),
    "<block end>": SyntaxHint(
        "the indentation does not fit the lines above", "align it with line LINE"
    ),
    "sequence entries are not allowed": SyntaxHint(
        "a list cannot begin here", "begin it in a line of its own"
    ),
    "alphabetic or numeric character": SyntaxHint(
        "a name must follow & or *", "put text that begins with it in quotes"
    ),
    "<document start>": SyntaxHint("text after the end", "take it out, or mend the brackets above"),
    "chomping or indentation": _BLOCK,
    "comment or line break": _BLOCK,
}
"""By what the parser says; LINE stands for the line where the broken thing begins."""

_UNKNOWN = "put text in quotes, and align what belongs together"


def explain(problem: str, before: str, after: str, opened: int) -> SyntaxHint:
    """Words for a parser's `problem`, found between `before` and `after`, in something that begins
    in line `opened`.
    """
    if after.startswith("\t"):
        return SyntaxHint("a tab where spaces belong", "indent with spaces")
    if "cannot start any token" in problem:
        return SyntaxHint(f"text cannot begin with {after[:1]}", "put it in quotes")
    hint = next(
        (hint for phrase, hint in _PHRASES.items() if phrase in problem),
        SyntaxHint(f"not YAML: {problem}", _UNKNOWN),
    )
    if "is not closed before" in hint.message and not before.strip() and not after.strip():
        return _NOT_CLOSED
    if "indentation" in hint.message and before.rstrip().endswith(("'", '"')):
        return SyntaxHint(
            "text goes on after its closing quote",
            "write '' for an apostrophe inside single quotes",
        )
    line = str(opened)
    return SyntaxHint(
        hint.message.replace("LINE", line), hint.remedy.replace("LINE", line), hint.at_opening
    )
